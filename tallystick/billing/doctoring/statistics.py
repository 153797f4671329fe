"""Are the statistics what a recount of the documents says?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tallystick.accounts.models import Website
from tallystick.billing.doctoring.findings import Finding
from tallystick.billing.statistic_recounts import Difference, differences
from tallystick.billing.statistic_rows import Count
from tallystick.kit.money import Money

_ADVICE = "Run manage.py doctor --fix-statistics, which puts the recount in their place."


def look(websites: Sequence[Website]) -> Iterator[Finding]:
    for website in websites:
        for difference in differences(website):
            yield _finding(website, difference)


def _finding(website: Website, difference: Difference) -> Finding:
    key = difference.key
    month = "the month of " if difference.by_month else ""
    label = f" by {key.label}" if key.label else ""
    return Finding(
        f"statistics of {website.domain}",
        f"{key.kind}{label} on {month}{key.day}",
        _spelled(difference.expected, key.currency),
        _spelled(difference.found, key.currency),
        _ADVICE,
    )


def _spelled(count: Count, currency: str) -> str:
    days = f", {count.days} days" if count.days else ""
    return f"{Money.from_minor(count.amount, currency)} in {count.number}{days}"
