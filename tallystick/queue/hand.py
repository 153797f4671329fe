"""Hand: the rows a worker has claimed and not settled yet."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

from django.db import connection

from tallystick.kit.clock import ticking
from tallystick.queue import statements
from tallystick.queue.clock import db_later
from tallystick.queue.leases import owner_name

if TYPE_CHECKING:
    from django.db.models import Q

    from tallystick.queue.rows import QueueRow

logger = logging.getLogger(__name__)
Row = TypeVar("Row", bound="QueueRow")

SUSPECT_ATTEMPTS = 3
"""A row claimed more often than this may be what kills its workers: it is worked on alone, so that
those claimed together with it are not charged for it."""
MARK_SECONDS = 0.005
"""Rows performed within so short a time are marked as done together. A worker that is killed in
between has them performed again, as any row it had performed and not marked."""
SQLITE_REST = 0.5
"""On SQLite, as a multiple of the time spent writing: who waits for its write lock looks after 1, 3
and 8 ms, and must find it free then."""


class Hand(Generic[Row]):
    """Those not begun, the one worked on, and those performed and not marked as done yet."""

    def __init__(self, model: type[Row], limit: int, *, among: Q | None = None) -> None:
        """Claim up to `limit` of what is due; `among` narrows the choice."""
        self._model = model
        self._seconds = model.lease_seconds
        self._until = ticking() + self._seconds
        self._writing = 0.0
        with self._timed():
            rows = model.claim(limit, owner_name(), self._seconds, among=among)
        self.was_full = len(rows) == limit
        self._waiting = deque(rows)
        self._current: Row | None = None
        self._performed: list[Row] = []
        self._marked_at = time.monotonic()
        if any(row.attempts > SUSPECT_ATTEMPTS for row in rows):
            self._keep_one()

    @property
    def beat_every(self) -> float:
        return self._seconds / 3

    def next_row(self) -> Row | None:
        """The next that is still ours; None when all are done or the lease has run out."""
        self._current = None
        while self._waiting and ticking() < self._until:
            row = self._waiting.popleft()
            if row.held:
                self._current = row
                return row
        return None

    def performed(self, row: Row) -> None:
        """Unless `row` was settled meanwhile it is done, and marked so within `MARK_SECONDS`."""
        if row.held:
            self._performed.append(row)
        if time.monotonic() - self._marked_at >= MARK_SECONDS:
            self._mark()

    def lost(self, row: Row) -> None:
        """Another worker took the row over."""
        logger.warning("%s %s: another worker took over", self._model._meta.label, row.pk)

    def beat(self) -> None:
        """Keep all of them for the lease's length from now; those lost are not held any more."""
        began = ticking()
        rows = [row for row in (self._current, *self._waiting) if row and row.held]
        if not rows:
            return
        mine = statements.held_by(rows)
        if mine.update(due_at=db_later(self._seconds)) != len(rows):
            ours = set(mine.values_list("pk", flat=True))
            for row in rows:
                row.held = row.held and row.pk in ours
        self._until = began + self._seconds

    def give_back(self) -> None:
        """Mark what is done and hand back what was not begun."""
        self._mark()
        left = [row for row in self._waiting if row.held]
        self._waiting.clear()
        self._model.release_many(left)

    def rest(self) -> None:
        """Leave room for other writers, where there can be only one at a time."""
        if connection.vendor == "sqlite":
            time.sleep(self._writing * SQLITE_REST)

    def _mark(self) -> None:
        rows, self._performed = self._performed, []
        if rows:
            with self._timed():
                lost = self._model.complete_many(rows)
            for row in lost:
                self.lost(row)
        self._marked_at = time.monotonic()

    def _keep_one(self) -> None:
        suspect = max(self._waiting, key=lambda row: row.attempts)
        self._waiting.remove(suspect)
        self._model.release_many(list(self._waiting))
        self._waiting = deque([suspect])

    @contextmanager
    def _timed(self) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self._writing += time.monotonic() - began
