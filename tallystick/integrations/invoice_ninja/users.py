"""How users stand at Invoice Ninja: totals, rows for a report, and which are to be tried again.

A row has ids, states and times; names and addresses of people are only in what asks for details.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Count, Exists, OuterRef, Q

from tallystick.accounts.models import Account
from tallystick.integrations import sync
from tallystick.integrations.clients import client_of
from tallystick.integrations.connections import Connection
from tallystick.integrations.invoice_ninja import routes
from tallystick.integrations.invoice_ninja.asked import CannotBe, key_of
from tallystick.integrations.invoice_ninja.states import (
    LEFT_OUT,
    SyncStatus,
    is_in,
    is_left_out,
    status_of,
)
from tallystick.integrations.links import Link, LinkQuerySet
from tallystick.integrations.retrying import retry
from tallystick.ports.records import Kind
from tallystick.queue.rows import State
from tallystick.queue.statements import OPEN

PAGE = 500


@dataclass(frozen=True, slots=True)
class Standing:
    """One customer's: a user's, or an organisation's, which has no `user_id`."""

    link: Link
    user_id: Any
    username: str
    email: str

    def row(self) -> dict[str, object]:
        link = self.link
        return {
            "user_id": self.user_id,
            "account": link.local_id,
            "username": self.username,
            "email": self.email,
            "connection": link.connection.name,
            "invoice_ninja_client_id": link.remote_id or None,
            "sync_status": "left_out" if is_left_out(link) else status_of(link).value,
            "sync_attempts": link.attempts,
            "last_sync_attempt": link.attempted_at,
            "last_error": link.last_error,
        }

    @property
    def name(self) -> str:
        if self.user_id is None:
            return f"account {self.link.local_id} (an organisation's)"
        return f"user {self.user_id}"


def links(connections: Sequence[Connection], kind: Kind = Kind.CUSTOMER) -> LinkQuerySet:
    found = Link.objects.filter(kind=kind.value, connection__in=connections)
    return found.select_related("connection")


def totals(found: LinkQuerySet) -> dict[str, int]:
    """Status -> how many, in one query."""
    counts = {status.value: Count("pk", filter=is_in(status)) for status in SyncStatus}
    return found.order_by().aggregate(**counts)


def unsent(connections: Sequence[Connection]) -> int:
    """Users who belong to the connections' websites and have never been marked to be sent."""
    websites = [connection.website_id for connection in connections]
    people = Account.objects.everywhere().filter(website__in=websites, user__isnull=False)
    return people.filter(~routes.objects_with(Account, Q())).count()


def left_out(found: LinkQuerySet) -> int:
    """How many there is nothing to send of: organisations at a relay, who has left before."""
    return found.filter(LEFT_OUT).count()


def without_account() -> int:
    """Users of no website: staff, and who is billed through their organisation."""
    people = get_user_model()._base_manager.all()
    billed = Account._base_manager.filter(user=OuterRef("pk"))
    return people.filter(~Exists(billed)).count()


def standings(found: LinkQuerySet) -> Iterator[Standing]:
    """Of each link, in the order they were made: two queries a page."""
    after = 0
    while page := list(found.filter(pk__gt=after).order_by("pk")[:PAGE]):
        people = _people(page)
        for link in page:
            yield Standing(link, *people.get(link.local_id, (None, "", "")))
        after = page[-1].pk


@dataclass(frozen=True)
class Again:
    """Which are to be tried again at one connection: those that failed and may be tried. With
    `force` also those past the maximum of tries. A named user is meant whatever the state, with
    `force` even in step."""

    connection: Connection
    user_id: str | int | None = None
    force: bool = False

    def links(self) -> LinkQuerySet:
        found = links([self.connection])
        if self.user_id is not None:
            mine = found.filter(self._named())
            return mine if self.force else mine.exclude(state=State.DONE)
        failed = found.filter(Q(state=State.DEAD) | Q(state__in=OPEN) & ~Q(last_error=""))
        failed = failed.filter(attempts__gt=0)
        if self.force:
            return failed
        most = client_of(self.connection).max_attempts
        return failed.exclude(state=State.DEAD, attempts__gte=most)

    def unmarked(self) -> list[Account]:
        """The named user's account, where it is to be sent and has no link yet."""
        if self.user_id is None or links([self.connection]).filter(self._named()).exists():
            return []
        told = sync.sync_of(Account._meta.label)
        return [account for account in self._accounts() if told.wants(account)]

    def revive(self) -> int:
        """Make them due now, and journal it. Answers how many; a named user without a link gets
        one."""
        if unmarked := self.unmarked():
            return sync.mark_due(unmarked, [self.connection])
        return retry(self.links(), force=self.force and self.user_id is not None).due

    def _named(self) -> Q:
        ids = [str(account.pk) for account in self._accounts()]
        return Q(model=Account._meta.label, local_id__in=ids)

    def _accounts(self) -> models.QuerySet[Account]:
        assert self.user_id is not None  # noqa: S101 - asked for a named user alone
        return Account.objects.everywhere().filter(user_id__exact=self.user_id)


def known(user_id: str, connections: Sequence[Connection]) -> list[Connection]:
    """The connections of the user's website. Raises `CannotBe`."""
    try:
        key = key_of(get_user_model(), user_id)
    except CannotBe:
        key = None
    account = Account.objects.everywhere().filter(user__isnull=False, user_id=key).first()
    if account is None:
        raise CannotBe(f"There is no user {user_id} with an account.")
    found = [one for one in connections if one.website_id == account.website_id]
    if not found:
        raise CannotBe(
            f"The website of user {user_id} has no active connection to Invoice Ninja. Add one in "
            "the admin, under Connections."
        )
    return found


def _people(page: Sequence[Link]) -> dict[str, tuple[Any, str, str]]:
    ids = [link.local_id for link in page if link.model == Account._meta.label]
    accounts = routes.by_local_id(Account.objects.everywhere().filter(pk__in=ids))
    return {
        local_id: (account.user_id, account.user.get_username(), account.user.email)
        for local_id, account in accounts.items()
        if account.user
    }
