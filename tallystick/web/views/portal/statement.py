"""The statement of account: what was asked, what came and what was credited, as a table."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from tallystick.billing.allocations import Allocation
from tallystick.billing.credit_notes import CreditNote
from tallystick.billing.invoices import Invoice
from tallystick.kit import clock
from tallystick.kit.money import round_amount
from tallystick.web.views.portal.doors import client_in, for_client

M = TypeVar("M", bound=Model)

_AT_MOST = 5000
_TWO_YEARS = timedelta(days=731)
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


class Movement(NamedTuple):
    """Sorted by currency and day, and within a day as it happened."""

    currency: str
    day: date
    at: datetime
    what: str
    number: str
    amount: Decimal


@require_safe
@for_client
def table(request: HttpRequest) -> HttpResponse:
    """The last two years, each currency by itself, with what was open after each line."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="statement.csv"'
    response.write("\N{BYTE ORDER MARK}")  # or a spreadsheet takes it for another alphabet
    out = csv.writer(response)
    out.writerow(
        [_("Date"), _("What"), _("Number"), _("Amount"), _("Currency"), _("Open after it")]
    )
    open_after: dict[str, Decimal] = {}
    for each in sorted(_movements(request), key=lambda movement: movement[:3]):
        currency = each.currency
        open_after[currency] = open_after.get(currency, Decimal(0)) + each.amount
        amount, rest = (
            round_amount(sum_, currency) for sum_ in (each.amount, open_after[currency])
        )
        out.writerow([each.day, each.what, _plain(each.number), amount, currency, rest])
    return response


def _movements(request: HttpRequest) -> Iterator[Movement]:
    user = client_in(request)
    invoices = Invoice.objects.own(user).filter(issued_at__gte=clock.now() - _TWO_YEARS)
    yield from _invoiced(invoices)
    given = Allocation.objects.filter(invoice__in=invoices)
    for each in _newest(given.select_related("invoice__website", "payment")):
        invoice, at = each.invoice, each.created_at
        paid = each.amount > 0
        day = (each.payment.received_on if paid else None) or _day(at, invoice)
        what = _("Payment") if paid else _("Taken back")
        yield Movement(invoice.currency, day, at, what, invoice.number, -each.amount)
    for note in _newest(CreditNote.objects.own(user).filter(invoice__in=invoices)):
        if note.issue_date and note.issued_at:
            said = _("Credit note"), note.number, -note.amount
            yield Movement(note.currency, note.issue_date, note.issued_at, *said)


def _invoiced(invoices: QuerySet[Invoice]) -> Iterator[Movement]:
    for invoice in _newest(invoices.select_related("website")):
        currency, number = invoice.currency, invoice.number
        if invoice.issue_date and invoice.issued_at:
            said = _("Invoice"), number, invoice.amount
            yield Movement(currency, invoice.issue_date, invoice.issued_at, *said)
        if at := invoice.voided_at:
            yield Movement(currency, _day(at, invoice), at, _("Void"), number, -invoice.amount)


def _newest(rows: QuerySet[M]) -> list[M]:
    """As many as the table takes, the oldest of them first."""
    return list(rows.order_by("-id")[:_AT_MOST])[::-1]


def _day(at: datetime, invoice: Invoice) -> date:
    """The date where the website is."""
    return at.astimezone(invoice.website.zone).date()


def _plain(text: str) -> str:
    """A number that a spreadsheet does not take for a formula."""
    return f"'{text}" if text.startswith(_FORMULAS) else text
