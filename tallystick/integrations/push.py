"""PushRun: send what is due of one kind at one connection.

    due -> load -> record -> same fingerprint? done -> batch -> remember the attempt -> send -> result

A link whose earlier create got no answer is looked up first: `recovery`.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q

from tallystick.integrations import landing, recovery
from tallystick.integrations.links import Link, LinkQuerySet
from tallystick.integrations.logs import SyncLog
from tallystick.integrations.outgoing import Item, prepare
from tallystick.integrations.results import Result, write_attempts
from tallystick.integrations.turns import CALLS_AHEAD, LEASE_SECONDS, Progress, Turn, UsedUp
from tallystick.kit import clock
from tallystick.ports.errors import ProviderError
from tallystick.ports.records import Kind
from tallystick.ports.roles import Outcome, Push, pusher
from tallystick.queue.rows import State

WRITE_EVERY = 200
PAGE_LEAST, PAGE_MOST = 200, 1000
"""Links looked at in one go, whatever the provider takes per call: memory is bounded by it."""

UNREAD = ("lease_owner", "fence", "created_at", "updated_at", "update_marked_at", "difference")
"""Columns of a link that a push has no use for."""


@dataclass(slots=True)
class Batch:
    """Items that go in one call, under one identity: all creates or all updates."""

    items: list[Item]
    attempt: str


Answer = list[Outcome] | ProviderError


class PushRun:
    """One run; `run()` does it all. Calls are made by threads, the database is ours alone."""

    def __init__(self, turn: Turn, kind: Kind) -> None:
        self.turn, self.kind = turn, kind
        self.connection = turn.connection
        self.provider = turn.connection.provider
        self.progress = Progress(kind.value)
        self._results: list[Result] = []
        self._queued: deque[Batch] = deque()
        self._flying: dict[Future[Answer], Batch] = {}

    def run(self) -> None:
        verbs = pusher(self.turn.client, self.kind)
        if not verbs or not self.due().exists():
            return
        self.verbs = verbs
        with self.turn.logged(SyncLog.Direction.PUSH, self.kind.value) as self.log:
            self._pool = ThreadPoolExecutor(self.provider.concurrency, "push")
            try:
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
            self.queue(self.prepared(page))
            self.dispatch()
            page = self._page()
        while self._flying:
            self._collect()

    # -- what is due

    def due(self) -> LinkQuerySet:
        return Link.objects.due().filter(connection=self.connection, kind=self.kind.value)

    def _page(self) -> list[Link]:
        """The next due links that are not under way; those with lost answers are not for here."""
        size = self.provider.batch_size * self.provider.concurrency * CALLS_AHEAD
        size = min(max(size, PAGE_LEAST), PAGE_MOST)
        flying = {item.link.pk for batch in self._flying.values() for item in batch.items}
        due = self.due().filter(Q(attempt_key="") | ~Q(remote_id="")).order_by("due_at", "id")
        found = due.defer(*UNREAD)[: size + len(flying)]
        return [link for link in found if link.pk not in flying][:size]

    def prepared(self, links: Sequence[Link]) -> list[Item]:
        """What of `links` is to be sent; the rest is settled without a call."""
        self.turn.beat()
        prepared = prepare(self.connection, links, clock.now())
        self.keep(prepared.settled)
        self._write()
        return prepared.items

    # -- under way

    def queue(self, items: Sequence[Item], *, attempt: str = "") -> None:
        """Line up `items`, creates apart from updates, cut to what a call takes. What goes under
        which identity is written down first: a crash is followed by a look, not a second create."""
        size = self.provider.batch_size
        ordered = sorted(items, key=lambda item: (bool(item.remote), item.link.pk))
        batches: list[Batch] = []
        for same in (
            [item for item in ordered if not item.remote],
            [item for item in ordered if item.remote],
        ):
            batches += [
                Batch(same[start : start + size], attempt or uuid.uuid4().hex)
                for start in range(0, len(same), size)
            ]
        self._remember(batches)
        self._queued += batches

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
            self._draw()
            batch = self._queued.popleft()
            self._flying[self._pool.submit(self._call, batch)] = batch

    def _draw(self) -> None:
        try:
            self.turn.draw()
        except UsedUp:
            # What waits for a thread was drawn for: sent later, its calls would be lost to us.
            while self._flying:
                self._collect()
            raise

    def _room(self) -> int:
        """One probe at a time while the way there is thought to be broken."""
        return 1 if self.connection.is_out else self.provider.concurrency * CALLS_AHEAD

    def _call(self, batch: Batch) -> Answer:
        sent = [Push(item.record, item.remote) for item in batch.items]
        try:
            return self.verbs.push(sent, attempt=batch.attempt)
        except ProviderError as error:
            return error

    # -- coming back

    def _collect(self) -> None:
        """Take what has come back, waiting a while for an answer."""
        done, _ = wait(self._flying, timeout=LEASE_SECONDS / 3, return_when=FIRST_COMPLETED)
        self.turn.beat()
        for future in done:
            self._settle(self._flying.pop(future), future.result())
        if len(self._results) >= WRITE_EVERY or not self._flying:
            self._write()

    def _settle(self, batch: Batch, answer: Answer) -> None:
        self.keep(landing.results(batch.items, answer, self.connection, clock.now()))
        trouble = landing.trouble(answer)
        if trouble:
            self._write()
            self.turn.report(trouble)
        else:
            self.connection.answered()

    def _land(self) -> None:
        """The run is ending: what was not sent is handed back, what was is waited for."""
        for future in list(self._flying):
            if future.cancel():
                self._queued.append(self._flying.pop(future))
        for batch in self._queued:
            self.keep(landing.unsent(batch.items, clock.now()))
        self._queued.clear()
        while self._flying:
            done, _ = wait(self._flying, return_when=FIRST_COMPLETED)
            for future in done:
                items = self._flying.pop(future).items
                self.keep(landing.results(items, future.result(), self.connection, clock.now()))
        self._write()

    def keep(self, results: Iterable[Result]) -> None:
        """Count and hold results until the next write."""
        for result in results:
            self._results.append(result)
            if result.state == State.DEAD:
                self.progress.failed += 1
                self.log.failed(result.label, result.last_error)
            elif result.state == State.DONE and result.fresh:
                self.progress.done += 1
                self.log.synced_records += 1
            elif result.state == State.DONE:
                self.progress.unchanged += 1
                self.log.unchanged_records += 1

    def _write(self) -> None:
        if self._results:
            results, self._results = self._results, []
            self.turn.write(results)
            self.turn.watcher(self.progress)
