"""One invoice: its state first, what can be done with it, what happened."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from tallystick.billing import allocations, documents, paylinks
from tallystick.billing.invoices import Invoice
from tallystick.billing.payments import Payment
from tallystick.billing.rates import rates
from tallystick.billing.refunds import Refund
from tallystick.kit.signing import token
from tallystick.web.views.staff import acts, timeline
from tallystick.web.views.staff.doors import Desk, for_staff
from tallystick.web.views.staff.invoice_acts import ACTS
from tallystick.web.views.staff.pdfs import pdf

_FIRST = ("issue", "paid", "send", "credit")
"""The acts that are buttons, where they are offered; the others are in the menu."""


@require_safe
@for_staff
def shown(request: HttpRequest, desk: Desk, uid: UUID) -> HttpResponse:
    invoice = find(desk, uid)
    lines = list(invoice.lines.all())
    shares = allocations.by_payment(invoice)
    payments = _payments(invoice, [payment.pk for payment, _share in shares])
    notes = list(invoice.credit_notes.order_by("id"))
    offered = acts.offered(ACTS, invoice)
    happened = timeline.of(
        invoice, [payment.pk for payment in payments], [note.pk for note in notes], desk.locale
    )
    return render(
        request,
        "web/staff/invoice.html",
        desk.page(
            "invoices",
            invoice=invoice,
            lines=lines,
            rates=rates(invoice, lines, desk.locale),
            payments=[(payment, documents.method_label(payment)) for payment in payments],
            shares={payment.pk: share for payment, share in shares},
            notes=notes,
            buttons=[act for act in offered if act.name in _FIRST],
            menu=[act for act in offered if act.name not in _FIRST],
            timeline=happened,
            counterparts=timeline.counterparts(invoice),
            link=paylinks.state(invoice),
            today=invoice.website.today(),
            copy_key=token(160),
        ),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def act(request: HttpRequest, desk: Desk, uid: UUID, name: str) -> HttpResponse:
    invoice = find(desk, uid)
    chosen = next((act for act in ACTS if act.name == name), None)
    gone = request.method == "POST" and name == "delete" and invoice.is_draft
    back = reverse("staff-invoices") if gone else reverse("staff-invoice", args=[uid])
    return acts.perform(request, desk, section="invoices", act=chosen, row=invoice, back=back)


@require_safe
@for_staff
def document(request: HttpRequest, desk: Desk, uid: UUID) -> HttpResponse:
    del request
    invoice = find(desk, uid)
    return pdf(documents.invoice_pdf(invoice), invoice.number or invoice.reference_id)


def find(desk: Desk, uid: UUID) -> Invoice:
    """Raises `Http404` for an invoice of somebody else's website."""
    related = ("website", "client__user", "client__organisation", "client__website", "issued_by")
    found = desk.rows(Invoice.objects).select_related(*related).filter(uid=uid).first()
    if found is None:
        raise Http404
    return found


def _payments(invoice: Invoice, used: list[int]) -> list[Payment]:
    """Those that were meant for it, and those that paid it; with their refunds."""
    ours = Payment.objects.of(invoice.website_id)
    ids = {*invoice.payments.values_list("pk", flat=True), *used}
    refunds = Prefetch("refunds", Refund.objects.of(invoice.website_id).order_by("id"))
    return list(ours.filter(pk__in=ids).prefetch_related(refunds).order_by("-id"))
