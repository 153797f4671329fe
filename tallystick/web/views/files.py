"""The documents that a payment link opens, as PDF."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import get_valid_filename
from django.views.decorators.http import require_safe

from tallystick.billing import documents, paylinks
from tallystick.billing.invoices import Invoice
from tallystick.billing.paylinks import LinkState
from tallystick.billing.states import PaymentStatus
from tallystick.web import asking
from tallystick.web.closed import CLOSED
from tallystick.web.doors import by_token

_SHOWN = frozenset({LinkState.USABLE, LinkState.PAID, LinkState.USED, LinkState.VOID})


@require_safe
@by_token
def invoice(request: HttpRequest, invoice: Invoice) -> HttpResponse:
    if refusal := _refusal(request, invoice):
        return refusal
    return _pdf(documents.invoice_pdf(invoice), f"{invoice.number or invoice.reference_id}.pdf")


@require_safe
@by_token
def receipt(request: HttpRequest, invoice: Invoice, uid: UUID) -> HttpResponse:
    if refusal := _refusal(request, invoice):
        return refusal
    payment = (
        invoice.payments.filter(uid=uid, status=PaymentStatus.SUCCEEDED)
        .select_related("website", "invoice__website", "invoice__client")
        .first()
    )
    if payment is None:
        raise Http404
    return _pdf(documents.receipt_pdf(payment), f"receipt-{invoice.number}.pdf")


def _refusal(request: HttpRequest, invoice: Invoice) -> HttpResponse | None:
    state = paylinks.state(invoice)
    if state in _SHOWN:
        return None
    page = asking.frame(invoice) | {"closed": CLOSED[state]}
    return render(request, "web/pay/closed.html", page, status=HTTPStatus.GONE)


def _pdf(data: bytes, name: str) -> HttpResponse:
    response = HttpResponse(data, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{get_valid_filename(name)}"'
    return response
