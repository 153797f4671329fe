"""Bringing: a page of customers, products or tax rates that a provider has, stored and compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from django.db import transaction

from tallystick import queue
from tallystick.accounts.models import Account
from tallystick.accounts.standing import Person
from tallystick.integrations import (
    arrivals,
    conflicts,
    differences,
    matching,
    remote_records,
    sync,
)
from tallystick.integrations.links import Link
from tallystick.integrations.logs import SyncLog
from tallystick.integrations.remote_records import RemoteRecord
from tallystick.integrations.turns import Progress
from tallystick.ports.records import Kind

if TYPE_CHECKING:
    from tallystick.integrations.connections import Connection

GONE = "One of the two is not known here (any more)."
AGREED = "It does not differ there (any more)."


def take(
    connection: Connection,
    kind: Kind,
    page: Sequence[remote_records.Found],
    log: SyncLog,
    progress: Progress,
) -> None:
    """Store the page in the caller's transaction, say of each record whose it is here, and on its
    link how the two sides differ."""
    if not page:
        return
    forgotten = _forgotten(connection, kind, [each.remote.id for each in page])
    page = [each for each in page if each.remote.id not in forgotten]
    rows = remote_records.keep(connection, kind, page)
    log.synced_records += len(rows)
    progress.done += len(rows)
    if kind is not Kind.TAX_RATE:
        matching.judge(connection, rows)
        kept = {row.remote_id for row in rows}
        found = {each.remote.id: each for each in page if each.remote.id in kept}
        _compare(connection, kind, found, log)


def take_theirs(link: Link, by: Person) -> list[str]:
    """Write what is there, as last pulled, into our object, as `by` says; what is left of ours goes
    there. The names of the fields that changed. Raises `CannotApply`, also where `by` may not manage
    the person, and `BadCredentials`."""
    record = RemoteRecord.objects.filter(
        connection=link.connection_id, kind=link.kind, remote_id=link.remote_id, erased_at=None
    ).first()
    if not link.difference:
        raise sync.CannotApply(AGREED)
    if record is None:
        raise sync.CannotApply(GONE)
    found = conflicts.cases(link.connection, [link], {link.remote_id: record.found})
    case = next(iter(found), None)
    if case is None or case.obj is None:
        raise sync.CannotApply(GONE)
    if isinstance(case.obj, Account):
        arrivals.check_manager(case.obj, by)
    mine = Link.objects.filter(pk=link.pk)
    with transaction.atomic():
        changed = conflicts.take(link.connection, case, case.theirs)
        if case.is_put_away:
            raise sync.CannotApply(f"{case.words} {conflicts.BY_HAND}")
        mine.revive(force=bool(case.words))
        mine.update(difference="", seen=differences.prints(case.theirs))
    queue.wake("connections")
    return changed


def _forgotten(connection: Connection, kind: Kind, remote_ids: Sequence[str]) -> set[str]:
    """The ids of people who were erased here: nothing is stored of them again."""
    if kind is not Kind.CUSTOMER:
        return set()
    links = Link.objects.filter(
        connection=connection,
        kind=kind.value,
        remote_id__in=remote_ids,
        model=Account._meta.label,
    )
    whose = dict(links.values_list("local_id", "remote_id"))
    erased = Account.objects.of(connection.website_id).exclude(erased_at=None)
    return {whose[str(pk)] for pk in erased.filter(pk__in=list(whose)).values_list("pk", flat=True)}


def _compare(
    connection: Connection, kind: Kind, found: Mapping[str, remote_records.Found], log: SyncLog
) -> None:
    """Of what was sent before. The version that our own push was answered with is no news, unless
    there was a difference that it may have ended; while the answer is not known, no version is."""
    links = Link.objects.filter(connection=connection, kind=kind.value, remote_id__in=list(found))
    open_: list[Link] = []
    same: list[Link] = []
    for link in links.exclude(fingerprint="").filter(attempt_key="").order_by("pk"):
        theirs = found[link.remote_id]
        is_news = theirs.remote.version != link.remote_version
        if link.difference or (is_news and differences.changed(link.seen, theirs)):
            open_.append(link)
        elif is_news or differences.changed(link.seen, theirs):
            # What we sent reads there as it does; or nothing changed that we look at.
            link.remote_version, link.seen = theirs.remote.version, differences.prints(theirs)
            same.append(link)
    Link.objects.bulk_update(same, ["remote_version", "seen"], batch_size=200)
    if open_:
        conflicts.settle(connection, conflicts.cases(connection, open_, found), log)
