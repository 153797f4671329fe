"""Importing: read all customers or products that a provider has, say whose they are here, and link
them. What is done is decided by `Terms`; what they leave open waits in the review list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tallystick.integrations import matching, pulls
from tallystick.integrations.applying import Applying
from tallystick.integrations.connections import Connection
from tallystick.integrations.deciding import Decider, Rows, choice_for, journal, pages
from tallystick.integrations.pull import Catchup
from tallystick.integrations.pulls import Pull
from tallystick.integrations.remote_records import RemoteRecord
from tallystick.integrations.turns import Turn, Watcher
from tallystick.kit import clock
from tallystick.ports.records import Kind
from tallystick.ports.roles import pulled_kinds
from tallystick.queue.leases import owner_name

Match = RemoteRecord.Match
KINDS = (Kind.CUSTOMER, Kind.PRODUCT)
TURN_SECONDS = 600.0

LINK, CREATE, REVIEW, ALREADY, IGNORED = "link", "create", "review", "linked already", "ignored"
"""What becomes of a record."""


class CannotRead(Exception):
    """What is there cannot be read now; the message says why."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Certain matches are linked always; `by_email`: those by a single e-mail address too; `create`:
    what nothing here looks like is made here; `keep_remote`: what is there goes before ours, once."""

    by_email: bool = False
    create: bool = False
    keep_remote: bool = False

    def fate(self, one: RemoteRecord) -> str:
        """What becomes of a record that has just been judged."""
        settled = {Match.MATCHED: ALREADY, Match.IGNORED: IGNORED, Match.ACCEPTED: LINK}
        if one.match in settled:
            return settled[Match(one.match)]
        if one.match == Match.PROPOSED:
            is_taken = one.is_certain or (self.by_email and one.reason == matching.BY_EMAIL)
            return LINK if is_taken else REVIEW
        is_new = one.reason == matching.NOTHING and one.is_active
        return CREATE if self.create and is_new else REVIEW


@dataclass(frozen=True, slots=True)
class Fate:
    """What is to become of one record."""

    what: str
    record: RemoteRecord

    def __str__(self) -> str:
        one = self.record
        here = f" {one.model} {one.local_id}" if one.local_id else ""
        new = f" {choice_for(one)}" if self.what == CREATE else ""
        return f"{self.what}{new}: {one.kind} {one.remote_id} “{one}”{here} ({one.reason})"


class Import:
    def __init__(
        self, connection: Connection, kinds: Sequence[Kind], terms: Terms, watcher: Watcher
    ) -> None:
        self.connection, self.terms, self.watcher = connection, terms, watcher
        self.kinds = [kind for kind in kinds if kind in pulled_kinds(connection.provider)]

    def read(self) -> None:
        """Fetch what has changed there since the last time; the first time, everything. Raises
        `CannotRead`; what was read until then stays."""
        pulls.ensure(self.connection)
        wanted = Pull.objects.filter(connection=self.connection, data_type__in=self.kinds)
        wanted.update(due_at=clock.now())
        since = clock.now()
        while wanted.filter(due_at__lte=since).exists():
            self._turn(lambda turn: Catchup(turn).run(only=self.kinds))

    def plan(self) -> Iterator[Fate]:
        """What would become of each record, judged by what is here now."""
        for _, page in pages(self._records()):
            for one in page:
                yield Fate(self.terms.fate(one), one)

    def carry_out(self) -> None:
        """Decide and link; harmless to repeat. Raises `CannotRead` where a worker is at it."""
        decider = Decider(keep_remote=self.terms.keep_remote)
        counts: Counter[str] = Counter()
        for _, page in pages(self._records()):
            chosen = [one for one in page if self.terms.fate(one) == LINK]
            counts["accepted"] += decider.accept(chosen)
            new = [one for one in page if self.terms.fate(one) == CREATE]
            counts["made"] += decider.make(new)
        for what, count in counts.items():
            journal(self.connection, what, count)
        self._turn(lambda turn: Applying(turn).run())

    def _records(self) -> Rows:
        return RemoteRecord.objects.filter(
            connection=self.connection, kind__in=self.kinds, erased_at=None
        )

    def _turn(self, work: Callable[[Turn], None]) -> None:
        turn = Turn(self.connection, owner_name(), seconds=TURN_SECONDS, watcher=self.watcher)
        with turn.held() as client:
            if client is None:
                raise CannotRead(turn.ended_by or "A worker is at it; run this again in a moment.")
            work(turn)
        self.connection.refresh_from_db()
        if turn.ended_by or self.connection.needs_reconnect:
            raise CannotRead(turn.ended_by or self.connection.sync_error)


def counted(fates: Iterator[Fate], say: Callable[[Fate], None]) -> dict[str, int]:
    """How many of each fate; `say` is told of those that are not settled already."""
    counts = dict.fromkeys((LINK, CREATE, REVIEW, ALREADY, IGNORED), 0)
    for fate in fates:
        counts[fate.what] += 1
        if fate.what not in {ALREADY, IGNORED}:
            say(fate)
    return counts
