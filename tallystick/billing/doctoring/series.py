"""Does each series count without gaps and doubles, and each counter say how far?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tallystick.accounts.models import Website
from tallystick.billing.doctoring.findings import Finding
from tallystick.billing.numbering_reports import Period, reports

_GAP = "See manage.py numbering_report for what the journal knows of it; restore the row."
_DOUBLE = "Two documents bear one number: find out which was sent, and correct the other."
_LAST = "The counter gives the next number: set it to the last one that was given."
_STRAY = "See manage.py numbering_report; it was not given by the series."


def look(websites: Sequence[Website]) -> Iterator[Finding]:
    for period in reports(websites):
        yield from _period(period)


def _period(period: Period) -> Iterator[Finding]:
    thing = f"series {period.series.code} of {period.series.website.domain}, {period.label}"
    for first, last in period.gaps:
        missing = period.name(first) if first == last else f"{period.name(first)} to {last}"
        yield Finding(thing, missing, "a document", "none", _GAP)
    for number in period.doubles:
        yield Finding(thing, period.name(number), "one document", "several", _DOUBLE)
    for written in period.strays:
        yield Finding(thing, written, f"up to {period.counted}", "beyond the counter", _STRAY)
    if period.counted != period.last:
        yield Finding(thing, "counter", str(period.last), str(period.counted), _LAST)
