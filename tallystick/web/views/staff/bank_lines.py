"""One line of a statement: what it may be, and what somebody makes of it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from tallystick.accounts.models import Account
from tallystick.billing.banking.matching import match
from tallystick.billing.banking.transactions import BankTransaction, NothingChosen
from tallystick.billing.errors import BillingError
from tallystick.billing.invoices import Invoice
from tallystick.events.models import Event
from tallystick.kit.money import Money, MoneyError
from tallystick.kit.spelling import read_amount
from tallystick.web.views.staff import bank_offers, timeline
from tallystick.web.views.staff.doors import Desk, for_staff
from tallystick.web.views.staff.refusals import said
from tallystick.web.views.staff.searching import clients_matching, matching

_FOUND = 10
_MOST_CHOSEN = 50
_BESIDE = ("website", "statement", "payment__invoice", "refund__payment", "double_of")
Do = Callable[[HttpRequest, Desk, BankTransaction], str]


@require_safe
@for_staff
def shown(request: HttpRequest, desk: Desk, uid: UUID) -> HttpResponse:
    line = find(desk, uid)
    (row,) = bank_offers.rows(desk, [line])
    text = request.GET.get("invoice", "").strip()[:100]
    client = request.GET.get("client", "").strip()[:100]
    events = Event.objects.of_subject(line)[: timeline.AT_MOST]
    return render(
        request,
        "web/staff/bank/line.html",
        desk.page(
            "bank",
            line=line,
            row=row,
            q=text,
            client_q=client,
            found=_invoices(desk, line, text) if line.is_open and line.is_credit else [],
            clients=_clients(desk, line, client) if client else [],
            zone=line.website.time_zone,
            timeline=timeline.told(events, line.currency, desk.locale),
        ),
    )


@require_POST
@for_staff
def act(request: HttpRequest, desk: Desk, uid: UUID, name: str) -> HttpResponse:
    """Do it, say so, and go back to where it was asked from."""
    line, do = find(desk, uid), _ACTS.get(name)
    if do is None:
        raise Http404
    try:
        messages.success(request, do(request, desk, line))
    except (BillingError, MoneyError) as problem:
        messages.error(request, _("Nothing was done. %(why)s") % {"why": said(problem)})
        return HttpResponseRedirect(reverse("staff-bank-line", args=[uid]), status=303)
    return HttpResponseRedirect(_back(request, uid), status=303)


def find(desk: Desk, uid: UUID) -> BankTransaction:
    line = desk.rows(BankTransaction.objects).select_related(*_BESIDE).filter(uid=uid).first()
    if line is None:
        raise Http404(_("There is no such line."))
    return line


def _accept(request: HttpRequest, desk: Desk, line: BankTransaction) -> str:
    proposal = line.proposals.filter(uid=_uid(request.POST.get("proposal"))).first()
    if proposal is None and not line.is_booked:
        raise NothingChosen(_("That is no longer proposed. Look at the line again."))
    if proposal is not None and not line.is_booked:
        line.accept(proposal, by=desk.user)
    return _outcome(desk, line)


def _book(request: HttpRequest, desk: Desk, line: BankTransaction) -> str:
    """On the invoices that were ticked, each with what was typed beside it."""
    chosen = [_uid(uid) for uid in request.POST.getlist("invoice")[:_MOST_CHOSEN]]
    found = Invoice.objects.of(line.website).filter(uid__in=chosen, currency=line.currency)
    shares: list[tuple[Invoice, Decimal]] = []
    for invoice in found.select_related("client", "website").order_by("due_date", "pk"):
        typed = request.POST.get(f"amount-{invoice.uid}", "").strip()
        figures = read_amount(typed, desk.locale) if typed else invoice.due.amount
        money = Money.parse(figures, line.currency)
        shares.append((invoice, money.amount))
    if not shares:
        raise NothingChosen(_("Tick the invoices that this money pays."))
    line.book(shares, by=desk.user)
    return _outcome(desk, line)


def _wallet(request: HttpRequest, desk: Desk, line: BankTransaction) -> str:
    account = Account.objects.of(line.website).filter(uid=_uid(request.POST.get("account"))).first()
    if account is None:
        raise NothingChosen(_("Choose a client."))
    line.to_wallet(account, by=desk.user)
    return _outcome(desk, line)


def _ignore(request: HttpRequest, desk: Desk, line: BankTransaction) -> str:
    line.ignore(by=desk.user, note=request.POST.get("note", ""))
    return _("Set aside. It can be put back.")


def _put_back(request: HttpRequest, desk: Desk, line: BankTransaction) -> str:
    del request
    line.put_back(by=desk.user)
    return _("It is to be decided again.")


def _again(request: HttpRequest, desk: Desk, line: BankTransaction) -> str:
    del request
    match(line)
    return _outcome(desk, line) if line.is_booked else _("Looked again.")


_ACTS: dict[str, Do] = {
    "accept": _accept,
    "book": _book,
    "wallet": _wallet,
    "ignore": _ignore,
    "back": _put_back,
    "again": _again,
}


def _outcome(desk: Desk, line: BankTransaction) -> str:
    if line.refund_id:
        return _("Booked as a refund of %(money)s.") % {"money": desk.spelled(-line.money)}
    if line.payment:
        booked = _("Booked: %(money)s.") % {"money": desk.spelled(line.money)}
        rest = line.payment.surplus
        wallet = _("Of it %(money)s went to the client's wallet.") % {"money": desk.spelled(rest)}
        return f"{booked} {wallet}" if rest else booked
    return _("Set aside. It can be put back.")


def _invoices(desk: Desk, line: BankTransaction, text: str) -> list[dict[str, Any]]:
    """What may be chosen by hand: what is searched for, else what is due to the cent."""
    owed = Invoice.objects.of(line.website).payable().filter(currency=line.currency)
    found = owed.filter(matching(text, desk)) if text else owed.filter(amount=line.amount)
    rows = found.select_related("website", "client__user", "client__organisation")
    return [
        {"invoice": invoice, "share": min(invoice.amount_due, line.amount)}
        for invoice in rows.order_by("due_date", "pk")[:_FOUND]
    ]


def _clients(desk: Desk, line: BankTransaction, text: str) -> list[Account]:
    found = clients_matching(text, desk).filter(website=line.website)
    return list(found.select_related("user", "organisation").order_by("pk")[:_FOUND])


def _back(request: HttpRequest, uid: UUID) -> str:
    back = request.POST.get("back", "")
    own = {request.get_host()}
    if back and url_has_allowed_host_and_scheme(back, own, require_https=request.is_secure()):
        return back
    return reverse("staff-bank-line", args=[uid])


def _uid(text: str | None) -> UUID:
    """What is no id is nobody's."""
    try:
        return UUID(text or "")
    except ValueError:
        return UUID(int=0)
