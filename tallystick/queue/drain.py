"""RowDrain: claim due rows, perform each, settle each."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from django.db import Error, connection
from django.db.models import Q

from tallystick.queue.hand import Hand
from tallystick.queue.leases import LeaseLost
from tallystick.queue.pulse import pulse
from tallystick.queue.reasons import place_of, reason_of
from tallystick.queue.registry import Budget
from tallystick.queue.stopping import HandBack

if TYPE_CHECKING:
    from tallystick.queue.rows import QueueRow

logger = logging.getLogger(__name__)
Row = TypeVar("Row", bound="QueueRow")

MOST_ATTEMPTS = 100
"""A row claimed so often and never settled kills its workers."""


@dataclass(frozen=True)
class RowDrain(Generic[Row]):
    """Drains one model's rows, `batch` claimed at a time."""

    model: type[Row]
    perform: Callable[[Row], object]
    batch: int

    def __call__(self, budget: Budget) -> int:
        """Work until nothing is due or `budget` is spent; returns how many rows were performed."""
        before = budget.done
        while not budget.spent:
            hand = Hand(self.model, min(self.batch, budget.left))
            self._play(hand, budget)
            if not hand.was_full:
                break
            hand.rest()
        return budget.done - before

    def one(self, row: Row, stopping: Callable[[], bool]) -> None:
        """Work on `row` alone, if it is still due."""
        hand = Hand(self.model, 1, among=Q(pk=row.pk))
        self._play(hand, Budget(stopping=stopping))

    def _play(self, hand: Hand[Row], budget: Budget) -> None:
        try:
            with pulse.calling(hand.beat, every=hand.beat_every):
                while not budget.spent and (row := hand.next_row()):
                    self._perform(row, hand)
                    budget.done += 1
        finally:
            hand.give_back()

    def _perform(self, row: Row, hand: Hand[Row]) -> None:
        try:
            self._attempt(row)
        except LeaseLost:
            hand.lost(row)
        else:
            hand.performed(row)

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


def _hand_back(row: QueueRow) -> None:
    try:
        row.release()
    except Error:
        # The interruption hit a statement under way: its connection is of no more use.
        connection.close()
        row.release()
