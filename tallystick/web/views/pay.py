"""The pay page: what is asked and the ways to pay it; once paid, the receipt."""

from __future__ import annotations

import re
from http import HTTPStatus

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from tallystick.billing import paylinks, payments
from tallystick.billing.errors import BillingError
from tallystick.billing.invoices import Invoice
from tallystick.billing.paylinks import LinkState
from tallystick.kit.money import CurrencyMismatch, Money, MoneyError
from tallystick.kit.signing import token as random_token
from tallystick.kit.spelling import read_amount
from tallystick.web import asking, visits
from tallystick.web.closed import CLOSED
from tallystick.web.doors import by_token, is_of
from tallystick.web.problems import AmountChanged

_KEY = re.compile(r"[A-Za-z0-9_-]{20,64}", re.ASCII)


@require_http_methods(["GET", "HEAD", "POST"])
@by_token
def pay(request: HttpRequest, invoice: Invoice) -> HttpResponse:
    state = paylinks.state(invoice)
    if state == LinkState.USABLE:
        return _take(request, invoice) if request.method == "POST" else _ask(request, invoice)
    if request.method == "POST":
        return _see_other(request.path)
    if state == LinkState.PAID:
        return render(request, "web/pay/paid.html", asking.receipt(invoice))
    closed = CLOSED[state]
    page = asking.frame(invoice) | {"closed": closed}
    return render(request, "web/pay/closed.html", page, status=closed.status)


def _ask(request: HttpRequest, invoice: Invoice, problem: Exception | None = None) -> HttpResponse:
    if problem is None:
        visits.note(invoice)
    page = asking.page(request, invoice, key=random_token(160), problem=problem)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return render(request, "web/pay/page.html", page, status=status)


def _take(request: HttpRequest, invoice: Invoice) -> HttpResponse:
    """Pay as the form says. The answer is a redirect, so that reloading it pays nothing."""
    method = request.POST.get("method", "")
    if method == "manual":
        return _see_other(f"{request.path}#bank")
    if method == "wallet" and not request.user.is_authenticated:
        return redirect_to_login(request.path)
    try:
        _pay(request, invoice, method)
    except (BillingError, MoneyError) as error:
        if not isinstance(error, payments.AlreadyPaid):
            invoice.refresh_from_db()
            return _ask(request, invoice, error)
    return _see_other(request.path)


def _pay(request: HttpRequest, invoice: Invoice, method: str) -> None:
    # Staff may pay from a client's wallet, but not on the page that calls it "your wallet".
    if method == "wallet" and not is_of(request, invoice.client):
        raise payments.NotAllowed
    payments.pay(
        invoice,
        _asked(request, invoice),
        method=method,
        by=request.user,
        key=_key(request, invoice),
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


def _see_other(address: str) -> HttpResponse:
    return HttpResponseRedirect(address, status=HTTPStatus.SEE_OTHER)
