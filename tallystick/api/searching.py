"""Finding by the beginning of a word, each way by an index; of each, the newest thousand at most."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_

from django.db import connection, models
from django.db.models import Q, QuerySet

from tallystick.accounts.models import Account
from tallystick.accounts.searching import clients, starts
from tallystick.accounts.tenancy import TenantQuerySet
from tallystick.api.paging import Order, Question
from tallystick.billing.invoices import Invoice
from tallystick.kit.db.keysets import folded

MOST = 1000


def invoices(
    rows: TenantQuerySet[Invoice],
    arms: Sequence[Q],
    accounts: TenantQuerySet[Account],
    term: str,
) -> set[int]:
    """The ids of invoices that `term` finds, within the `arms` of who asks."""
    found = set(_by_reference(rows.filter(reduce(or_, arms)) if arms else rows, term.upper()))
    for name in ("number", "title"):
        order = Order(folded(name), models.TextField())
        found |= set(Question(rows.filter(starts(name, term)), arms, order).first_ids(MOST))
    if ids := clients(accounts, term):
        found |= set(Question(rows, [Q(client=pk) for pk in ids]).first_ids(MOST))
    return found


def _by_reference(rows: TenantQuerySet[Invoice], term: str) -> QuerySet[Invoice, int]:
    if not (term.isascii() and term.isalnum()):
        return rows.none().values_list("pk", flat=True)
    if connection.vendor == "postgresql":  # has an index for LIKE beside the unique one
        rows = rows.filter(reference_id__startswith=term)
    else:
        rows = rows.filter(reference_id__gte=term, reference_id__lt=f"{term}\x7f")
    return rows.values_list("pk", flat=True)[:MOST]
