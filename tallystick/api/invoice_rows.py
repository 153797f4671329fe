"""The list of invoices: which, in which order."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import F, Q, TextField
from django.db.models.lookups import GreaterThanOrEqual, LessThan, LessThanOrEqual
from rest_framework.request import Request

from tallystick.accounts.models import Account
from tallystick.accounts.tenancy import TenantQuerySet
from tallystick.api import listing, paging, searching, shapes
from tallystick.api.callers import Caller
from tallystick.api.filters import InvoicesAsked
from tallystick.api.listing import Place
from tallystick.api.paging import Order, Question
from tallystick.billing.invoices import Invoice
from tallystick.billing.states import PAYABLE, InvoiceStatus
from tallystick.kit.db.keysets import OrLast, folded

_ORDERS = {
    "created_at": paging.BY_AGE,
    "due_date": paging.by_day(OrLast(F("due_date"))),
    "issue_date": paging.by_day(OrLast(F("issue_date"))),
    "amount": paging.by_amount("amount"),
    "number": Order(folded("number"), TextField()),
}
_STATUSES = tuple(InvoiceStatus)


def page(request: Request, caller: Caller) -> dict[str, Any]:
    """The page of invoices that is asked for."""
    asked = InvoicesAsked.read(request)
    name, descending = asked.sort(_usual_order(asked))
    where = listing.places(caller, asked)
    rows = _narrowed(asked, listing.rows(caller, Invoice.objects, where), where)
    if term := asked.value("search"):
        accounts = caller.rows(Account.objects)
        arms = _arms(asked, where, "number")
        rows = rows.filter(pk__in=searching.invoices(rows, arms, accounts, term))
    question = Question(
        rows,
        _arms(asked, where, name),
        _ORDERS[name],
        descending=descending,
        names=shapes.INVOICE,
        binding=caller.name,
    )
    found = paging.page(request, question)
    clients = shapes.clients(found.rows)
    return found.body([shapes.invoice(row, clients[row["client_id"]]) for row in found.rows])


def _narrowed(
    asked: InvoicesAsked, rows: TenantQuerySet[Invoice], where: list[Place]
) -> TenantQuerySet[Invoice]:
    rows = asked.narrow(rows)
    if currency := asked.value("currency"):
        rows = rows.filter(currency=currency)
    for word, name in (("due", "due_date"), ("issued", "issue_date")):
        day = OrLast(F(name))
        if first := asked.value(f"{word}_from"):
            rows = rows.filter(GreaterThanOrEqual(day, first), **{f"{name}__isnull": False})
        if last := asked.value(f"{word}_to"):
            rows = rows.filter(LessThanOrEqual(day, last))
    return rows


def _usual_order(asked: InvoicesAsked) -> str:
    """By what is asked for a range of, whose index then gives rows and order at once; else by age."""
    for name, words in _RANGES.items():
        if any(asked.value(word) is not None for word in words):
            return f"-{name}"
    return "-created_at"


_RANGES = {
    "due_date": ("overdue", "due_from", "due_to"),
    "issue_date": ("issued_from", "issued_to"),
    "amount": ("amount_min", "amount_max"),
}


def _arms(asked: InvoicesAsked, where: list[Place], order: str) -> list[Q]:
    """One per place and, where an index has the status before what is asked, per status."""
    overdue = asked.form.cleaned_data.get("overdue")
    statuses = tuple(asked.value("status") or _STATUSES)
    if overdue:
        statuses = tuple(status for status in statuses if status in PAYABLE)
    by_status = order != "created_at" or overdue is not None or len(statuses) < len(_STATUSES)
    if not statuses:
        return [Q(pk__in=())]
    if not by_status:
        return [place.condition("client") for place in where]
    return [
        place.condition("client") & Q(status=status) & _lateness(overdue, status, place.today)
        for place in where
        for status in statuses
    ]


def _lateness(overdue: bool | None, status: str, today: date) -> Q:
    if overdue is None or (not overdue and status not in PAYABLE):
        return Q()
    due = OrLast(F("due_date"))
    return Q(LessThan(due, today) if overdue else GreaterThanOrEqual(due, today))
