"""Finding clients and invoices by the beginning of a word, each way by an index, so that a million rows
take no longer than a hundred."""

from __future__ import annotations

from django.db.models import Q

from tallystick.accounts.models import Account
from tallystick.accounts.searching import clients, starts
from tallystick.accounts.tenancy import TenantQuerySet
from tallystick.billing.invoices import Invoice
from tallystick.kit.db.keysets import folded
from tallystick.web.views.staff.doors import Desk

_MOST = 1000
"""The first that a word finds; who means another writes more of it."""


def clients_matching(text: str, desk: Desk) -> TenantQuerySet[Account]:
    """Those of whom a name or the e-mail address begins with `text`."""
    rows = desk.rows(Account.objects)
    return rows.filter(pk__in=clients(rows, text))


def matching(text: str, desk: Desk) -> Q:
    """By number, title, reference, or who is billed."""
    rows = desk.rows(Invoice.objects)
    found: list[int] = []
    for name in ("number", "title"):
        # In the order of the text: by age, the database may walk a million rows for those few.
        named = rows.filter(starts(name, text)).order_by(folded(name), "pk")
        found += named.values_list("pk", flat=True)[:_MOST]
    word = text.upper()
    if word.isascii() and word.isalnum():
        referred = rows.filter(reference_id__gte=word, reference_id__lt=f"{word}\x7f")
        found += referred.order_by("reference_id").values_list("pk", flat=True)[:_MOST]
    return Q(pk__in=set(found)) | Q(client__in=clients(desk.rows(Account.objects), text))
