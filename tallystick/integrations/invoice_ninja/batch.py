"""Batch: chosen products, sent now, and what became of each.

They are made due and served as a worker would, under the connection's lease: killed in the middle,
or run twice at once, it leaves nothing that the next run or a worker does not finish.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from django.db.models import Q

from tallystick.integrations import sync
from tallystick.integrations.invoice_ninja.catalogue import Choice, Entry
from tallystick.integrations.links import Link, LinkQuerySet
from tallystick.integrations.turns import Progress, Turn
from tallystick.integrations.work import serve
from tallystick.kit import clock
from tallystick.ports.records import Kind
from tallystick.queue.leases import owner_name
from tallystick.queue.rows import State

PATIENCE = 90.0
"""Seconds for which a batch waits: until a limit allows more, or another process is done."""
_PAUSE = 0.5
BUSY = "A worker is at it already; it sends what is due."
TAKEN = "Another process has them in hand and ends them; `check_sync_status` says how."
RECONNECT = "Reconnect it in the admin, under Connections."


class Fate(StrEnum):
    """What became of a product."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    AWAITING = "awaiting"
    LEFT_OUT = "left_out"
    WAITING = "waiting"
    RETRY = "retry"
    FAILED = "failed"


BAD = frozenset({Fate.RETRY, Fate.FAILED})


@dataclass(frozen=True, slots=True)
class Told:
    """One product's: `reason` says why where it is not there, or not all of it."""

    product_id: str
    key: str
    remote_id: str
    fate: Fate
    reason: str

    def row(self) -> dict[str, object]:
        return {
            "id": self.product_id,
            "key": self.key,
            "remote_id": self.remote_id or None,
            "result": self.fate.value,
            "reason": self.reason,
        }


@dataclass
class Batch:
    """`run` sends page by page and yields what became of each product. `moved` is told how many
    have been dealt with. Then `counts` has the sums, `cause` why not all was sent, if it was not."""

    choice: Choice
    moved: Callable[[int], None]
    counts: Counter[Fate] = field(default_factory=Counter, init=False)
    ended_by: str = field(default="", init=False)
    _is_taken: bool = field(default=False, init=False)

    def run(self) -> Iterator[Told]:
        for page in self.choice.pages():
            before = {str(entry.obj.pk): entry for entry in page}
            self._sent = self.counts.total()
            self._serve(self._marked(page))
            for link in self._links(list(before)).order_by("pk"):
                told = self._told(before[link.local_id], link)
                self.counts[told.fate] += 1
                self._is_taken |= told.fate == Fate.WAITING and not told.reason
                yield told
            self.moved(self.counts.total())
            if self.ended_by:
                return

    @property
    def is_in_trouble(self) -> bool:
        """Whether a product failed, or the connection is not to be used."""
        connection = self.choice.connection
        return any(self.counts[fate] for fate in BAD) or bool(
            connection.needs_reconnect or connection.is_out
        )

    @property
    def cause(self) -> str:
        """Why it ended early, why the connection is not to be used, or who has the rest."""
        connection = self.choice.connection
        if self.ended_by or connection.may_be_called():
            return self.ended_by or connection.may_be_called()
        if connection.needs_reconnect or connection.is_out:
            return connection.sync_error or RECONNECT
        return TAKEN if self._is_taken else ""

    # -- sending

    def _marked(self, page: Sequence[Entry]) -> list[int]:
        connection, force = self.choice.connection, self.choice.force
        sync.mark_due([entry.obj for entry in page if entry.link is None], [connection])
        links = self._links([str(entry.obj.pk) for entry in page])
        if self.choice.is_any_state:
            links.revive(force=force)
        return list(links.values_list("pk", flat=True))

    def _serve(self, ids: Sequence[int]) -> None:
        left, moved_at = _due(ids), clock.now()
        while left and not self.ended_by:
            served, words = self._turn(ids)
            before, left = left, _due(ids)
            if left < before:
                moved_at = clock.now()
            elif (clock.now() - moved_at).total_seconds() >= PATIENCE:
                self.ended_by = words or ("" if served else BUSY)
                return
            else:
                clock.sleep(_PAUSE)

    def _turn(self, ids: Sequence[int]) -> tuple[bool, str]:
        """Whether there was one, and what ended it early. Another's is waited for: it may well send
        these too."""
        connection = self.choice.connection
        turn = Turn(connection, owner_name(), watcher=self._watch)
        served = serve(turn, only=[Kind.PRODUCT], among=Q(pk__in=ids))
        connection.refresh_from_db()
        if turn.ended_by and not self._rested():
            self.ended_by = turn.ended_by
        return served, turn.ended_by

    def _rested(self) -> bool:
        """Whether it goes on after a short wait, as a limit asks for one."""
        connection = self.choice.connection
        if connection.needs_reconnect or connection.is_out or not connection.rests_until:
            return False
        seconds = (connection.rests_until - clock.now()).total_seconds()
        if seconds > PATIENCE:
            return False
        clock.sleep(max(seconds, 0.0))
        return True

    def _watch(self, progress: Progress) -> None:
        self.moved(self._sent + progress.done + progress.unchanged + progress.failed)

    # -- telling

    def _links(self, ids: Sequence[str]) -> LinkQuerySet:
        choice = self.choice
        return Link.objects.filter(
            connection=choice.connection, model=choice.told.label, local_id__in=ids
        )

    def _told(self, entry: Entry, link: Link) -> Told:
        fate = _fate(entry.link, link, force=self.choice.force)
        error = link.last_error if fate not in {Fate.CREATED, Fate.UPDATED} else ""
        reason = error or link.remark
        return Told(link.local_id, link.key, link.remote_id, fate, reason)


def _due(ids: Sequence[int]) -> int:
    """How many are due by now."""
    return Link.objects.due().filter(pk__in=ids).count()


def _fate(before: Link | None, link: Link, *, force: bool) -> Fate:
    if link.state == State.DEAD:
        return Fate.FAILED
    if link.state == State.DONE:
        return _settled(before, link, force=force)
    is_told_later = link.connection.provider.by_callback and link.state == State.UNCERTAIN
    if is_told_later and link.attempts and not link.last_error:
        return Fate.AWAITING
    return Fate.RETRY if link.attempts and link.last_error else Fate.WAITING


def _settled(before: Link | None, link: Link, *, force: bool) -> Fate:
    if not link.remote_id:
        return Fate.LEFT_OUT
    if before is None or not before.remote_id:
        return Fate.CREATED
    same = not force and before.fingerprint == link.fingerprint
    return Fate.UNCHANGED if same else Fate.UPDATED
