"""The figures: what was invoiced, collected, and is still owed, of some websites in one currency.

They are read from the rollup and from what is not folded into it yet, in one statement, so that
they are exact at any moment. `statistic_rows` says what is counted on which day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from django.db import connection
from django.db.models import Sum

from tallystick.accounts.models import Website
from tallystick.billing import days
from tallystick.billing.errors import BillingError
from tallystick.billing.statistic_notes import note, noting
from tallystick.billing.statistic_rows import (
    NOTHING,
    Count,
    Kind,
    StatDelta,
    StatMonth,
)
from tallystick.kit.money import Money, digits_of, round_to

__all__ = [
    "Figures",
    "Step",
    "currencies",
    "figures",
    "note",
    "noting",
]

WALLET = "wallet"
"""The method that brings no money in: it uses what was collected, or credited, before."""
LONGEST_BY_DAY = 400
AGES = (0, 30, 60, 90)
"""Days past due up to which each bucket but the last reaches."""

Row = tuple[int, str, str, date, int, int, int]


class BadPeriod(BillingError):
    """The period ends before it begins, or has too many days to be shown one by one."""


class Step(StrEnum):
    """How fine a series is; weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def begin(self, day: date) -> date:
        """The first day of the step that `day` is in."""
        if self is Step.MONTH:
            return day.replace(day=1)
        return day - timedelta(days=day.weekday()) if self is Step.WEEK else day

    def after(self, day: date) -> date:
        """The first day of the step that follows the one beginning on `day`."""
        if self is Step.MONTH:
            return _next_month(day)
        return day + timedelta(days=7 if self is Step.WEEK else 1)


@dataclass(frozen=True, slots=True)
class Total:
    """An amount, and of how many documents."""

    amount: Decimal
    number: int


@dataclass(frozen=True, slots=True)
class Age:
    """What is owed, by the days since it was due: `over` them and up to `to`; nothing: no end."""

    over: int | None
    to: int | None
    amount: Decimal
    number: int


@dataclass(frozen=True, slots=True)
class Share:
    """What was paid by a method. What came by `wallet` is not collected: it had come before."""

    method: str
    amount: Decimal
    number: int


@dataclass(frozen=True, slots=True)
class Point:
    """What was invoiced and collected in the step that begins on `day`, and how many days those took
    that were settled in it."""

    day: date
    invoiced: Decimal
    collected: Decimal
    days_to_pay: Decimal | None


@dataclass(frozen=True, slots=True)
class Figures:
    """Of a period, by the day on which each thing happened; `paid` and `unpaid` are of what was
    invoiced in it. `outstanding`, `overdue` and `ageing` are as of today, whatever the period."""

    currency: str
    start: date | None
    end: date | None
    invoiced: Total
    paid: Total
    unpaid: Total
    collected: Total
    refunded: Total
    disputed: Total
    charged_back: Total
    credited: Total
    voided: Total
    written_off: Total
    outstanding: Total
    overdue: Total
    ageing: tuple[Age, ...]
    days_to_pay: Decimal | None
    settled: int
    methods: tuple[Share, ...]
    step: Step
    series: tuple[Point, ...]


def figures(
    websites: Collection[Website],
    *,
    currency: str,
    start: date | None = None,
    end: date | None = None,
    step: Step = Step.MONTH,
) -> Figures:
    """The figures of `websites` from `start` to `end`, both included; left out: from the first day
    to the last. Raises `BadPeriod`, `UnknownCurrency`."""
    period = _Period(start or days.FIRST, end or days.LAST, step)
    period.check()
    digits_of(currency)
    today = {website.pk: website.today() for website in websites}
    tally = _Tally(currency, today, step)
    tally.take(_rows(list(today), currency, period, today.values()))
    return tally.figures(start, end)


def currencies(websites: Collection[Website]) -> list[str]:
    """Those in which there are figures, the most used first."""
    ids = [website.pk for website in websites]
    used: dict[str, int] = defaultdict(int)
    for model in (StatMonth, StatDelta):
        rows = model.objects.of(ids).filter(kind=Kind.INVOICED).order_by()
        for currency, number in rows.values_list("currency").annotate(Sum("number")):
            used[currency] += number
    return sorted(used, key=lambda currency: (-used[currency], currency))


