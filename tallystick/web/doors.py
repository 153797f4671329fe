"""Who gets in to the pages of a payment link: holders of the token, within the limits."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Concatenate, ParamSpec, Protocol

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers, patch_cache_control

from tallystick.accounts.limits import TooMany
from tallystick.accounts.models import Account
from tallystick.accounts.roles import can_bill
from tallystick.billing import link_doors, paylinks
from tallystick.billing.invoices import Invoice
from tallystick.events.actors import Actor, acting
from tallystick.events.requests import actor_in, address_of, agent_of
from tallystick.web.closed import REPLACED
from tallystick.web.limits import too_many

P = ParamSpec("P")
InvoiceView = Callable[Concatenate[HttpRequest, Invoice, P], HttpResponse]


class TokenView(Protocol[P]):
    """A view whose address holds a token."""

    def __call__(
        self, request: HttpRequest, token: str, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse: ...


def by_token(view: InvoiceView[P]) -> TokenView[P]:
    """Call `view` with the invoice that the token in the address opens."""

    @wraps(view)
    def guarded(
        request: HttpRequest, token: str, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse:
        address = address_of(request)
        invoice = _opened(request, token, address)
        if isinstance(invoice, HttpResponse):
            return _private(invoice)
        with acting(_actor(request, invoice, address)):
            return _private(view(request, invoice, *args, **kwargs))

    return guarded


def _opened(request: HttpRequest, token: str, address: str) -> Invoice | HttpResponse:
    """The invoice of `token`, or the page that says why it stays closed."""
    try:
        invoice = link_doors.open_door(token, address)
    except TooMany as error:
        return too_many(request, error.seconds)
    except paylinks.ReplacedLink as error:
        page = {"closed": REPLACED, "invoice": error.invoice, "website": error.invoice.website}
        return render(request, "web/pay/closed.html", page, status=REPLACED.status)
    except paylinks.UnknownLink:
        return render(request, "web/pay/unknown.html", status=HTTPStatus.NOT_FOUND)
    return _log_in_first(request, invoice) or invoice


def is_of(request: HttpRequest, account: Account) -> bool:
    """Whether who is signed in is billed by `account`, or a member of the organisation that is."""
    return link_doors.is_of(request.user, account)


def _log_in_first(request: HttpRequest, invoice: Invoice) -> HttpResponse | None:
    if not settings.PAY_PAGE_REQUIRES_LOGIN:
        return None
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if not (is_of(request, invoice.client) or can_bill(request.user, invoice.website)):
        raise PermissionDenied
    return None


def _private(response: HttpResponse) -> HttpResponse:
    """The token in the address is a secret, and so is what it shows."""
    add_never_cache_headers(response)
    patch_cache_control(response, no_store=True, private=True)
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _actor(request: HttpRequest, invoice: Invoice, address: str) -> Actor:
    if request.user.is_authenticated:
        return actor_in(request)
    return link_doors.visitor(invoice, address, agent_of(request))
