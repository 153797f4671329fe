"""Does the journal say what it said when it was sealed? It is one for all websites."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tallystick.accounts.models import Website
from tallystick.billing.doctoring.findings import Finding
from tallystick.events.verify import Finding as Fault
from tallystick.events.verify import Verification

_ADVICE = "See manage.py verify_journal; nothing that follows can be trusted without a backup."


def look(websites: Sequence[Website]) -> Iterator[Finding]:
    del websites
    for fault in Verification().findings():
        yield Finding(_place(fault), "seal", "as it was sealed", fault.fault, _advice(fault))


def _place(fault: Fault) -> str:
    place = f" #{fault.seq}" if fault.seq else ""
    return f"journal{place}{f', event {fault.event}' if fault.event else ''}"


def _advice(fault: Fault) -> str:
    return f"{fault.words} {_ADVICE}"