@dataclass(frozen=True, slots=True)
class _Period:
    start: date
    end: date
    step: Step

    def check(self) -> None:
        if self.end < self.start:
            raise BadPeriod("The period ends before it begins.")
        by_month = self.step is Step.MONTH
        if not by_month and (self.end - self.start).days > LONGEST_BY_DAY:
            raise BadPeriod(f"By days or weeks a period has at most {LONGEST_BY_DAY} days.")

    def months(self) -> tuple[date, date]:
        """The first whole month, and the first after it that is not."""
        first = self.start if self.start.day == 1 else _next_month(self.start)
        after = (self.end + timedelta(days=1)).replace(day=1)
        if self.step is not Step.MONTH or after < first:
            return self.start, self.start
        return first, after


def _rows(
    websites: Sequence[int], currency: str, period: _Period, todays: Collection[date]
) -> Iterator[Row]:
    """All that the figures are made of, in one statement: between two, rows could be folded. By hand,
    for the ORM takes longer to write it than the database to run it."""
    if not websites:
        return
    first, after = period.months()
    # What is owed is wanted by the day about today, and by the month before and after.
    near = (min(todays) - timedelta(days=AGES[-1] + 1)).replace(day=1)
    far = _next_month(max(todays))
    marks = ", ".join(["%s"] * len(websites))
    texts, values = [], []
    for part, days_of in (
        (_MONTHS, (first, after)),
        # Each range by itself, so that each is one of the index.
        (_DAYS_BEFORE, (period.start, first)),
        (_DAYS_AFTER, (after, period.end)),
        (_OWED_BEFORE, (near,)),
        (_OWED_NEAR, (near, far)),
        (_OWED_AFTER, (far,)),
        (_DELTAS, (period.start, period.end)),
    ):
        texts.append(part.format(websites=marks))
        values += [*websites, currency, *days_of]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(texts), values)
        for place, kind, label, day, *sums in cursor.fetchall():
            # SQLite tells the day as text.
            when = day if isinstance(day, date) else date.fromisoformat(day)
            yield place, kind, label, when, *map(int, sums)


_BY_DAY = "CASE WHEN kind IN ('invoiced', 'collected', 'settled', 'owed') THEN day END"
"""Of the other kinds no series is shown."""


def _part(table: str, condition: str, *, by: str = _BY_DAY, apart: bool = False) -> str:
    """The statement that adds up `table`, over websites or each of them `apart`."""
    place, also = ("website_id", "website_id, ") if apart else ("0", "")
    return (
        f"SELECT {place}, kind, label, min(day), sum(amount), sum(number), sum(days) "  # noqa: S608 - ours
        f"FROM {table} WHERE website_id IN ({{websites}}) AND currency = %s AND {condition} "
        f"GROUP BY {also}kind, label, {by}"
    )


_MONTHS = _part("billing_statmonth", "kind <> 'owed' AND day >= %s AND day < %s")
_DAYS_BEFORE = _part("billing_statday", "kind <> 'owed' AND day >= %s AND day < %s")
_DAYS_AFTER = _part("billing_statday", "kind <> 'owed' AND day >= %s AND day <= %s")
# All before is of one age, and so is all after.
_OWED_BEFORE = _part("billing_statmonth", "kind = 'owed' AND day < %s", by="kind", apart=True)
_OWED_NEAR = _part("billing_statday", "kind = 'owed' AND day >= %s AND day < %s", apart=True)
_OWED_AFTER = _part("billing_statmonth", "kind = 'owed' AND day >= %s", by="kind", apart=True)
_DELTAS = _part("billing_statdelta", "(kind = 'owed' OR (day >= %s AND day <= %s))", apart=True)


