"""Finding clients by the beginning of a word, each way by an index."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.db import connection

from tallystick.accounts.accounts import Account
from tallystick.accounts.organisations import Organisation
from tallystick.accounts.tenancy import TenantQuerySet
from tallystick.kit.db.keysets import Begins, begins

MOST_CLIENTS = 100


def starts(name: str, term: str) -> Begins:
    """Rows whose `name` begins with `term`, whatever the case of their letters."""
    return begins(name, term, vendor=connection.vendor)


def clients(rows: TenantQuerySet[Account], term: str) -> list[int]:
    """The ids of those of `rows` of whom a name or the e-mail address begins with `term`; or the
    first name with its first word, and the last name with the rest."""
    people_of = get_user_model()._default_manager.order_by()
    people = [people_of.filter(starts(name, term)) for name in ("email", "last_name", "first_name")]
    first, _space, last = term.partition(" ")
    if last := last.strip():
        people.append(people_of.filter(starts("first_name", first), starts("last_name", last)))
    found: list[int] = []
    for each in people:
        found += rows.filter(user__in=each.values("pk")).values_list("pk", flat=True)[:MOST_CLIENTS]
    for name in ("name", "email"):
        clubs = Organisation.objects.everywhere().filter(starts(name, term)).values("pk")
        found += rows.filter(organisation__in=clubs).values_list("pk", flat=True)[:MOST_CLIENTS]
    return sorted(set(found))[:MOST_CLIENTS]
