from __future__ import annotations

import dataclasses
import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence

from django.core.management.base import BaseCommand, CommandError

from tallystick.accounts.models import Website
from tallystick.billing import doctoring, statistic_recounts
from tallystick.billing.doctoring import Check, Finding


class Command(BaseCommand):
    help = "Recompute all that can be recomputed; name every difference and exit 1 if there is any."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--website", metavar="DOMAIN", help="of this website alone")
        parser.add_argument("--json", action="store_true", help="a JSON line for each finding")
        parser.add_argument(
            "--fix-statistics",
            action="store_true",
            help="first put a recount in the place of the statistics",
        )

    def handle(self, *, website: str | None, json: bool, fix_statistics: bool, **_: object) -> None:
        websites = chosen(website)
        if fix_statistics:
            for each in websites:
                statistic_recounts.rebuild(each)
        count = 0
        for check, finding in doctoring.examine(websites, self._begin):
            count += 1
            self._clear()
            self.stdout.write(_as_json(check, finding) if json else f"{check.name}: {finding}")
        self._clear()
        self.stdout.write(_summary(count, len(doctoring.checks()), json=json))
        if count:
            sys.exit(1)

    def _begin(self, check: Check) -> None:
        """On a terminal, say what is being looked at."""
        if self.stderr.isatty():
            self.stderr.write(f"\r\033[K{check.name} …", ending="")
            self.stderr.flush()

    def _clear(self) -> None:
        if self.stderr.isatty():
            self.stderr.write("\r\033[K", ending="")
            self.stderr.flush()


def chosen(domain: str | None) -> Sequence[Website]:
    """All websites, or the one at `domain`."""
    websites = Website.objects.order_by("pk")
    if domain is None:
        return list(websites)
    found = list(websites.filter(domain=domain))
    if not found:
        raise CommandError(f"There is no website at {domain}.")
    return found


def _as_json(check: Check, finding: Finding) -> str:
    return json.dumps({"check": check.name, **dataclasses.asdict(finding)})


def _summary(count: int, checks: int, *, json: bool) -> str:
    if json:
        return f'{{"checks": {checks}, "findings": {count}}}'
    if not count:
        return f"{checks} checks: all well"
    return f"{checks} checks, {count} finding{'' if count == 1 else 's'}"
