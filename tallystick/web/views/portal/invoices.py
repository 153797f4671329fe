"""A client's invoices: the list, and each with what happened to it."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from tallystick.billing.invoices import Invoice
from tallystick.billing.states import InvoiceStatus
from tallystick.kit.signing import token as random_token
from tallystick.web import asking, keyset, taking
from tallystick.web.views.portal.debts import OWED, debts_of, sentence
from tallystick.web.views.portal.doors import client_in, for_client, frame, own_invoice
from tallystick.web.views.portal.timeline import timeline

_STATES = {"open": OWED, "paid": (InvoiceStatus.PAID,), "all": ()}


@require_safe
@for_client
def listed(request: HttpRequest) -> HttpResponse:
    user = client_in(request)
    asked = request.GET.get("state", "")
    state = asked if asked in _STATES else "all"
    rows: QuerySet[Invoice] = Invoice.objects.own(user).select_related("website")
    if _STATES[state]:
        rows = rows.filter(status__in=_STATES[state])
    page = frame(request, "invoices", state=state, page=keyset.page(rows, request.GET))
    page["lead"] = sentence(debts_of(user), page["locale"])
    page["states"] = [("all", _("All")), ("open", _("Open")), ("paid", _("Paid"))]
    return render(request, "web/portal/invoices.html", page)


@require_http_methods(["GET", "HEAD", "POST"])
@for_client
def shown(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The state of the invoice's link does not matter here: they are signed in."""
    invoice = own_invoice(request, uid)
    if request.method == "POST":
        return taking.take(request, invoice, _page)
    return _page(request, invoice, None)


def _page(request: HttpRequest, invoice: Invoice, problem: Exception | None) -> HttpResponse:
    links = asking.PortalLinks(invoice)
    page = frame(request, "invoices", website=invoice.website) | asking.whole(
        request, invoice, links, key=random_token(160), problem=problem
    )
    page["moments"] = timeline(invoice)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return render(request, "web/portal/invoice.html", page, status=status)
