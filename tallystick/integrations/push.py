"""PushRun: send what is due of one kind at one connection.

    due -> load -> record -> same fingerprint? done -> batch -> remember the attempt -> send -> result

A link whose earlier create got no answer is looked up first: `recovery`.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta
from queue import Empty, SimpleQueue

from django.db.models import Q
from django.dispatch import Signal

from tallystick.integrations import clashes, landing, recovery
from tallystick.integrations.links import Link, LinkQuerySet
from tallystick.integrations.logs import SyncLog
from tallystick.integrations.outgoing import Item, prepare
from tallystick.integrations.results import Result, write_attempts
from tallystick.integrations.turns import CALLS_AHEAD, LEASE_SECONDS, Progress, Turn, UsedUp
from tallystick.kit import clock
from tallystick.ports.errors import ProviderError
from tallystick.ports.records import Kind, Remote
from tallystick.ports.roles import Archives, Gone, Outcome, Push, pusher
from tallystick.queue.rows import State

WRITE_EVERY = 200
PAGE_LEAST, PAGE_MOST = 200, 1000
"""Links looked at in one go, whatever the provider takes per call: memory is bounded by it. The most
where the last ones were all unchanged: likely these are too."""

UNREAD = ("lease_owner", "fence", "created_at", "updated_at", "update_marked_at")
"""Columns of a link that a push has no use for."""


@dataclass(slots=True)
class Batch:
    """Items that go in one call, under one identity: all creates, all updates, or all gone."""

    items: list[Item]
    attempt: str

    @property
    def is_gone(self) -> bool:
        return self.items[0].is_gone


Answer = list[Outcome] | ProviderError

sending = Signal()
"""With the provider's class as its sender: `items` are being sent, by a thread of no database."""
landed = Signal()
"""The same: `results` of `links`, by an `answer` or, given up on, without one; `is_gone`: archived."""


