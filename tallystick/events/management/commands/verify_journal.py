from __future__ import annotations

import dataclasses
import json
import sys
from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from tallystick.events.verify import Finding, Verification


class Command(BaseCommand):
    help = "Check that the journal says what it said when it was sealed; exit 1 if not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="a JSON line for each finding")

    def handle(self, *, json: bool, **_: object) -> None:
        verification = Verification()
        faults = 0
        for finding in verification.findings():
            faults += 1
            self.stdout.write(_as_json(finding) if json else _as_text(finding))
        summary = {"sealed": verification.sealed, "faults": faults}
        self.stdout.write(_dumps(summary) if json else _summary(verification.sealed, faults))
        if faults:
            sys.exit(1)


def _as_json(finding: Finding) -> str:
    return _dumps(dataclasses.asdict(finding))


def _dumps(value: object) -> str:
    return json.dumps(value)


def _as_text(finding: Finding) -> str:
    place = f"#{finding.seq}" if finding.seq else "not sealed" if finding.event else "head"
    event = f" event {finding.event}" if finding.event else ""
    return f"{finding.fault}: {place}{event}: {finding.words}"


def _summary(sealed: int, faults: int) -> str:
    return f"{sealed} sealed events, {faults or 'no'} fault{'' if faults == 1 else 's'}"
