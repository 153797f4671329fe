"""Several invoices paid at once from the wallet: shown with their sum first, then paid."""

from __future__ import annotations

import re
import uuid
from http import HTTPStatus

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from tallystick.billing import payments, wallets
from tallystick.billing.errors import BillingError
from tallystick.billing.invoices import Invoice
from tallystick.kit.money import Money, MoneyError
from tallystick.kit.signing import token as random_token
from tallystick.web.problems import AmountChanged, said
from tallystick.web.views.portal.debts import owed_by
from tallystick.web.views.portal.doors import Page, client_in, for_client, frame

_AT_MOST = 50
_KEY = re.compile(r"[A-Za-z0-9_-]{20,64}", re.ASCII)


@require_http_methods(["GET", "HEAD", "POST"])
@for_client
def several(request: HttpRequest) -> HttpResponse:
    asked = request.POST if request.method == "POST" else request.GET
    invoices = _chosen(request, asked.getlist("invoice"))
    if not invoices:
        return HttpResponseRedirect(reverse("portal"), status=HTTPStatus.SEE_OTHER)
    if len({(invoice.client_id, invoice.currency) for invoice in invoices}) > 1:
        problem = _("Choose invoices of one account and one currency.")
        messages.error(request, problem)
        return HttpResponseRedirect(reverse("portal"), status=HTTPStatus.SEE_OTHER)
    if request.method == "POST":
        return _pay(request, invoices)
    return _ask(request, invoices)


def _chosen(request: HttpRequest, named: list[str]) -> list[Invoice]:
    """What of it is still owed. Raises `Http404` for what is not theirs."""
    try:
        uids = {uuid.UUID(each) for each in named[:_AT_MOST]}
    except ValueError:
        raise Http404 from None
    own = Invoice.objects.own(client_in(request)).filter(uid__in=uids)
    if own.count() != len(uids):
        raise Http404
    owed = owed_by(client_in(request)).filter(uid__in=uids)
    return list(owed.select_related("website", "client").order_by("due_date", "id"))


def _ask(
    request: HttpRequest, invoices: list[Invoice], problem: Exception | None = None
) -> HttpResponse:
    page = frame(request, "overview", website=invoices[0].website) | _sums(invoices)
    page |= {"key": random_token(160), "problem": said(problem) if problem else ""}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return render(request, "web/portal/pay_several.html", page, status=status)


def _sums(invoices: list[Invoice]) -> Page:
    total = _total(invoices)
    balance = wallets.available(invoices[0].client, total.currency)
    return {
        "invoices": invoices,
        "total": total,
        "balance": balance,
        "left": balance - total if balance >= total else None,
    }


def _total(invoices: list[Invoice]) -> Money:
    total = invoices[0].due
    for invoice in invoices[1:]:
        total += invoice.due
    return total


def _pay(request: HttpRequest, invoices: list[Invoice]) -> HttpResponse:
    key = request.POST.get("key", "")
    key = key if _KEY.fullmatch(key) else random_token(160)
    try:
        if request.POST.get("total") != str(_total(invoices).amount):
            raise AmountChanged
        payments.pay_many(
            invoices[0].client,
            [(invoice, invoice.amount_due) for invoice in invoices],
            method="wallet",
            by=client_in(request),
            key=f"portal-{key}",
        )
    except (BillingError, MoneyError) as error:
        for invoice in invoices:
            invoice.refresh_from_db()
        return _ask(request, [each for each in invoices if each.amount_due] or invoices, error)
    done = ngettext("%(n)d invoice is paid.", "%(n)d invoices are paid.", len(invoices)) % {
        "n": len(invoices)
    }
    messages.success(request, done)
    return HttpResponseRedirect(reverse("portal"), status=HTTPStatus.SEE_OTHER)
