"""The documents that a payment link opens, as PDF; a transfer's QR code, and logos."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import get_valid_filename
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from tallystick.accounts.models import Website
from tallystick.billing import documents, link_log, paylinks
from tallystick.billing.banking import epc
from tallystick.billing.invoices import Invoice
from tallystick.billing.link_log import LinkEventKind
from tallystick.billing.paylinks import LinkState
from tallystick.billing.payments import Payment
from tallystick.kit import pictures
from tallystick.web import asking
from tallystick.web.closed import CLOSED
from tallystick.web.doors import by_token

_SHOWN = frozenset({LinkState.USABLE, LinkState.PAID, LinkState.USED, LinkState.VOID})


@require_safe
@by_token
def invoice(request: HttpRequest, invoice: Invoice) -> HttpResponse:
    if refusal := _refusal(request, invoice):
        return refusal
    link_log.note(invoice, LinkEventKind.PDF)
    return pdf(documents.invoice_pdf(invoice), f"{invoice.number or invoice.reference_id}.pdf")


@require_safe
@by_token
def receipt(request: HttpRequest, invoice: Invoice, uid: UUID) -> HttpResponse:
    if refusal := _refusal(request, invoice):
        return refusal
    found = Payment.objects.of(invoice.website_id).filter(
        uid=uid, succeeded_at__isnull=False, allocations__invoice=invoice
    )
    payment = found.select_related("website", "invoice__website", "invoice__client").first()
    if payment is None or not asking.TokenLinks(invoice).receipt_pdf(payment):
        raise Http404
    link_log.note(invoice, LinkEventKind.RECEIPT)
    return pdf(documents.receipt_pdf(payment), f"receipt-{invoice.number}.pdf")


@require_safe
@by_token
def credit_note(request: HttpRequest, invoice: Invoice, uid: UUID) -> HttpResponse:
    if refusal := _refusal(request, invoice):
        return refusal
    note = invoice.credit_notes.filter(uid=uid).select_related("website", "client").first()
    if note is None:
        raise Http404
    return pdf(documents.credit_note_pdf(note), f"{note.number}.pdf")


@require_safe
@by_token
def transfer_code(request: HttpRequest, invoice: Invoice) -> HttpResponse:
    if refusal := _refusal(request, invoice):
        return refusal
    return qr_code(invoice)


def qr_code(invoice: Invoice) -> HttpResponse:
    """The transfer of what is due, for a banking app to read."""
    payload = epc.epc_payload(invoice)
    if not payload:
        raise Http404
    return HttpResponse(epc.qr_svg(payload), content_type="image/svg+xml")


@require_safe
@cache_control(public=True, max_age=86_400)
def logo(request: HttpRequest, uid: UUID) -> HttpResponse:
    """A website's logo: everybody may see it who gets its letters."""
    website = Website.objects.filter(uid=uid).first()
    if website is None or not website.logo.name:
        raise Http404
    if not website.logo.storage.exists(website.logo.name):
        raise Http404
    with website.logo.open() as file:
        picture: bytes = file.read(pictures.LARGEST + 1)
    kind = pictures.kind_of(picture)
    if not kind or len(picture) > pictures.LARGEST:
        raise Http404
    return HttpResponse(picture, content_type=f"image/{kind}")


def _refusal(request: HttpRequest, invoice: Invoice) -> HttpResponse | None:
    state = paylinks.state(invoice)
    if state in _SHOWN:
        return None
    link_log.note_closed(invoice, state)
    page = asking.frame(invoice) | {"closed": CLOSED[state]}
    return render(request, "web/pay/closed.html", page, status=HTTPStatus.GONE)


def pdf(data: bytes, name: str) -> HttpResponse:
    response = HttpResponse(data, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{get_valid_filename(name)}"'
    return response
