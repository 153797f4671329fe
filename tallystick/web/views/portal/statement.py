"""The statement of account: what was asked, what came and what was credited, as a table."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Iterator
from decimal import Decimal

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from tallystick.billing.allocations import Allocation
from tallystick.billing.credit_notes import CreditNote
from tallystick.billing.invoices import Invoice
from tallystick.kit import clock
from tallystick.kit.money import Money
from tallystick.web.views.portal.doors import client_in, for_client

_AT_MOST = 5000
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")

Movement = tuple[datetime.date, str, str, Decimal, str]


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
    for day, what, number, amount, currency in sorted(
        _movements(request), key=lambda each: (each[4], each[0])
    ):
        open_after[currency] = open_after.get(currency, Decimal(0)) + amount
        figures = [
            Money(each, currency).rounded().amount for each in (amount, open_after[currency])
        ]
        out.writerow([day, what, _plain(number), figures[0], currency, figures[1]])
    return response


def _movements(request: HttpRequest) -> Iterator[Movement]:
    user = client_in(request)
    since = clock.now() - datetime.timedelta(days=731)
    invoices = Invoice.objects.own(user).filter(issued_at__gte=since)
    for invoice in invoices.order_by("-id")[:_AT_MOST]:
        if invoice.issue_date:
            yield invoice.issue_date, _("Invoice"), invoice.number, invoice.amount, invoice.currency
        if invoice.voided_at:
            gone = invoice.voided_at.date()
            yield gone, _("Void"), invoice.number, -invoice.amount, invoice.currency
    given = Allocation.objects.filter(invoice__in=invoices).select_related("invoice", "payment")
    for each in given.order_by("-id")[:_AT_MOST]:
        came = each.payment.received_on if each.amount > 0 else None
        what = _("Payment") if each.amount > 0 else _("Taken back")
        on = came or each.created_at.date()
        yield on, what, each.invoice.number, -each.amount, each.invoice.currency
    notes = CreditNote.objects.own(user).filter(invoice__in=invoices)
    for note in notes.order_by("-id")[:_AT_MOST]:
        if note.issue_date:
            yield note.issue_date, _("Credit note"), note.number, -note.amount, note.currency


def _plain(text: str) -> str:
    """A number that a spreadsheet does not take for a formula."""
    return f"'{text}" if text.startswith(_FORMULAS) else text
