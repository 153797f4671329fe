"""What outside systems were told of a person, and how they are told that it is over; see
`accounts.personal`. Erasing saves the account without its values and inactive, and that is sent like
any other change: where a provider can archive a customer, it does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Q

from tallystick.accounts.models import Account, Membership
from tallystick.accounts.personal import Holding, Kept, Whom, holds_nothing, register
from tallystick.billing.models import Allocation, Invoice
from tallystick.integrations.inbound import InboundEvent
from tallystick.integrations.links import Link
from tallystick.integrations.logs import SyncLog
from tallystick.integrations.remote_records import RemoteRecord
from tallystick.kit import clock
from tallystick.kit.db.keysets import among
from tallystick.ports.records import Kind
from tallystick.queue.rows import State

_THERE = "was sent to this outside system, which was told of the erasure; see that it archives it"
_ERASED = "(erased)"

Rows = Any


def _links(whom: Whom) -> Rows:
    """Of the account, its invoices and what was paid for them."""
    invoices = Invoice.objects.everywhere().filter(client__in=whom.accounts)
    allocations = Allocation.objects.filter(invoice__client__in=whom.accounts)
    told = Q(pk__in=())
    for model, ids in (
        (Account, whom.accounts),
        (Invoice, invoices.values_list("pk", flat=True)),
        (Allocation, allocations.values_list("pk", flat=True)),
    ):
        told |= Q(model=model._meta.label, local_id__in=[str(pk) for pk in ids])
    return Link.objects.filter(told).select_related("connection")


def _customers(whom: Whom) -> Rows:
    return Link.objects.filter(
        model=Account._meta.label, local_id__in=[str(pk) for pk in whom.accounts]
    ).select_related("connection")


def _erase(whom: Whom) -> int:
    """The words that came back with a refusal may quote what was sent."""
    links = _links(whom)
    count: int = links.exclude(last_error="", difference="").update(last_error="", difference="")
    if not whom.keep_contact:
        # Whoever was never sent is not told of.
        unsent = _customers(whom).filter(remote_id="", attempt_key="")
        unsent.exclude(state=State.DONE).update(state=State.DONE)
        # A digest of an address is soon guessed.
        _customers(whom).exclude(seen="").update(seen="")
    return count


def _told(whom: Whom) -> Iterator[Kept]:
    for link in _customers(whom).exclude(remote_id="").order_by("pk"):
        where = f"{link.connection.type} “{link.connection.name}”, customer {link.remote_id}"
        yield Kept("outside", 1, f"{where} {_THERE}")


def _inbound(whom: Whom) -> Rows:
    mine = _links(whom).exclude(remote_id="")
    pairs = Q(pk__in=())
    for connection_id in mine.order_by().values_list("connection", flat=True).distinct():
        ids = mine.filter(connection=connection_id).values("remote_id")
        pairs |= Q(connection=connection_id, remote_id__in=ids)
    return InboundEvent.objects.filter(pairs)


def _logs(whom: Whom) -> Rows:
    """Those whose reasons name them."""
    connections = _links(whom).order_by().values("connection")
    logs = SyncLog.objects.filter(connection__in=connections).exclude(errors=[], notes=[])
    naming = [log.pk for log in logs.iterator(chunk_size=500) if _naming(log, _marks(whom))]
    return SyncLog.objects.filter(pk__in=naming)


def _marks(whom: Whom) -> list[str]:
    keys = [f"c-{whom.account.uid.hex}"] if whom.account else []
    return [*keys, *whom.names]


def _naming(log: SyncLog, marks: list[str]) -> bool:
    return any(mark in words for words in [*log.errors, *log.notes] for mark in marks)


def _erase_logs(whom: Whom) -> int:
    marks, logs = _marks(whom), list(_logs(whom))
    for log in logs:
        log.errors, log.notes = (
            [_ERASED if any(mark in words for mark in marks) else words for words in lines]
            for lines in (log.errors, log.notes)
        )
        log.save(update_fields=["errors", "notes"])
    return len(logs)


def _records(whom: Whom) -> Rows:
    """What outside systems say of them: by their link, our key, or, where it is nobody else's, one of
    their addresses; the last at their own websites alone."""
    mine = Q(model=Account._meta.label, local_id__in=[str(pk) for pk in whom.accounts])
    mine |= Q(link__in=_customers(whom).order_by().values("pk"))
    if whom.account:
        mine |= Q(key=whom.account.customer_key)
    if emails := [name for name in whom.names if "@" in name]:
        taken = Q(match__in=[RemoteRecord.Match.MATCHED, RemoteRecord.Match.ACCEPTED])
        there = Q(connection__website__in=_websites(whom))
        mine |= Q(among("email", emails)) & there & ~taken
    rows = RemoteRecord.objects.filter(mine, kind=Kind.CUSTOMER.value)
    return rows.select_related("connection")


def _websites(whom: Whom) -> set[int]:
    memberships = Membership.objects.filter(user__in=whom.users, website__isnull=False)
    owned = [row.website_id for row in (whom.account, whom.organisation) if row]
    return {*owned, *memberships.values_list("website", flat=True)}


def _erase_records(whom: Whom) -> int:
    """The row stays, empty, so that the next catch-up does not bring them back."""
    if whom.keep_contact:
        return 0
    blank = dict.fromkeys(("name", "email", "number", "key", "local_hint", "reason", "url"), "")
    count: int = (
        _records(whom)
        .filter(erased_at=None)
        .update(**blank, document={}, erased_at=clock.now(), match=RemoteRecord.Match.IGNORED)
    )
    return count


def install() -> None:
    register(
        Holding(
            section="outside",
            model=Link,
            rows=_links,
            show=[
                "connection.type",
                "connection.name",
                "kind",
                "remote_id",
                "remote_url",
                "synced_at",
            ],
            erase=_erase,
            keep=_told,
            turn=3,
        ),
        Holding(
            section="news_from_outside",
            model=InboundEvent,
            rows=_inbound,
            show=["connection.type", "kind", "remote_id", "at", "payload"],
            erase=lambda whom: int(_inbound(whom).exclude(payload="").update(payload="")),
        ),
        Holding(
            section="records_outside",
            model=RemoteRecord,
            rows=_records,
            show=["connection.type", "connection.name", "remote_id", "name", "email", "document"],
            erase=_erase_records,
            turn=0,
        ),
        Holding(
            section="sync_reports",
            model=SyncLog,
            rows=_logs,
            show=["connection.type", "created_at", "errors", "notes"],
            erase=_erase_logs,
        ),
    )
    holds_nothing("the seller's own", "integrations.Connection")
    holds_nothing("counts and times", "integrations.Budget", "integrations.Pull")
