"""Users as the relay and staff may see them: those of the websites of some connections alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import BigIntegerField, Case, Exists, OuterRef, Q, When
from django.db.models.functions import Cast

from tallystick.accounts.models import Account
from tallystick.integrations import sync
from tallystick.integrations.connections import Connection
from tallystick.integrations.invoice_ninja import routes
from tallystick.integrations.links import Link, LinkQuerySet
from tallystick.ports.records import Kind


@dataclass(frozen=True, slots=True)
class Person:
    """A user's account, with its links at those connections that are of its website, by age."""

    account: Account
    links: Sequence[Link]

    @property
    def user_id(self) -> Any:  # noqa: ANN401 - the host's model
        return self.account.user_id

    def link(self, delivery_id: str = "") -> Link | None:
        """The one that was sent as `delivery_id`, else the newest."""
        sent = [link for link in self.links if delivery_id and link.attempt_key == delivery_id]
        return next(iter([*sent, *reversed(self.links)]), None)


def people(connections: Sequence[Connection], user_ids: Iterable[Any]) -> dict[Any, Person]:
    """Those of `user_ids` that there are, by id: two queries however many they are."""
    accounts = Account.objects.of({each.website_id for each in connections})
    mine = routes.by_local_id(accounts.filter(user__in=list(user_ids)))
    by_account: dict[str, list[Link]] = {local_id: [] for local_id in mine}
    found = routes.links_of_accounts(mine).filter(connection__in=list(connections))
    known = {connection.pk: connection for connection in connections}
    for link in found.order_by("pk"):
        link.connection = known[link.connection_id]
        if link.connection.website_id == mine[link.local_id].website_id:
            by_account[link.local_id].append(link)
    return {
        account.user_id: Person(account, by_account[local_id]) for local_id, account in mine.items()
    }


def of_users(connections: Sequence[Connection]) -> LinkQuerySet:
    """All links of users: not those of organisations, nor of who has moved to another website."""
    label = Account._meta.label
    # A condition does not keep the database from reading the ids of other models as numbers first.
    number = Case(When(model=label, then=Cast("local_id", BigIntegerField())))
    owner = Q(pk=OuterRef("account_pk"), user__isnull=False)
    at_home = Q(website=OuterRef("connection__website"))
    return (
        Link.objects.filter(kind=Kind.CUSTOMER.value, model=label, connection__in=list(connections))
        .annotate(account_pk=number)
        .filter(Exists(Account._base_manager.filter(owner & at_home)))
    )


def mark(connections: Sequence[Connection], persons: Iterable[Person]) -> None:
    """Make those due who have no link yet: they are older than the connection."""
    for connection in connections:
        unmarked = [
            person.account
            for person in persons
            if not person.links and person.account.website_id == connection.website_id
        ]
        sync.mark_due(unmarked, [connection])
