"""A client's payments, each with its receipt."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tallystick.billing import documents
from tallystick.billing.payments import Payment
from tallystick.web import keyset
from tallystick.web.views.portal.doors import client_in, for_client, frame


@require_safe
@for_client
def listed(request: HttpRequest) -> HttpResponse:
    rows = Payment.objects.own(client_in(request)).prefetch_related("allocations__invoice")
    page = keyset.page(rows, request.GET)
    shown = [
        {
            "payment": payment,
            "method": documents.method_label(payment),
            "day": payment.received_on or payment.created_at.date(),
            "invoices": list(
                {given.invoice_id: given.invoice for given in payment.allocations.all()}.values()
            ),
        }
        for payment in page.rows
    ]
    page_of = frame(request, "payments", page=page, rows=shown)
    return render(request, "web/portal/payments.html", page_of)
