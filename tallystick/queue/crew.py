"""Crew: threads that each work on one row for as long as it takes, while the worker's loop goes on.

For rows that mostly wait for the network, connections and mails: what one of them waits for holds up
neither the others nor the other queues.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from django.db import InterfaceError, OperationalError, connections
from django.db.models import Model, QuerySet

from tallystick.queue.reasons import place_of, reason_of
from tallystick.queue.registry import Budget

logger = logging.getLogger(__name__)

WIDTH = 16
"""Threads. Each has a database connection while it works."""
WATCH_SECONDS = 0.1
"""How long a drain waits for one of them to end before the other queues have their turn."""
PACE_SECONDS = 0.5
"""A row begun less than so long ago is not begun again: should it have work that its turn does not
do, the machine is spared."""

Row = TypeVar("Row", bound=Model)
Stopping = Callable[[], bool]


class Crew(Generic[Row]):
    """`query` finds rows with work that nobody holds, the longest unserved first; `perform` works
    on one until nothing is left or it is told to stop."""

    def __init__(
        self,
        query: Callable[[], QuerySet[Row]],
        perform: Callable[[Row, Stopping], object],
        *,
        width: int = WIDTH,
    ) -> None:
        self._query, self._perform, self._width = query, perform, width
        self._changed = threading.Condition()
        self._busy: set[object] = set()
        self._begun: dict[object, float] = {}
        self._ended = 0
        self._finishing = False

    def has_work(self) -> bool | QuerySet[Row]:
        """Also while one of them works: who waits for the end of all work is to wait for that."""
        return bool(self._busy) or self._query()

    def drain(self, budget: Budget) -> int:
        """Set threads to what has work. Answers how many ended, go on or are soon begun again; does
        not wait for them."""
        before = self._ended
        postponed = self._hire(budget.stopping)
        with self._changed:
            if (self._busy or postponed) and self._ended == before:
                self._changed.wait(WATCH_SECONDS)
            done = self._ended - before
            budget.done += done
            return done + len(self._busy) + postponed

    def finish(self) -> None:
        """Have all of them stop, and wait for it."""
        with self._changed:
            self._finishing = True
            try:
                while self._busy:
                    self._changed.wait()
            finally:
                self._finishing = False

    def _hire(self, stopping: Stopping) -> int:
        """Begin what there is room for. Answers how many are put off."""
        room = self._width - len(self._busy)
        if room <= 0 or stopping():
            return 0
        now = time.monotonic()
        self._begun = {pk: at for pk, at in self._begun.items() if now - at < PACE_SECONDS}
        rows = self._query().exclude(pk__in=list(self._busy))[: room + len(self._begun)]
        fresh = [row for row in rows if row.pk not in self._begun]
        for row in fresh[:room]:
            self._begin(row, now, stopping)
        return len(rows) - len(fresh)

    def _begin(self, row: Row, now: float, stopping: Stopping) -> None:
        self._busy.add(row.pk)
        self._begun[row.pk] = now
        # Daemons: a process that is told to end now does not wait for the network.
        threading.Thread(
            target=self._work, args=(row, stopping), name=f"crew-{row.pk}", daemon=True
        ).start()

    def _work(self, row: Row, stopping: Stopping) -> None:
        try:
            self._perform(row, lambda: self._finishing or stopping())
        except (OperationalError, InterfaceError) as error:
            logger.warning("the database does not answer: %s", type(error).__name__)
        except Exception as error:  # noqa: BLE001 - one broken row does not stop the others
            logger.error(  # noqa: TRY400 - its message may hold what a log must not
                "%s %s: %s (%s)", row._meta.label, row.pk, reason_of(error), place_of(error)
            )
        finally:
            connections.close_all()
            with self._changed:
                self._busy.discard(row.pk)
                self._ended += 1
                self._changed.notify_all()
