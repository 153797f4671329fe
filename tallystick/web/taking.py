"""Paying by a form: on the pay page and in the portal alike."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from http import HTTPStatus
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from tallystick.billing import methods, payments
from tallystick.billing.errors import BillingError
from tallystick.billing.invoices import Invoice
from tallystick.billing.payments import Payment
from tallystick.kit.money import CurrencyMismatch, Money, MoneyError
from tallystick.kit.signing import token as random_token
from tallystick.kit.spelling import read_amount
from tallystick.web import asking
from tallystick.web.doors import is_of
from tallystick.web.problems import AmountChanged

_KEY = re.compile(r"[A-Za-z0-9_-]{20,64}", re.ASCII)

Again = Callable[[HttpRequest, Invoice, Exception | None], HttpResponse]
"""Shows the form again, with why nothing was paid."""

Attempt = Callable[[Invoice, str], AbstractContextManager[object]]


def take(
    request: HttpRequest,
    invoice: Invoice,
    again: Again,
    attempt: Attempt = lambda _invoice, _method: nullcontext(),
    *,
    link: str = "",
) -> HttpResponse:
    """Pay as the form says, by the payment link with the token `link` if by one. The answer is a
    redirect, so that reloading it pays nothing."""
    method = request.POST.get("method", "")
    if method in asking.BY_BANK:
        return see_other(f"{request.path}#bank")
    if method == "wallet" and not request.user.is_authenticated:
        return redirect_to_login(request.path)
    try:
        with attempt(invoice, method):
            payment = _pay(request, invoice, method, link)
        address = methods.of(payment).start(payment, request.build_absolute_uri(request.path))
    except (BillingError, MoneyError) as error:
        if not isinstance(error, payments.AlreadyPaid):
            invoice.refresh_from_db()
            return again(request, invoice, error)
        address = ""
    return _leave(request, invoice, address) if address else see_other(request.path)


def see_other(address: str) -> HttpResponse:
    return HttpResponseRedirect(address, status=HTTPStatus.SEE_OTHER)


def _leave(request: HttpRequest, invoice: Invoice, address: str) -> HttpResponse:
    # A page of its own, not a redirect: browsers hold the policy on forms against where a form's
    # answer leads, and no other site may be in it.
    if urlsplit(address).scheme not in ("https", "http"):
        raise ValueError("A way to pay led to something that is no web address.")
    page = asking.frame(invoice) | {"address": address, "where": urlsplit(address).hostname}
    return render(request, "web/pay/leaving.html", page)


def _pay(request: HttpRequest, invoice: Invoice, method: str, link: str) -> Payment:
    # Staff may pay from a client's wallet, but not on the page that calls it "your wallet".
    if method == "wallet" and not is_of(request, invoice.client):
        raise payments.NotAllowed
    return payments.pay(
        invoice,
        _asked(request, invoice),
        method=method,
        by=request.user,
        key=_key(request, invoice),
        link=link,
    )


def _asked(request: HttpRequest, invoice: Invoice) -> Money:
    """What the form wants to pay: the whole as the page showed it, or the part that was typed."""
    if request.POST.get("currency", invoice.currency) != invoice.currency:
        raise CurrencyMismatch
    if invoice.website.allow_part_payments:
        typed = read_amount(request.POST.get("amount", ""), asking.locale_of(invoice))
        return Money.parse(typed, invoice.currency)
    if request.POST.get("due", str(invoice.due.amount)) != str(invoice.due.amount):
        raise AmountChanged
    return invoice.due


def _key(request: HttpRequest, invoice: Invoice) -> str:
    """The form's own key: a form that is sent twice pays once."""
    given = request.POST.get("key", "")
    return f"page-{invoice.uid.hex}-{given if _KEY.fullmatch(given) else random_token(160)}"
