"""The list of invoices."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tallystick.billing.invoices import Invoice
from tallystick.kit.money import digits_of
from tallystick.kit.signing import token
from tallystick.web import keyset
from tallystick.web.views.staff import invoice_filters
from tallystick.web.views.staff.doors import Desk, for_staff
from tallystick.web.views.staff.invoice_filters import Filters

_COUNTED = 1000
"""Beyond so many the sentence says "over"; nobody reads on, and the database need not count."""
_UNSHOWN = ("seller", "buyer", "description", "reason", "payment_token")


@require_safe
@for_staff
def listed(request: HttpRequest, desk: Desk) -> HttpResponse:
    filters = Filters(desk, request.GET)
    rows = filters.rows().select_related("website", "client__user", "client__organisation")
    rows = rows.defer(*_UNSHOWN)
    page = keyset.page(rows, request.GET, filters.order_by, arms=filters.arms())
    return render(
        request,
        "web/staff/invoices.html",
        desk.page(
            "invoices",
            filters=filters,
            page=page,
            places=places([invoice.currency for invoice in page.rows]),
            counts=_counts(desk),
            several=desk.website is None and len(desk.websites) > 1,
            told=request.session.pop("bulk", None),
            key=token(160),
        ),
    )


def places(currencies: list[str]) -> int:
    """To how many decimal places the amounts of a column are aligned."""
    return max(map(digits_of, currencies), default=2)


def _counts(desk: Desk) -> dict[str, Any]:
    invoices = desk.rows(Invoice.objects)
    late = invoices.filter(invoice_filters.overdue(desk))[:_COUNTED].count()
    owed = invoices.filter(invoice_filters.owed())[:_COUNTED].count()
    return {"late": late, "open": owed, "many": _COUNTED}
