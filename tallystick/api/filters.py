"""What lists can be asked for. A parameter that is not known is refused: who misspells a filter does
not want everything."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar, cast

import django_filters as f
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from tallystick.accounts.models import Website
from tallystick.api.problems import Problem
from tallystick.billing import days
from tallystick.billing.states import InvoiceStatus, PaymentStatus
from tallystick.kit.money import DIGITS

PAGING = frozenset({"limit", "cursor", "count"})
_YEARS = (
    datetime(days.FIRST.year, 1, 1, tzinfo=UTC),
    datetime(days.LAST.year, 12, 31, tzinfo=UTC),
)
_CURRENCIES = [(code, code) for code in sorted(DIGITS)]


def _day(name: str, lookup: str, words: str) -> f.DateFilter:
    return f.DateFilter(
        field_name=name,
        lookup_expr=lookup,
        label=words,
        input_formats=["%Y-%m-%d"],
        validators=[MinValueValidator(days.FIRST), MaxValueValidator(days.LAST)],
    )


def _time(lookup: str, words: str) -> f.IsoDateTimeFilter:
    limits = [MinValueValidator(_YEARS[0]), MaxValueValidator(_YEARS[1])]
    return f.IsoDateTimeFilter(
        field_name="created_at", lookup_expr=lookup, label=words, validators=limits
    )


def _amount(lookup: str, words: str) -> f.NumberFilter:
    return f.NumberFilter(
        field_name="amount", lookup_expr=lookup, label=words, max_digits=19, decimal_places=4
    )


class Asked(f.FilterSet):  # type: ignore[misc] # not typed there
    """The base of all: `kept` are the parameters that narrow the rows by themselves."""

    elsewhere: ClassVar[frozenset[str]] = frozenset({"status", "website", "client", "ordering"})

    @classmethod
    def read(cls, request: Request) -> Asked:
        """What the request asks for. Raises `Problem` or `ValidationError`."""
        names = [*cls.base_filters, *PAGING]
        for name in request.query_params:
            if name not in names:
                words = f"There is no parameter “{name[:40]}”. There are: {', '.join(names)}."
                raise Problem("bad_query", words, name[:40])
        asked = cls(data=request.query_params, queryset=Website.objects.none())
        if not asked.form.is_valid():
            raise ValidationError(
                {name: [str(word) for word in words] for name, words in asked.form.errors.items()},
                code="bad_query",
            )
        return asked

    def value(self, name: str) -> Any:  # noqa: ANN401 - of the parameter's type
        return self.form.cleaned_data.get(name) or None

    def narrow(self, rows: Any) -> Any:  # noqa: ANN401 - a queryset of any model
        """Those of `rows` that fit the parameters which speak of their own columns."""
        for name, value in self.form.cleaned_data.items():
            if name not in self.elsewhere:
                rows = self.filters[name].filter(cast("QuerySet[Any]", rows), value)
        return rows

    def sort(self, default: str) -> tuple[str, bool]:
        """The order's name, and whether it is the other way round."""
        chosen = (self.value("ordering") or [default])[0]
        return chosen.lstrip("-"), chosen.startswith("-")


def ordering(*names: str) -> f.OrderingFilter:
    return f.OrderingFilter(fields=[(name, name) for name in names], label="By what to sort.")


class InvoicesAsked(Asked):
    elsewhere = Asked.elsewhere | {
        *("overdue", "search", "currency"),
        *("due_from", "due_to", "issued_from", "issued_to"),
    }

    status = f.MultipleChoiceFilter(choices=InvoiceStatus.choices, label="One or several.")
    client = f.UUIDFilter(label="Of this client.")
    website = f.UUIDFilter(label="Of this website.")
    currency = f.ChoiceFilter(choices=_CURRENCIES, label="ISO 4217.")
    issued_from = _day("issue_date", "gte", "Issued on this day or later.")
    issued_to = _day("issue_date", "lte", "Issued on this day or before.")
    due_from = _day("due_date", "gte", "Due on this day or later.")
    due_to = _day("due_date", "lte", "Due on this day or before.")
    created_from = _time("gte", "Made at this time or later.")
    created_to = _time("lt", "Made before this time.")
    overdue = f.BooleanFilter(label="Whether it is past its due date and not paid.")
    amount_min = _amount("gte", "Of at least this total.")
    amount_max = _amount("lte", "Of at most this total.")
    search = f.CharFilter(
        label="What reference, number, title, or the client's name or e-mail address begins with.",
        min_length=2,
        max_length=100,
    )
    ordering = ordering("created_at", "issue_date", "due_date", "amount", "number")


class PaymentsAsked(Asked):
    status = f.MultipleChoiceFilter(choices=PaymentStatus.choices, label="One or several.")
    client = f.UUIDFilter(label="Of this client.")
    website = f.UUIDFilter(label="At this website.")
    invoice = f.UUIDFilter(field_name="invoice__uid", label="Meant for this invoice.")
    created_from = _time("gte", "Made at this time or later.")
    created_to = _time("lt", "Made before this time.")
    ordering = ordering("created_at")


class CreditNotesAsked(Asked):
    client = f.UUIDFilter(label="Of this client.")
    website = f.UUIDFilter(label="Of this website.")
    invoice = f.UUIDFilter(field_name="invoice__uid", label="To this invoice.")
    created_from = _time("gte", "Made at this time or later.")
    created_to = _time("lt", "Made before this time.")
    ordering = ordering("created_at")


class WalletsAsked(Asked):
    client = f.UUIDFilter(label="Of this client.")
    website = f.UUIDFilter(label="At this website.")
    currency = f.ChoiceFilter(choices=_CURRENCIES, label="ISO 4217.")


class ClientsAsked(Asked):
    elsewhere = Asked.elsewhere | {"search"}

    website = f.UUIDFilter(label="Of this website.")
    search = f.CharFilter(
        label="What a name or an e-mail address begins with.", min_length=2, max_length=100
    )


class CatalogueAsked(Asked):
    website = f.UUIDFilter(label="Of this website.")
    is_active = f.BooleanFilter(label="Whether it is sold still.")


class EntriesAsked(Asked):
    """Nothing but the page."""


class StatsAsked(Asked):
    website = f.UUIDFilter(label="Of this website; else of all of one's own.")
    currency = f.ChoiceFilter(choices=_CURRENCIES, label="ISO 4217; else the first website's own.")
    start = _day("day", "gte", "From this day on.")
    end = _day("day", "lte", "To this day.")
    step = f.ChoiceFilter(
        choices=[("day", "day"), ("week", "week"), ("month", "month")],
        label="How fine the series is; by month, when left out.",
    )
