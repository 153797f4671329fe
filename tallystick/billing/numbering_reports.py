"""What became of the numbers of each series and year: first, last, gaps, doubles, order."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from tallystick.accounts.models import Website
from tallystick.billing.credit_notes import CreditNote
from tallystick.billing.invoices import Invoice
from tallystick.billing.numbering import Counter, Series
from tallystick.events.models import Event

if TYPE_CHECKING:
    from tallystick.billing.sales_documents import SalesDocument

NUMBERED: tuple[type[SalesDocument], ...] = (Invoice, CreditNote)
"""The documents that have numbers."""
PAGE = 2000
BEYOND = 10_000
"""So far beyond its counter a number can still be one that a false counter did not know."""


@dataclass
class Disorder:
    """The document `number` is dated `day`, after `count` that have higher numbers, `first` to `last`,
    and are dated `since` to `until`."""

    number: int
    day: date
    first: int = 0
    last: int = 0
    count: int = 0
    since: date = date.max
    until: date = date.min

    def take(self, number: int, day: date) -> None:
        self.first, self.last, self.count = self.first or number, number, self.count + 1
        self.since, self.until = min(self.since, day), max(self.until, day)


@dataclass
class Period:
    """The numbers of `series` in a year (0: in all). Kept: 4 bytes for each number."""

    series: Series
    year: int
    counted: int
    count: int = 0
    doubles: list[int] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    _days: array[int] = field(default_factory=lambda: array("I", [0]))

    @property
    def label(self) -> str:
        return str(self.year) if self.year else "all years"

    @property
    def last(self) -> int:
        return len(self._days) - 1

    @property
    def first(self) -> int:
        return next((number for number, day in enumerate(self._days) if day), 0)

    @property
    def gaps(self) -> Iterator[tuple[int, int]]:
        """Runs of numbers that no document bears."""
        first = 0
        for number in range(1, max(self.last, self.counted) + 2):
            missing = self._is_missing(number)
            if missing and not first:
                first = number
            elif not missing and first:
                yield first, number - 1
                first = 0

    @property
    def disorder(self) -> Iterator[Disorder]:
        """What is not in the order of the dates, said of the number that is out of it: one that is
        dated after some that follow, once, together with these."""
        latest, earlier = 0, 0
        ranges: dict[int, Disorder] = {}
        for number, day in enumerate(self._days):
            if not day:
                continue
            if day >= latest:
                latest, earlier = day, number
                continue
            found = ranges.setdefault(earlier, Disorder(earlier, date.fromordinal(latest)))
            found.take(number, date.fromordinal(day))
        yield from ranges.values()

    def name(self, number: int) -> str:
        """The number as the series writes it today."""
        year = f"{self.year}-" if self.year else ""
        return f"{self.series.prefix}-{year}{number:0{self.series.digits}d}"

    def take(self, written: str, day: date) -> None:
        """A document bears the number `written` and the date `day`."""
        number = _ending(written)
        self.count += 1
        if number is None or number > self.counted + BEYOND:
            self.strays.append(written)
            return
        if written != self.name(number):
            self.odd.append(written)
        if number > self.last:
            self._days.extend([0] * (number - self.last))
        if self._days[number]:
            self.doubles.append(number)
        self._days[number] = day.toordinal()

    def _is_missing(self, number: int) -> bool:
        if number > max(self.last, self.counted):
            return False
        return number > self.last or not self._days[number]


def reports(
    websites: Sequence[Website], *, code: str = "", year: int | None = None
) -> Iterator[Period]:
    """Of each series of `websites`, or of those called `code`, each year, or `year`."""
    series = Series.objects.of(websites).select_related("website").order_by("website_id", "code")
    for each in series.filter(code=code) if code else series:
        periods = _periods(each)
        for period in sorted(periods, key=lambda period: period.year):
            if year in (None, period.year):
                yield period


def known_of(period: Period, number: int) -> str:
    """What the journal knows of a number that no document bears."""
    written = period.name(number)
    events = Event.objects.of(period.series.website_id).filter(kind__endswith=".issued")
    event = events.filter(change__contains=f'"number":"{written}"').order_by("id").first()
    if event is None:
        return "the journal knows nothing of it: it was never issued by this system"
    by = event.actor_label or event.actor_kind
    return (
        f"issued at {event.at:%Y-%m-%d %H:%M} UTC by {by} as {event.subject_type} "
        f"{event.subject_id}, whose row was since removed from the database, not by this system"
    )


def _periods(series: Series) -> Iterable[Period]:
    counters = Counter.objects.filter(series=series).order_by("period")
    periods = {each.period: Period(series, each.period, each.last) for each in counters}
    for written, day in _numbers(series):
        year = day.year if series.restarts_yearly else 0
        if year not in periods:
            periods[year] = Period(series, year, 0)
        periods[year].take(written, day)
    return periods.values()


def _numbers(series: Series) -> Iterator[tuple[str, date]]:
    for model in NUMBERED:
        documents = model._default_manager.filter(website=series.website_id, series=series.code)
        rows = documents.exclude(number="").order_by("pk")
        last = 0
        while page := list(
            rows.filter(pk__gt=last).values_list("pk", "number", "issue_date")[:PAGE]
        ):
            for _, written, day in page:
                yield written, day or date.min
            last = page[-1][0]


def _ending(written: str) -> int | None:
    """The digits that `written` ends with, as a number."""
    digits = written[len(written.rstrip("0123456789")) :]
    return int(digits) if digits and digits.isascii() else None