class PushRun:
    """One run; `run()` does it all. Calls are made by threads, the database is ours alone. `among`
    narrows down which links it may send."""

    def __init__(self, turn: Turn, kind: Kind, among: Q | None = None) -> None:
        self.turn, self.kind = turn, kind
        self._among = among or Q()
        self.connection = turn.connection
        self.provider = turn.connection.provider
        self.progress = Progress(kind.value)
        self._results: list[Result] = []
        self._queued: deque[Batch] = deque()
        self._flying: dict[Future[Answer], Batch] = {}
        self._back: SimpleQueue[Future[Answer]] = SimpleQueue()

    def run(self) -> None:
        verbs = pusher(self.turn.client, self.kind)
        if not verbs or not self.turn.client or not self.due().exists():
            return
        self.verbs, self.client = verbs, self.turn.client
        with self.turn.logged(SyncLog.Direction.PUSH, self.kind.value) as self.log:
            self._pool = ThreadPoolExecutor(self.provider.concurrency, "push")
            try:
                if not self.provider.by_callback:  # which cannot be asked, and bears repeats
                    recovery.recover(self)
                while page := self._page():
                    self._send(page)
            finally:
                self._land()
                self._pool.shutdown()

    def _send(self, page: list[Link]) -> None:
        """Send the page and those after it; at the end wait for all answers, whose links may be due
        again, for an edit came between."""
        while page:
            items = self.prepared(page)
            self.queue(items)
            self.dispatch()
            page = self._page(PAGE_LEAST if items else PAGE_MOST)
        while self._flying:
            self._collect()

    # -- what is due

    def due(self) -> LinkQuerySet:
        due = Link.objects.due().filter(connection=self.connection, kind=self.kind.value)
        return due.filter(self._among)

    def _page(self, least: int = PAGE_LEAST) -> list[Link]:
        """The next due links that are not under way, at least so many if there are; those with lost
        answers are not for here."""
        size = self.provider.batch_size * self.provider.concurrency * CALLS_AHEAD
        size = min(max(size, least), PAGE_MOST)
        flying = {item.link.pk for batch in self._flying.values() for item in batch.items}
        due = self.due().order_by("due_at", "id")
        if not self.provider.by_callback:
            due = due.filter(Q(attempt_key="") | ~Q(remote_id=""))
        found = due.defer(*UNREAD)[: size + len(flying)]
        return [link for link in found if link.pk not in flying][:size]

    def prepared(self, links: Sequence[Link]) -> list[Item]:
        """What of `links` is to be sent; the rest is settled without a call."""
        self.turn.beat()
        if self.provider.by_callback:
            links = self._not_given_up(links)
        prepared = prepare(self.connection, links, clock.now())
        if self.provider.by_callback:
            landing.unless_told(links, prepared.settled)
        self._settled(links, prepared.settled)
        self._write()
        return prepared.items

    def _settled(self, links: Sequence[Link], results: Sequence[Result]) -> None:
        """Without a call; of those among them that nothing more is done about, it is told."""
        self.keep(results)
        dead = {result.link_id: result for result in results if result.state == State.DEAD}
        if dead:
            gone = [link for link in links if link.pk in dead]
            told = [dead[link.pk] for link in gone]
            landed.send(sender=self.provider, links=gone, results=told, answer=None)

    def _not_given_up(self, links: Sequence[Link]) -> list[Link]:
        """Those that may be tried again of what a go-between did not tell of in time."""
        hopeless = [
            link
            for link in links
            if landing.overdue(link) and link.attempts >= self.client.max_attempts
        ]
        results = [landing.given_up(link, clock.now()) for link in hopeless]
        landing.unless_told(hopeless, results)
        self._settled(hopeless, results)
        left = [link for link in links if link not in hopeless]
        for link in left:
            if landing.overdue(link):
                link.last_error = landing.NO_CALLBACK
        return left

    # -- under way

    def queue(self, items: Sequence[Item], *, attempt: str = "") -> None:
        """Line up `items`, creates apart from updates, cut to what a call takes. What goes under
        which identity is written down first: a crash is followed by a look, not a second create."""
        size = self.provider.batch_size
        ordered = sorted(items, key=lambda item: item.link.pk)
        batches: list[Batch] = []
        for same in (
            [item for item in ordered if not item.remote],
            [item for item in ordered if item.remote and not item.is_gone],
            [item for item in ordered if item.is_gone],
        ):
            parts = (same[start : start + size] for start in range(0, len(same), size))
            batches += [Batch(part, attempt or self._identity(part)) for part in parts]
        self._remember(batches)
        self._queued += batches

    def _identity(self, items: Sequence[Item]) -> str:
        """A new one, unless a go-between may have the very same already."""
        link = items[0].link
        same = link.attempt_fingerprint == items[0].fingerprint
        if self.provider.by_callback and link.attempt_key and same:
            return link.attempt_key
        return uuid.uuid4().hex

    def _remember(self, batches: Sequence[Batch]) -> None:
        now = clock.now()
        rows = []
        for batch in batches:
            for item in batch.items:
                item.link.attempt_key, item.link.attempted_at = batch.attempt, now
                rows.append((item.link.pk, batch.attempt, item.fingerprint))
        if rows:
            with self.connection.guard():
                write_attempts(rows, now=now, until=now + timedelta(seconds=LEASE_SECONDS))

    def dispatch(self) -> None:
        """Hand what is lined up to the threads, as room and the provider's limits allow."""
        while self._queued:
            while len(self._flying) >= self._room():
                self._collect()
            self._draw(self._queued[0])
            batch = self._queued.popleft()
            future = self._pool.submit(self._call, batch)
            self._flying[future] = batch
            future.add_done_callback(self._back.put)

    def _draw(self, batch: Batch) -> None:
        calls = 1
        if not batch.is_gone:
            calls = self.provider.calls_of(self.kind, is_new=not batch.items[0].remote)
        try:
            self.turn.draw(calls)
        except UsedUp:
            # What waits for a thread was drawn for: sent later, its calls would be lost to us.
            while self._flying:
                self._collect()
            raise

    def _room(self) -> int:
        """One probe at a time while the way there is thought to be broken."""
        return 1 if self.connection.is_out else self.provider.concurrency * CALLS_AHEAD

    def _call(self, batch: Batch) -> Answer:
        sending.send(sender=self.provider, items=batch.items)
        try:
            if batch.is_gone and isinstance(self.client, Archives):
                gone = [Gone(item.link.key, item.remote) for item in batch.items if item.remote]
                return self.client.archive(self.kind, gone, attempt=batch.attempt)
            sent = [Push(item.record, item.remote) for item in batch.items]
            return self.verbs.push(sent, attempt=batch.attempt)
        except ProviderError as error:
            return error

    def found(
        self, parts: Sequence[Sequence[Item]]
    ) -> Iterator[Sequence[Remote | None] | ProviderError]:
        """What there is of each part's records, asked side by side."""
        asked = [self._pool.submit(self._find, part) for part in parts]
        for future in asked:
            while not future.done():
                wait([future], timeout=LEASE_SECONDS / 3)
                self.turn.beat()
            yield future.result()

    def _find(self, items: Sequence[Item]) -> Sequence[Remote | None] | ProviderError:
        try:
            return self.verbs.find([item.record for item in items])
        except ProviderError as error:
            return error

    # -- coming back

    def _collect(self) -> None:
        """Take the answer that comes next, waiting a while for it."""
        try:
            # Not `futures.wait`: for each that comes it looks at all that are under way.
            future = self._back.get(timeout=LEASE_SECONDS / 3)
        except Empty:
            self.turn.beat()
            return
        self.turn.beat()
        self._settle(self._flying.pop(future), future.result())
        if len(self._results) >= WRITE_EVERY or not self._flying:
            self._write()

    def _settle(self, batch: Batch, answer: Answer) -> None:
        self._landed(batch, answer)
        trouble = landing.trouble(answer)
        if trouble:
            self._write()
            self.turn.report(trouble)
        else:
            self.connection.answered()

    def _landed(self, batch: Batch, answer: Answer) -> None:
        results = landing.results(batch.items, answer, self._terms(), clock.now())
        self.keep(results)
        links = [item.link for item in batch.items]
        landed.send(
            sender=self.provider,
            links=links,
            results=results,
            answer=answer,
            is_gone=batch.is_gone,
        )

    def _terms(self) -> landing.Terms:
        return landing.Terms(
            self.client.max_attempts, self.connection.is_out, self.provider.by_callback
        )

    def _land(self) -> None:
        """The run is ending: what was not sent is handed back, what was is waited for."""
        for future in list(self._flying):
            if future.cancel():
                self._queued.append(self._flying.pop(future))
        for batch in self._queued:
            self.keep(landing.unsent(batch.items, self._terms(), clock.now()))
        self._queued.clear()
        while self._flying:
            future, batch = self._flying.popitem()
            self._landed(batch, future.result())
        self._write()

    def keep(self, results: Iterable[Result]) -> None:
        """Hold results until the next write."""
        self._results += results

    def _write(self) -> None:
        results, self._results = self._results, []
        if not results:
            return
        taken = clashes.refused(self.connection, self.kind, results)
        if taken:
            links, refusals = zip(*taken, strict=True)
            landed.send(sender=self.provider, links=links, results=refusals, answer=None)
            again = {result.link_id: result for result in refusals}
            results = [again.get(result.link_id, result) for result in results]
        self.progress.count(results, self.log)
        self.turn.write(results)
        self.turn.watcher(self.progress)
