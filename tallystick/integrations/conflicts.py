"""Conflicts: a customer or product was changed there, and what becomes of it by its connection's rule.

    it differs there -> ask: said on the link, and no edit is sent over it until staff decide
                     -> local_wins: ours is sent again
                     -> remote_wins: theirs is written here; what cannot be, is said as by `ask`

What differs is no conflict where it still says there what both sides said last: an edit here is
under way then. Whoever calls holds the connection's lease, and has a transaction.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import Error as DatabaseError
from django.db import transaction

from tallystick import queue
from tallystick.accounts.models import Account
from tallystick.events import record
from tallystick.integrations import arrivals, differences, fields, sync
from tallystick.integrations.connections import Connection
from tallystick.integrations.links import Link
from tallystick.integrations.logs import SyncLog
from tallystick.integrations.remote_records import Found, RemoteRecord
from tallystick.integrations.sync import CannotApply
from tallystick.ports.errors import Refused
from tallystick.ports.records import Departed, Record, RemoteCustomer
from tallystick.queue.clock import db_now
from tallystick.queue.reasons import trace_of
from tallystick.queue.rows import State

logger = logging.getLogger(__name__)

Rule = Connection.ConflictRule
KEPT = "What is left is not taken over unseen: take theirs, or send ours."
BY_HAND = "That is not taken over: do the same here, or send ours."
WRITTEN = ("difference", "remote_version", "seen")


@dataclass(slots=True)
class Case:
    """Both sides of a link as they are now; `ours` is None where it is gone or cannot be said."""

    link: Link
    told: sync.ModelSync
    obj: Any
    ours: Record | None
    theirs: Found

    @property
    def words(self) -> str:
        return differences.in_words(self.ours, self.theirs) if self.ours else ""

    @property
    def conflict(self) -> str:
        """What differs because it was changed there; empty when only ours was edited."""
        return why(self.link, self.ours, self.theirs) if self.ours else ""

    @property
    def is_put_away(self) -> bool:
        """On one of the two sides."""
        return (
            differences.STATE in differences.names(self.ours, self.theirs) if self.ours else False
        )

    def print_of_ours(self, connection: Connection) -> str:
        """The fingerprint of what would be sent now."""
        if self.ours is None:
            return ""
        return connection.digest()(self.ours.told(connection.reads))

    def reload(self) -> None:
        """Ours as the database has it."""
        self.obj = self.told.load([self.link.local_id]).get(self.link.local_id)
        self.ours = said(self.told, self.obj) if self.obj else None


def cases(connection: Connection, links: Sequence[Link], theirs: Mapping[str, Found]) -> list[Case]:
    """Of each of `links` both sides, in a number of queries that does not grow with theirs."""
    by_model: dict[str, list[Link]] = defaultdict(list)
    for link in links:
        by_model[link.model].append(link)
    found, known = [], sync.by_label()
    for label, same in by_model.items():
        told = known.get(label)
        if told is None:
            continue
        objects = told.load(link.local_id for link in same)
        for link in same:
            obj = objects.get(link.local_id)
            ours = said(told, obj) if obj else None
            there = theirs[link.remote_id]
            there = fields.as_ours(connection, ours, there) if ours else there
            found.append(Case(link, told, obj, ours, there))
    return found


def settle(connection: Connection, found: Sequence[Case], log: SyncLog) -> None:
    """Do with each case as the rule of `connection` says. What is taken over costs its own queries,
    the rest a few for them all."""
    resolved: list[Link] = []
    ours_count: list[Link] = []
    for case in found:
        link, was_open = case.link, bool(case.link.difference)
        link.difference, link.remote_version = "", case.theirs.remote.version
        if case.conflict and connection.conflict_rule == Rule.LOCAL_WINS:
            log.noted(str(link), f"It differed there: {case.conflict}. Ours is sent again.")
            ours_count.append(link)
        elif case.conflict:
            _decide(connection, case, log)
        if not link.difference:
            link.seen = differences.prints(case.theirs)
            resolved += [link] if was_open else []
    Link.objects.bulk_update([case.link for case in found], WRITTEN, batch_size=200)
    waiting = Link.objects.filter(pk__in=[link.pk for link in resolved], state=State.DUE)
    waiting.update(due_at=db_now())
    _send_ours(connection, ours_count)


def take(connection: Connection, case: Case, theirs: Found) -> list[str]:
    """Write `theirs` into our object; where nothing of ours was unsent before, nothing is now. The
    names of the fields that changed; raises `CannotApply`."""
    link = case.link
    was_sent = case.print_of_ours(connection) == link.fingerprint
    changed = case.told.take(case.obj, theirs)
    case.reload()
    if was_sent:
        Link.objects.filter(pk=link.pk, fingerprint=link.fingerprint).update(
            fingerprint=case.print_of_ours(connection)
        )
    return changed


def undecided(connection: Connection, links: Sequence[Link]) -> dict[int, Found]:
    """Of `links` (of one kind) those whose edits wait while it differs there, with what was there
    when last pulled: one query, or none."""
    if connection.conflict_rule == Rule.LOCAL_WINS:
        return {}
    differing = {link.remote_id: link.pk for link in links if link.is_undecided}
    if not differing:
        return {}
    rows = RemoteRecord.objects.filter(
        connection=connection, kind=links[0].kind, remote_id__in=differing, erased_at=None
    )
    return {differing[row.remote_id]: row.found for row in rows}


def why(link: Link, ours: Record, theirs: Found) -> str:
    """What of `theirs` ours must not go over unasked: names of fields. Nothing where ours is gone:
    what is there is put away then, and stays as it is."""
    gone = isinstance(ours, Departed)
    return "" if gone else differences.conflicting(link.seen, ours, theirs)


def said(told: sync.ModelSync, obj: Any) -> Record | None:  # noqa: ANN401 - any model
    try:
        return told.to_record(obj)
    except Refused:
        return None
    except Exception as error:  # noqa: BLE001 - a host's mapping may raise anything
        # Its push says so on the link.
        logger.error(  # noqa: TRY400 - its message may hold what a log must not
            "%s %s: the record could not be built: %s", told.label, obj.pk, trace_of(error)
        )
        return None


def _decide(connection: Connection, case: Case, log: SyncLog) -> None:
    """Ask; or take theirs, and ask about what cannot be taken."""
    link, words = case.link, case.words
    if connection.conflict_rule == Rule.REMOTE_WINS:
        words = _taken_unseen(connection, case, log)
    link.difference = words
    if words:
        log.failed(str(link), f"It differs there: {case.conflict}.")
        log.synced_records -= 1


def _taken_unseen(connection: Connection, case: Case, log: SyncLog) -> str:
    """How they differ after theirs was taken, and why; empty when they agree. What fails for one is
    told of it alone."""
    words = case.words
    try:
        with transaction.atomic():
            theirs = case.theirs
            if isinstance(case.obj, Account) and isinstance(theirs, RemoteCustomer):
                theirs = arrivals.without_manager(case.obj, theirs)
            changed = take(connection, case, theirs)
    except CannotApply as error:
        return f"{words} {error}"
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001 - one bad record must not stop the rest
        logger.error(  # noqa: TRY400 - as above
            "link %s: what is there could not be taken over: %s", case.link.pk, trace_of(error)
        )
        return f"{words} It could not be taken over, an error of our own: {type(error).__name__}."
    if changed:
        log.noted(str(case.link), f"Theirs was taken over: {', '.join(changed)}.")
    kept = BY_HAND if case.is_put_away else KEPT
    return f"{case.words} {kept}" if case.conflict else ""


def _send_ours(connection: Connection, links: Sequence[Link]) -> None:
    if not links:
        return
    Link.objects.filter(pk__in=[link.pk for link in links]).revive(force=True)
    record("links.sent_again", connection, change={"count": len(links), "rule": Rule.LOCAL_WINS})
    queue.wake("connections")
