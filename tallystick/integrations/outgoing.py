"""From due links to what is to be sent: objects loaded in bulk, records built, refs resolved."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Value

from tallystick.integrations import conflicts, fields, sync
from tallystick.integrations.connections import Connection
from tallystick.integrations.links import READ_FIRST, UNDECIDED, Link
from tallystick.integrations.pulls import Pull, first_read
from tallystick.integrations.remote_records import Found, RemoteRecord
from tallystick.integrations.results import Result
from tallystick.ports.errors import Refused
from tallystick.ports.records import Departed, Kind, Record, Ref, Remote
from tallystick.ports.roles import Archives
from tallystick.queue.reasons import trace_of
from tallystick.queue.rows import State

logger = logging.getLogger(__name__)

WAIT_FOR_OTHERS = timedelta(minutes=5)
LEFT = DELETED, MOVED = "It was deleted here.", "It belongs to another website now."
"""Why it is put away there, where it is."""
CHANGED_THERE = "It was changed there as well: %s. Take theirs, or send ours."


@dataclass(slots=True)
class Item:
    """A due link with what it is to say."""

    link: Link
    record: Record
    fingerprint: str

    @property
    def remote(self) -> Remote | None:
        if not self.link.remote_id:
            return None
        return Remote(self.link.remote_id, self.link.remote_version, self.link.remote_url)

    @property
    def is_gone(self) -> bool:
        return isinstance(self.record, Departed)

    @property
    def verb(self) -> str:
        """What its sending does there: create, update or archive."""
        if self.is_gone:
            return "archive"
        return "update" if self.remote else "create"


@dataclass(slots=True)
class Prepared:
    """`items` are to be sent; `settled` need no call: unchanged, gone, bad, waiting for others."""

    items: list[Item]
    settled: list[Result]


def prepare(
    connection: Connection, links: Sequence[Link], now: datetime, *, write: bool = True
) -> Prepared:
    """What each of `links` (of one kind) is to say now, in a number of queries that does not grow
    with theirs. With `write`, what a record names and nobody has marked yet is marked due."""
    prepared = Prepared([], [])
    built: list[tuple[Link, models.Model | None, Record]] = []
    for link, obj, record in _records(connection, links, now):
        if isinstance(record, Result):
            prepared.settled.append(record)
        else:
            built.append((link, obj, record))
    known = _known(connection, [ref for _, _, record in built for ref in record.refs()])
    held = _held(connection, [link for link, _, _ in built]) if write else {}
    undecided = conflicts.undecided(connection, [link for link, _, _ in built])
    if write:
        _mark_unknown(connection, built, known)
    digest = connection.digest()
    for link, _, record in built:
        missing = [ref for ref in record.refs() if not _remote_id(known, ref)]
        if missing or link.pk in held:
            waiting = _waiting(link, missing, known, now, held.get(link.pk, ""))
            prepared.settled.append(replace(waiting, label=record.label))
            continue
        resolved = _resolved(record, known)
        item = Item(link, resolved, digest(resolved))
        result = _unsent(connection, item, undecided.get(link.pk), now)
        if result:
            prepared.settled.append(result)
        else:
            prepared.items.append(item)
    return prepared


def _unsent(
    connection: Connection, item: Item, theirs: Found | None, now: datetime
) -> Result | None:
    """What becomes of it where it is not to be sent: it is there, or must not go over what `theirs`
    says."""
    if _is_said(connection, item.link, item.fingerprint):
        return settled(item.link, State.DONE, now)
    theirs = theirs and fields.as_ours(connection, item.record, theirs)
    if theirs and (why := conflicts.why(item.link, item.record, theirs)):
        words = CHANGED_THERE % why
        return _left(item.link, State.DUE, now + WAIT_FOR_OTHERS, error=words)
    return None


def _is_said(connection: Connection, link: Link, print_: str) -> bool:
    """Whether it says this there already. While the answer to a try is not known, that is not."""
    if not link.remote_id:
        return False
    is_known = not link.attempt_key or connection.provider.by_callback
    return sync.sync_of(link.model).once or (link.fingerprint == print_ and is_known)


def settled(
    link: Link,
    state: State,
    due_at: datetime,
    *,
    error: str = "",
    waits_for: int | None = None,
    attempt_key: str = "",
) -> Result:
    """A result that leaves what is known of the remote as it is and, without `attempt_key`, ends any
    attempt."""
    return Result(
        link_id=link.pk,
        touched=link.touched,
        state=state,
        due_at=due_at,
        remote_id=link.remote_id,
        remote_version=link.remote_version,
        remote_url=link.remote_url,
        fingerprint=link.fingerprint,
        attempts=link.attempts,
        last_error=error,
        remark=link.remark,
        attempt_key=attempt_key,
        synced_at=link.synced_at,
        waits_for=waits_for,
        label=str(link),
    )


def _left(
    link: Link, state: State, due_at: datetime, *, error: str, waits_for: int | None = None
) -> Result:
    """Not sent this time. An answer that was lost before stays lost: it is looked up first."""
    lost = link.attempt_key if not link.remote_id else ""
    return settled(link, state, due_at, error=error, waits_for=waits_for, attempt_key=lost)


def _loaded(links: Sequence[Link]) -> list[tuple[Link, models.Model | None]]:
    by_model: dict[str, list[Link]] = defaultdict(list)
    for link in links:
        by_model[link.model].append(link)
    pairs: list[tuple[Link, models.Model | None]] = []
    known = sync.by_label()
    for label, same_model in by_model.items():
        told = known.get(label)
        objects = told.load(link.local_id for link in same_model) if told else {}
        pairs += [(link, objects.get(link.local_id)) for link in same_model]
    return pairs


def _records(
    connection: Connection, links: Sequence[Link], now: datetime
) -> Iterator[tuple[Link, models.Model | None, Record | Result]]:
    reads = connection.reads  # once: the connection's settings are understood for it
    for link, obj in _loaded(links):
        yield link, obj, _record(connection, link, obj, reads, now)


def _record(
    connection: Connection,
    link: Link,
    obj: models.Model | None,
    reads: Collection[str],
    now: datetime,
) -> Record | Result:
    told = sync.by_label().get(link.model)
    reason = _needless(connection, told, obj) if told else ""
    if reason in LEFT and link.remote_id and issubclass(connection.provider, Archives):
        return Departed(link.key)
    if reason:
        return _left(link, State.DONE, now, error=reason)
    record = _built(link, obj, reads, now)
    if isinstance(record, Record) and (reason := connection.provider.declines(record)):
        return _left(link, State.DONE, now, error=reason)
    return record


def _built(
    link: Link, obj: models.Model | None, reads: Collection[str], now: datetime
) -> Record | Result:
    try:
        return sync.sync_of(link.model).to_record(obj).told(reads)
    except (Refused, sync.NotRegistered) as error:
        return _left(link, State.DEAD, now, error=str(error))
    except Exception as error:  # noqa: BLE001 - a host's mapping may raise anything
        # One bad record must not stop the rest.
        logger.error(  # noqa: TRY400 - its message may hold what a log must not
            "link %s: the record could not be built: %s", link.pk, trace_of(error)
        )
        return _left(link, State.DEAD, now, error=f"Its mapping failed: {type(error).__name__}.")


def _needless(connection: Connection, told: sync.ModelSync, obj: models.Model | None) -> str:
    """Why it is not to be sent after all; empty when it is."""
    if obj is None:
        return DELETED
    if told.website_id(obj) != connection.website_id:
        return MOVED
    return "" if told.wants(obj) else "It is not to exist outside."


Held = dict[int, str]
"""Link id -> why it waits."""


def _held(connection: Connection, links: Sequence[Link]) -> Held:
    """Those that may have a counterpart there which is not known or not decided yet: sent now, there
    would be two. What is under way already is not for here. One query, or none."""
    new = [link for link in links if not link.remote_id and not link.attempt_key]
    if not new or Kind(new[0].kind) not in first_read(connection.provider):
        return {}
    unread = Pull.objects.filter(connection=connection, data_type=new[0].kind, completed_at=None)
    asked = RemoteRecord.objects.filter(
        connection=connection,
        kind=new[0].kind,
        local_id__in=[link.local_id for link in new],
        match__in=[RemoteRecord.Match.PROPOSED, RemoteRecord.Match.ACCEPTED],
    )
    nobody = Value("", output_field=models.CharField())
    found = set(
        asked.order_by()
        .values_list("model", "local_id")
        .union(unread.order_by().values_list(nobody, nobody), all=True)
    )
    if ("", "") in found:
        return {link.pk: READ_FIRST for link in new}
    return {link.pk: UNDECIDED for link in new if (link.model, link.local_id) in found}


Known = dict[str, tuple[int, str, str, str]]
"""Our key -> link id, remote id, state, last error."""


def _known(connection: Connection, refs: Sequence[Ref]) -> Known:
    if not refs:
        return {}
    rows = Link.objects.filter(connection=connection, key__in={ref.key for ref in refs})
    fields = rows.values_list("key", "pk", "remote_id", "state", "last_error")
    return {key: (pk, remote_id, state, error) for key, pk, remote_id, state, error in fields}


def _remote_id(known: Known, ref: Ref) -> str:
    return known[ref.key][1] if ref.key in known else ""


def _resolved(record: Record, known: Known) -> Record:
    remotes = {(ref.kind, ref.key): _remote_id(known, ref) for ref in record.refs()}
    return record.resolved(remotes) if remotes else record


def _mark_unknown(
    connection: Connection, built: Sequence[tuple[Link, Any, Record]], known: Known
) -> None:
    """What is named but was never marked (it is older than the connection) becomes due too."""
    orphans = [
        (link, obj, unknown)
        for link, obj, record in built
        if (unknown := [ref for ref in record.refs() if ref.key not in known])
    ]
    if not orphans:
        return
    named = {
        dependency
        for link, obj, _ in orphans
        for dependency in sync.sync_of(link.model).depends(obj)
    }
    sync.mark_due(list(named), [connection])
    known |= _known(connection, [ref for _, _, refs in orphans for ref in refs])


def _waiting(link: Link, missings: Sequence[Ref], known: Known, now: datetime, held: str) -> Result:
    if held:
        return _left(link, State.DUE, now + WAIT_FOR_OTHERS, error=held)
    missing = missings[0]
    if missing.key not in known:
        error = f"It names a {_word(missing.kind)} that is not sent here."
        return _left(link, State.DEAD, now, error=error)
    pk, _, state, error = known[missing.key]
    words = f"Waiting for its {_word(missing.kind)}"
    if state == State.DEAD:
        words += f", which failed: {error}"
    return _left(link, State.DUE, now + WAIT_FOR_OTHERS, error=f"{words}.", waits_for=pk)


def _word(kind: Kind) -> str:
    return {Kind.CUSTOMER: "customer", Kind.PRODUCT: "product"}.get(kind, kind.value.rstrip("s"))
