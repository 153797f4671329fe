"""Credit notes: the list, and one of them."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tallystick.accounts.models import Account
from tallystick.accounts.searching import clients
from tallystick.billing import documents
from tallystick.billing.credit_notes import CreditNote
from tallystick.billing.invoices import Invoice
from tallystick.web import keyset
from tallystick.web.views.staff import searching
from tallystick.web.views.staff.doors import Desk, for_staff
from tallystick.web.views.staff.invoices import places
from tallystick.web.views.staff.pdfs import pdf

_MOST = 500


@require_safe
@for_staff
def listed(request: HttpRequest, desk: Desk) -> HttpResponse:
    rows = desk.rows(CreditNote.objects)
    if text := request.GET.get("q", "").strip()[:100]:
        bills = desk.rows(Invoice.objects).filter(searching.matching(text, desk))
        named = Q(number=text.upper()) | Q(client__in=clients(desk.rows(Account.objects), text))
        rows = rows.filter(named | Q(invoice__in=list(bills.values_list("pk", flat=True)[:_MOST])))
    related = ("website", "client__user", "client__organisation", "invoice")
    page = keyset.page(rows.select_related(*related), request.GET, arms=desk.arms())
    shown = places([note.currency for note in page.rows])
    context = desk.page("credit-notes", page=page, places=shown, q=text)
    return render(request, "web/staff/credit_notes.html", context)


@require_safe
@for_staff
def shown(request: HttpRequest, desk: Desk, uid: UUID) -> HttpResponse:
    note = find(desk, uid)
    page = desk.page("credit-notes", note=note, lines=list(note.lines.all()))
    return render(request, "web/staff/credit_note.html", page)


@require_safe
@for_staff
def document(request: HttpRequest, desk: Desk, uid: UUID) -> HttpResponse:
    del request
    note = find(desk, uid)
    return pdf(documents.credit_note_pdf(note), note.number)


def find(desk: Desk, uid: UUID) -> CreditNote:
    """Raises `Http404` for a credit note of somebody else's website."""
    related = (
        *("website", "client__user", "client__organisation", "client__website"),
        *("invoice", "issued_by"),
    )
    found = desk.rows(CreditNote.objects).select_related(*related).filter(uid=uid).first()
    if found is None:
        raise Http404
    return found
