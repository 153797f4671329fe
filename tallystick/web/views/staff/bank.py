"""The bank: the lines of statements, those first that need somebody."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from tallystick.billing.banking.matching import match_all
from tallystick.billing.banking.statements import BankStatement
from tallystick.billing.banking.transactions import UNDECIDED, BankTransaction, LineState
from tallystick.billing.errors import BillingError
from tallystick.web import keyset
from tallystick.web.keyset import Order
from tallystick.web.views.staff import bank_offers
from tallystick.web.views.staff.doors import Desk, for_staff
from tallystick.web.views.staff.invoices import places
from tallystick.web.views.staff.refusals import said

_COUNTED = 1000
_SHOWN = 5
_SECONDS = 3.0
"""How long a page may match lines; the next one goes on."""

Lines = QuerySet[BankTransaction]
_BY_DAY, _BY_POSITION = Order("booked_on"), Order("position", down=False)
BOOKED = (LineState.MATCHED, LineState.ACCEPTED)
_STATES = [
    ("", gettext_lazy("To decide"), UNDECIDED),
    ("booked", gettext_lazy("Booked"), BOOKED),
    ("ignored", gettext_lazy("Set aside"), (LineState.IGNORED,)),
    ("outgoing", gettext_lazy("Money out"), (LineState.OUTGOING,)),
    ("all", gettext_lazy("All"), tuple(LineState)),
]
_BESIDE = ("website", "statement", "payment__invoice", "refund")


@require_safe
@for_staff
def listed(request: HttpRequest, desk: Desk) -> HttpResponse:
    mine = desk.rows(BankTransaction.objects)
    page = _page(request, desk, mine, _BY_DAY)
    statements = desk.rows(BankStatement.objects).select_related("website")
    return render(
        request,
        "web/staff/bank/list.html",
        page
        | {
            "waiting": mine.filter(state__in=UNDECIDED)[:_COUNTED].count(),
            "statements": list(statements[:_SHOWN]),
            "several": desk.website is None and len(desk.websites) > 1,
        },
    )


@require_safe
@for_staff
def statements(request: HttpRequest, desk: Desk) -> HttpResponse:
    rows = desk.rows(BankStatement.objects).select_related("website")
    page = keyset.page(rows, request.GET)
    several = desk.website is None and len(desk.websites) > 1
    return render(
        request, "web/staff/bank/statements.html", desk.page("bank", page=page, several=several)
    )


@require_safe
@for_staff
def statement(request: HttpRequest, desk: Desk, uid: UUID) -> HttpResponse:
    row = find_statement(desk, uid)
    counts = row.counts
    waiting = sum(counts.get(state, 0) for state in UNDECIDED)
    fallback = "" if waiting else "all"
    page = _page(request, desk, row.lines.all(), _BY_POSITION, fallback)
    return render(
        request,
        "web/staff/bank/statement.html",
        page
        | {
            "statement": row,
            "parts": [_part(part) for part in row.parts],
            "waiting": waiting,
            "unseen": counts.get(LineState.NEW, 0),
            "total": sum(counts.values()),
            "booked": sum(counts.get(state, 0) for state in BOOKED),
        },
    )


@require_POST
@for_staff
def match(request: HttpRequest, desk: Desk, uid: UUID) -> HttpResponse:
    """Go on with lines that nobody has looked at, or look again at all that are undecided."""
    row = find_statement(desk, uid)
    again = "again" in request.POST
    match_all(row.website, statement=row, again=again, seconds=_SECONDS)
    return HttpResponseRedirect(reverse("staff-bank-statement", args=[uid]), status=303)


@require_POST
@for_staff
def discard(request: HttpRequest, desk: Desk, uid: UUID) -> HttpResponse:
    row = find_statement(desk, uid)
    try:
        row.discard()
    except BillingError as problem:
        messages.error(request, said(problem))
        return HttpResponseRedirect(reverse("staff-bank-statement", args=[uid]), status=303)
    count = row.lines_new
    text = ngettext(
        "The statement and its line are taken out.",
        "The statement and its %(n)d lines are taken out.",
        count,
    )
    messages.success(request, text % {"n": count})
    return HttpResponseRedirect(reverse("staff-bank"), status=303)


def find_statement(desk: Desk, uid: UUID) -> BankStatement:
    row = desk.rows(BankStatement.objects).select_related("website").filter(uid=uid).first()
    if row is None:
        raise Http404(_("There is no such statement."))
    return row


def _part(part: dict[str, Any]) -> dict[str, Any]:
    """With its amounts as such."""
    figures = ("opening", "closing", "difference")
    return part | {f"{name}_amount": Decimal(part[name] or 0) for name in figures}


def _page(
    request: HttpRequest, desk: Desk, lines: Lines, order: Order, fallback: str = ""
) -> dict[str, Any]:
    asked = request.GET.get("status", fallback)
    states = {value: states for value, _label, states in _STATES}
    status = asked if asked in states else fallback
    found = lines.select_related(*_BESIDE)
    if status != "all":
        found = found.filter(state__in=states[status])
    page = keyset.page(found, request.GET, order)
    return desk.page(
        "bank",
        page=page,
        rows=bank_offers.rows(desk, page.rows),
        places=places([line.currency for line in page.rows]),
        states=[(value, label) for value, label, _states in _STATES],
        status=status,
        here=request.get_full_path(),
    )
