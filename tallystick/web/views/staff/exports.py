"""Lists as CSV: sent as they are read, so that a million rows take no more memory than fifty."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_GET

from tallystick.billing.invoices import Invoice
from tallystick.kit.money import round_amount
from tallystick.kit.spreadsheets import cell
from tallystick.web.views.staff.doors import Desk, for_staff
from tallystick.web.views.staff.invoice_filters import Filters

_CHUNK = 1000
_COLUMNS = [
    *("number", "reference_id", "website", "client", "client_email", "title", "client_reference"),
    *("status", "issue_date", "due_date", "paid_at", "currency", "subtotal", "tax", "total"),
    *("paid", "credited", "due"),
]


@require_GET
@for_staff
def invoices(request: HttpRequest, desk: Desk) -> StreamingHttpResponse:
    """What the list is narrowed to, whole."""
    filters = Filters(desk, request.GET)
    rows = filters.rows().select_related("website", "client__user", "client__organisation")
    rows = rows.defer("seller", "buyer", "description", "reason", "payment_token")
    ordered = rows.order_by(*filters.order_by.names(back=False))
    lines = (_invoice(invoice) for invoice in ordered.iterator(chunk_size=_CHUNK))
    return as_csv("invoices.csv", _COLUMNS, lines)


def as_csv(name: str, head: list[str], rows: Iterable[list[Any]]) -> StreamingHttpResponse:
    """`rows` as a file of UTF-8 that spreadsheets recognise as such."""
    writer = csv.writer(_Echo())

    def written() -> Iterator[str]:
        yield "\N{ZERO WIDTH NO-BREAK SPACE}" + writer.writerow(head)
        for row in rows:
            yield writer.writerow([cell(value) for value in row])

    response = StreamingHttpResponse(written(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _invoice(invoice: Invoice) -> list[Any]:
    amounts = (
        *(invoice.subtotal, invoice.tax, invoice.amount),
        *(invoice.amount_paid, invoice.amount_credited, invoice.amount_due),
    )
    return [
        *(invoice.number, invoice.reference_id, invoice.website.name),
        *(invoice.client.name, invoice.client.email, invoice.title, invoice.reference),
        *(invoice.status, invoice.issue_date, invoice.due_date, invoice.paid_at, invoice.currency),
        *(round_amount(amount, invoice.currency) for amount in amounts),
    ]
