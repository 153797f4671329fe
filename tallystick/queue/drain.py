"""RowDrain: claim due rows, perform each, settle each."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from django.db import Error, connection

from tallystick.queue import statements
from tallystick.queue.clock import db_later, ticking
from tallystick.queue.leases import LeaseLost, owner_name
from tallystick.queue.pulse import pulse
from tallystick.queue.reasons import place_of, reason_of
from tallystick.queue.stopping import HandBack

if TYPE_CHECKING:
    from tallystick.queue.registry import Budget
    from tallystick.queue.rows import QueueRow

logger = logging.getLogger(__name__)
Row = TypeVar("Row", bound="QueueRow")

SUSPECT_ATTEMPTS = 3
"""A row claimed more often than this may be what kills its workers: it is worked on alone, so that
those claimed together with it are not charged for it."""
MOST_ATTEMPTS = 100
"""A row claimed so often and never settled does kill its workers."""


@dataclass(frozen=True)
class RowDrain(Generic[Row]):
    """Drains one model's rows, `batch` claimed at a time."""

    model: type[Row]
    perform: Callable[[Row], object]
    batch: int

    def __call__(self, budget: Budget) -> int:
        """Work until nothing is due or `budget` is spent; returns how many rows were performed."""
        done = 0
        while not budget.spent:
            began = ticking()
            limit = min(self.batch, budget.left)
            rows = self.model.claim(limit, owner_name(), self.model.lease_seconds)
            hand = Hand(rows, self.model.lease_seconds, began)
            done += self._work(hand, budget)
            if len(rows) < limit:
                break
        return done

    def _work(self, hand: Hand[Row], budget: Budget) -> int:
        done = 0
        try:
            with pulse.calling(hand.beat, every=hand.seconds / 3):
                while not budget.spent and (row := hand.next_row()):
                    self._perform(row)
                    done += 1
                    budget.done += 1
        finally:
            hand.give_back()
        return done

    def _perform(self, row: Row) -> None:
        try:
            self._attempt(row)
        except LeaseLost:
            logger.warning("%s %s: another worker took over", self.model._meta.label, row.pk)

    def _attempt(self, row: Row) -> None:
        if row.attempts > max(MOST_ATTEMPTS, row.max_attempts):
            row.bury("Its worker died each time.")
            return
        try:
            self.perform(row)
        except LeaseLost:
            raise
        except (HandBack, SystemExit, KeyboardInterrupt):
            _hand_back(row)
            raise
        except Exception as error:  # noqa: BLE001 - a worker outlives whatever its jobs raise
            logger.warning(
                "%s %s: %s (%s)", self.model._meta.label, row.pk, reason_of(error), place_of(error)
            )
            if row.held:
                row.retry(error)
        else:
            if row.held:
                row.complete()


def _hand_back(row: QueueRow) -> None:
    try:
        row.release()
    except Error:
        # The interruption hit a statement under way: its connection is of no more use.
        connection.close()
        row.release()


class Hand(Generic[Row]):
    """The rows a worker has claimed and not begun, and the one it works on."""

    def __init__(self, rows: list[Row], seconds: float, began: float) -> None:
        self.seconds = seconds
        self._until = began + seconds
        self._waiting = deque(rows)
        self._current: Row | None = None
        if any(row.attempts > SUSPECT_ATTEMPTS for row in rows):
            self._keep_one()

    def next_row(self) -> Row | None:
        """The next that is still ours; None when all are done or the lease has run out."""
        self._current = None
        while self._waiting and ticking() < self._until:
            row = self._waiting.popleft()
            if row.held:
                self._current = row
                return row
        return None

    def beat(self) -> None:
        """Keep all of them for the lease's length from now; those lost are not held any more."""
        began = ticking()
        rows = [row for row in (self._current, *self._waiting) if row and row.held]
        if not rows:
            return
        mine = statements.held_by(rows)
        if mine.update(due_at=db_later(self.seconds)) != len(rows):
            ours = set(mine.values_list("pk", flat=True))
            for row in rows:
                row.held = row.held and row.pk in ours
        self._until = began + self.seconds

    def give_back(self) -> None:
        """Hand back what was not begun."""
        left = [row for row in self._waiting if row.held]
        self._waiting.clear()
        if left:
            type(left[0]).release_many(left)

    def _keep_one(self) -> None:
        first = max(self._waiting, key=lambda row: row.attempts)
        self._waiting.remove(first)
        self.give_back()
        self._waiting.append(first)