class _Tally:
    """Adds up rows to figures."""

    def __init__(self, currency: str, today: Mapping[int, date], step: Step) -> None:
        self.currency = currency
        self.today = today
        self.step = step
        self.kinds: dict[str, Count] = defaultdict(lambda: NOTHING)
        self.methods: dict[str, Count] = defaultdict(lambda: NOTHING)
        self.ages = [NOTHING] * (len(AGES) + 1)
        self.invoiced: dict[date, int] = defaultdict(int)
        self.collected: dict[date, int] = defaultdict(int)
        self.settled: dict[date, Count] = defaultdict(lambda: NOTHING)

    def take(self, rows: Iterable[Row]) -> None:
        for place, kind, label, day, *sums in rows:
            count = Count(*sums)
            if kind == Kind.OWED:
                age = self._age(self.today[place] - day)
                self.ages[age] = self.ages[age].plus(count)
                continue
            if kind == Kind.COLLECTED:
                self.methods[label] = self.methods[label].plus(count)
                if label == WALLET:
                    continue
                self.collected[self.step.begin(day)] += count.amount
            elif kind == Kind.REFUNDED and label == WALLET:
                continue
            elif kind == Kind.INVOICED:
                self.invoiced[self.step.begin(day)] += count.amount
            elif kind == Kind.SETTLED:
                begin = self.step.begin(day)
                self.settled[begin] = self.settled[begin].plus(count)
            self.kinds[kind] = self.kinds[kind].plus(count)

    def figures(self, start: date | None, end: date | None) -> Figures:
        owed = [self._sum(age) for age in self.ages]
        settled = self.kinds[Kind.SETTLED]
        return Figures(
            currency=self.currency,
            start=start,
            end=end,
            invoiced=self._of(Kind.INVOICED),
            paid=self._of(Kind.PAID),
            unpaid=self._of(Kind.UNPAID),
            collected=self._of(Kind.COLLECTED),
            refunded=self._of(Kind.REFUNDED),
            disputed=self._of(Kind.DISPUTED),
            charged_back=self._of(Kind.CHARGED_BACK),
            credited=self._of(Kind.CREDITED),
            voided=self._of(Kind.VOIDED),
            written_off=self._of(Kind.WRITTEN_OFF),
            outstanding=_added(owed, self._sum(NOTHING)),
            overdue=_added(owed[1:], self._sum(NOTHING)),
            ageing=tuple(self._aged(owed)),
            days_to_pay=_average(settled),
            settled=settled.number,
            methods=self._shares(),
            step=self.step,
            series=self._series(start, end),
        )

    def _age(self, past: timedelta) -> int:
        """The place of the bucket for what is so long past due."""
        return sum(past.days > most for most in AGES)

    def _of(self, kind: Kind) -> Total:
        return self._sum(self.kinds[kind])

    def _sum(self, count: Count) -> Total:
        return Total(self._money(count.amount), count.number)

    def _money(self, coins: int) -> Decimal:
        return Money.from_minor(coins, self.currency).rounded().amount

    def _aged(self, owed: list[Total]) -> Iterable[Age]:
        for over, to, each in zip((None, *AGES), (*AGES, None), owed, strict=True):
            yield Age(over, to, each.amount, each.number)

    def _shares(self) -> tuple[Share, ...]:
        """The largest first."""
        shares = [
            Share(method, self._money(count.amount), count.number)
            for method, count in self.methods.items()
            if count.number
        ]
        return tuple(sorted(shares, key=lambda share: (-share.amount, share.method)))

    def _series(self, start: date | None, end: date | None) -> tuple[Point, ...]:
        """Without holes, from the first day to the last that are given or hold anything."""
        held = [*self.invoiced, *self.collected, *self.settled]
        if not held and (start is None or end is None):
            return ()
        day = self.step.begin(start or min(held))
        last = self.step.begin(end or max(held))
        points = []
        while day <= last:
            invoiced, collected = self.invoiced[day], self.collected[day]
            took = _average(self.settled[day])
            points.append(Point(day, self._money(invoiced), self._money(collected), took))
            day = self.step.after(day)
        return tuple(points)


def _added(sums: Iterable[Total], nothing: Total) -> Total:
    amount, number = nothing.amount, nothing.number
    for each in sums:
        amount, number = amount + each.amount, number + each.number
    return Total(amount, number)


def _average(settled: Count) -> Decimal | None:
    """The days that a settled invoice took, to a tenth."""
    if not settled.number:
        return None
    return round_to(Decimal(settled.days) / settled.number, 1)


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
