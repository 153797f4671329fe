"""The pay page: what is asked and the ways to pay it; once paid, the receipt."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from tallystick.billing import link_log, paylinks
from tallystick.billing.invoices import Invoice
from tallystick.billing.link_log import LinkEventKind
from tallystick.billing.paylinks import LinkState
from tallystick.events.actors import Actor, acting, current_actor
from tallystick.kit.signing import token as random_token
from tallystick.web import asking, taking
from tallystick.web.afterwards import afterwards
from tallystick.web.closed import CLOSED
from tallystick.web.doors import by_token


@require_http_methods(["GET", "HEAD", "POST"])
@by_token
def pay(request: HttpRequest, invoice: Invoice) -> HttpResponse:
    state = paylinks.state(invoice)
    if state == LinkState.USABLE and request.method == "POST":
        token = invoice.payment_token
        return taking.take(request, invoice, _ask, link_log.attempt, link=token)
    if state == LinkState.USABLE:
        _note(request, lambda actor: link_log.note(invoice, LinkEventKind.VIEWED, actor=actor))
        return _ask(request, invoice)
    if request.method == "POST":
        return taking.see_other(request.path)
    _note(request, lambda actor: _note_closed(invoice, state, actor))
    return _shut(request, invoice, state)


def _shut(request: HttpRequest, invoice: Invoice, state: LinkState) -> HttpResponse:
    """The receipt, or why there is nothing to pay."""
    if state == LinkState.PAID:
        page = asking.receipt(invoice, asking.TokenLinks(invoice))
        return render(request, "web/pay/paid.html", page)
    closed = CLOSED[state]
    page = asking.frame(invoice) | {"closed": closed}
    return render(request, "web/pay/closed.html", page, status=closed.status)


def _note(request: HttpRequest, write: Callable[[Actor], None]) -> None:
    """That somebody looked is written down once they have what they look at."""
    actor = current_actor()
    afterwards(request, lambda: write(actor))


def _note_closed(invoice: Invoice, state: LinkState, actor: Actor) -> None:
    with acting(actor):
        link_log.note_closed(invoice, state)


def _ask(request: HttpRequest, invoice: Invoice, problem: Exception | None = None) -> HttpResponse:
    links = asking.TokenLinks(invoice)
    page = asking.page(request, invoice, links, key=random_token(160), problem=problem)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return render(request, "web/pay/page.html", page, status=status)
