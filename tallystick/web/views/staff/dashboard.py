"""The overview: how things stand, what needs doing, then the figures and charts of a period."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from babel import Locale
from babel.dates import format_skeleton
from babel.numbers import format_compact_decimal
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from tallystick.accounts.models import Website
from tallystick.billing import methods, statistics
from tallystick.billing.statistics import Age, Figures, Step
from tallystick.kit import clock, spelling
from tallystick.web.charts import Bar, LineChart, Mark, Series, bars, lines
from tallystick.web.views.staff.doors import Desk, for_staff
from tallystick.web.views.staff.needs import needs

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_YEAR = 12


@dataclass(frozen=True, slots=True)
class Period:
    """`name` stands in the address, `label` on the page."""

    name: str
    label: StrOrPromise
    days: Callable[[date], tuple[date | None, date | None]]
    step: Step = Step.MONTH


def _month(today: date) -> tuple[date, date]:
    return today.replace(day=1), today


def _quarter(today: date) -> tuple[date, date]:
    return today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1), today


def _twelve(today: date) -> tuple[date, date]:
    """This month and the eleven before."""
    months = today.year * _YEAR + today.month - _YEAR
    return date(months // _YEAR, months % _YEAR + 1, 1), today


def _last_year(today: date) -> tuple[date, date]:
    return date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)


PERIODS = (
    Period("12m", gettext_lazy("12 months"), _twelve),
    Period("month", gettext_lazy("This month"), _month, Step.DAY),
    Period("quarter", gettext_lazy("This quarter"), _quarter, Step.WEEK),
    Period("year", gettext_lazy("This year"), lambda today: (date(today.year, 1, 1), today)),
    Period("last", gettext_lazy("Last year"), _last_year),
    Period("all", gettext_lazy("All time"), lambda today: (None, None)),
)


@require_safe
@for_staff
def shown(request: HttpRequest, desk: Desk) -> HttpResponse:
    websites = [desk.website] if desk.website else desk.websites
    currencies = statistics.currencies(websites)
    currency = _currency(request.GET.get("currency", ""), currencies, websites)
    asked = request.GET.get("period", "")
    period = next((each for each in PERIODS if each.name == asked), PERIODS[0])
    start, end = period.days(_today(websites))
    figures = statistics.figures(
        websites, currency=currency, start=start, end=end, step=period.step
    )
    return render(
        request,
        "web/staff/dashboard.html",
        desk.page(
            "dashboard",
            figures=figures,
            currency=currency,
            currencies=currencies,
            several=len(currencies) > 1,
            period=period,
            periods=PERIODS,
            needs=needs(desk),
            charts=_Charts(figures, desk.locale),
        ),
    )


def _today(websites: list[Website]) -> date:
    return websites[0].today() if websites else clock.now().date()


def _currency(asked: str, used: list[str], websites: list[Website]) -> str:
    if asked in used:
        return asked
    if used:
        return used[0]
    return websites[0].currency if websites else "EUR"


class _Charts:
    """The charts of some figures, each with its finding as title."""

    def __init__(self, figures: Figures, locale: Locale) -> None:
        self.figures = figures
        self.locale = locale
        self.marks = list(self._marks())

    @property
    def flow(self) -> LineChart | None:
        """Invoiced and collected."""
        points = self.figures.series
        if not self.figures.invoiced.number and not self.figures.collected.number:
            return None
        invoiced = Series(_("Invoiced"), "grey", [point.invoiced for point in points])
        collected = Series(_("Collected"), "accent", [point.collected for point in points])
        return lines([invoiced, collected], self.marks, self._compact)

    @property
    def flow_title(self) -> str:
        invoiced, collected = self.figures.invoiced.amount, self.figures.collected.amount
        if not invoiced:
            return _("Nothing was invoiced")
        if credited := self.figures.credited.amount:
            return self._after_credits(invoiced - credited, collected)
        return self._compared(invoiced, collected)

    def _compared(self, invoiced: Decimal, collected: Decimal) -> str:
        if collected > invoiced:
            return _("More came in than was invoiced")
        if collected == invoiced:
            return _("As much came in as was invoiced")
        share = self._percent(collected, invoiced)
        return _("What came in is %(share)s of what was invoiced") % {"share": share}

    def _after_credits(self, asked: Decimal, collected: Decimal) -> str:
        if asked <= 0 and not collected:
            return _("As much was credited as was invoiced")
        if collected > asked:
            return _("More came in than was invoiced, less credits")
        if collected == asked:
            return _("As much came in as was invoiced, less credits")
        share = self._percent(collected, asked)
        return _("What came in is %(share)s of what was invoiced, less credits") % {"share": share}

    @property
    def age(self) -> list[Bar]:
        """What is outstanding, by how long it is due."""
        return bars(
            [
                (self._age_label(age), age.amount, age.number, "accent" if age.to != 0 else "grey")
                for age in self.figures.ageing
            ]
        )

    @property
    def age_title(self) -> str:
        owed, late = self.figures.outstanding.amount, self.figures.overdue.amount
        if not owed:
            return _("Nothing is outstanding")
        if not late:
            return _("Nothing of what is outstanding is overdue")
        share = self._percent(late, owed)
        return _("%(share)s of what is outstanding is overdue") % {"share": share}

    @property
    def days(self) -> LineChart | None:
        took = Series(
            _("Days to pay"), "accent", [point.days_to_pay for point in self.figures.series]
        )
        return lines([took], self.marks, partial(spelling.number, locale=self.locale))

    @property
    def days_title(self) -> str:
        days = self.figures.days_to_pay
        if days is None:
            return _("Nothing was paid in full")
        number = spelling.number(days, self.locale)
        return _("An invoice took %(days)s days to be paid") % {"days": number}

    @property
    def methods(self) -> list[Bar]:
        shares = self.figures.methods
        return bars(
            [
                (_method(share.method), share.amount, share.number, "accent" if not i else "")
                for i, share in enumerate(shares)
            ]
        )

    @property
    def methods_title(self) -> str:
        found = self.methods
        if not found:
            return _("Nothing was paid")
        share = self._percent(found[0].share, Decimal(100))
        return _("%(share)s was paid by: %(method)s") % {"share": share, "method": found[0].label}

    @property
    def rows(self) -> Iterator[tuple[str, object]]:
        """The series in words, for the tables behind the charts."""
        return zip(map(self._day, self._days()), self.figures.series, strict=True)

    def _age_label(self, age: Age) -> str:
        if age.over is None:
            return _("Not due yet")
        if age.to is None:
            return _("Over %(days)s days late") % {"days": age.over}
        return _("%(from)s to %(to)s days late") % {"from": age.over + 1, "to": age.to}

    def _percent(self, part: Decimal, whole: Decimal) -> str:
        """To a whole per cent; never all or nothing where it is not."""
        share = part * 100 / whole
        share = min(max(share, Decimal(1)), Decimal(99)) if 0 < part < whole else share
        return spelling.percent(share.quantize(Decimal(1)), self.locale)

    def _compact(self, value: Decimal) -> str:
        return str(format_compact_decimal(value, locale=self.locale, fraction_digits=1))

    def _days(self) -> list[date]:
        return [point.day for point in self.figures.series]

    def _day(self, day: date) -> str:
        if self.figures.step is Step.MONTH:
            return self._in("yMMMM", day)
        return spelling.day(day, self.locale, "medium")

    def _marks(self) -> Iterator[Mark]:
        """Months by their short names, or days."""
        skeleton = "MMM" if self.figures.step is Step.MONTH else "MMMd"
        for day in self._days():
            yield Mark(self._in(skeleton, day), str(day.year))

    def _in(self, skeleton: str, day: date) -> str:
        return str(format_skeleton(skeleton, day, locale=self.locale))


def _method(name: str) -> str:
    try:
        return str(methods.named(name).label)
    except methods.UnknownMethod:
        return name.replace("_", " ").capitalize()
