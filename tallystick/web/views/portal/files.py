"""The documents of a client, as PDF."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from tallystick.billing import documents
from tallystick.billing.credit_notes import CreditNote
from tallystick.billing.payments import Payment
from tallystick.web.views.files import pdf, qr_code
from tallystick.web.views.portal.doors import for_client, own_invoice


@require_safe
@for_client
def invoice(request: HttpRequest, uid: UUID) -> HttpResponse:
    found = own_invoice(request, uid)
    return pdf(documents.invoice_pdf(found), f"{found.number}.pdf")


@require_safe
@for_client
def transfer_code(request: HttpRequest, uid: UUID) -> HttpResponse:
    return qr_code(own_invoice(request, uid))


@require_safe
@for_client
def receipt(request: HttpRequest, uid: UUID) -> HttpResponse:
    arrived = Payment.objects.own(request.user).filter(uid=uid, succeeded_at__isnull=False)
    payment = arrived.select_related(
        "website", "invoice__website", "invoice__client", "account__user", "account__organisation"
    ).first()
    if payment is None:
        raise Http404
    return pdf(documents.receipt_pdf(payment), f"receipt-{payment.uid.hex[:12].upper()}.pdf")


@require_safe
@for_client
def credit_note(request: HttpRequest, uid: UUID) -> HttpResponse:
    own = CreditNote.objects.own(request.user).filter(uid=uid)
    note = own.select_related("website", "invoice", "client").first()
    if note is None:
        raise Http404
    return pdf(documents.credit_note_pdf(note), f"{note.number}.pdf")
