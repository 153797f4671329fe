"""Bringing: a page of customers, products or tax rates that a provider has, stored and compared."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db import transaction

from tallystick.accounts.models import Account
from tallystick.accounts.standing import Person
from tallystick.integrations import arrivals, differences, matching, remote_records, sync
from tallystick.integrations.links import Link
from tallystick.integrations.logs import SyncLog
from tallystick.integrations.remote_records import RemoteRecord
from tallystick.integrations.turns import Progress
from tallystick.ports.errors import Refused
from tallystick.ports.records import Kind, Record

if TYPE_CHECKING:
    from tallystick.integrations.connections import Connection

logger = logging.getLogger(__name__)


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
    """Write what is there, as last pulled, into our object, as `by` says; the names of the fields that
    changed. Raises `CannotApply`, also where `by` may not manage the person."""
    record = RemoteRecord.objects.filter(
        connection=link.connection_id, kind=link.kind, remote_id=link.remote_id, erased_at=None
    ).first()
    told = sync.sync_of(link.model)
    obj = told.load([link.local_id]).get(link.local_id)
    if record is None or obj is None:
        raise sync.CannotApply("One of the two is not known here (any more).")
    if isinstance(obj, Account):
        arrivals.check_manager(obj, by)
    with transaction.atomic():
        changed = told.take(obj, record.found)
        left = _said(told, obj)
        words = differences.in_words(left, record.found) if left else ""
        Link.objects.filter(pk=link.pk).update(difference=words)
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
    there was a difference that it may have ended."""
    links = Link.objects.filter(connection=connection, kind=kind.value, remote_id__in=list(found))
    told = links.exclude(fingerprint="").order_by("pk")
    open_ = [link for link in told if link.difference or _is_news(link, found[link.remote_id])]
    ours = _records(open_)
    differing = []
    for link in open_:
        record, theirs = ours.get(link.pk), found[link.remote_id]
        link.difference = differences.in_words(record, theirs) if record else ""
        link.remote_version = theirs.remote.version
        differing.append(link)
        if link.difference:
            names = [name for name, *_ in differences.between(record, theirs)] if record else []
            log.failed(link.key, f"It differs there: {', '.join(names).lower() or 'archived'}.")
            log.synced_records -= 1
    Link.objects.bulk_update(differing, ["difference", "remote_version"], batch_size=200)


def _is_news(link: Link, theirs: remote_records.Found) -> bool:
    return theirs.remote.version != link.remote_version


def _records(links: Sequence[Link]) -> dict[int, Record]:
    """What each of them says here now, by the link's id; what is gone or cannot be said is left out."""
    by_model: dict[str, list[Link]] = defaultdict(list)
    for link in links:
        by_model[link.model].append(link)
    records: dict[int, Record] = {}
    for label, same in by_model.items():
        told = sync.sync_of(label)
        objects = told.load(link.local_id for link in same)
        for link in same:
            if (obj := objects.get(link.local_id)) and (record := _said(told, obj)):
                records[link.pk] = record
    return records


def _said(told: sync.ModelSync, obj: Any) -> Record | None:  # noqa: ANN401 - any model
    try:
        return told.to_record(obj)
    except Refused:
        return None
    except Exception:
        # A host's mapping may raise anything; its push says so on the link.
        logger.exception("%s %s: the record could not be built", told.label, obj.pk)
        return None
