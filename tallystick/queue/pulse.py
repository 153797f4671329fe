"""Pulse: a thread that keeps leases alive while their holder works."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import Error, connection

logger = logging.getLogger(__name__)

_TICK_SECONDS = 0.5


@dataclass(eq=False)
class _Beat:
    call: Callable[[], object]
    every: float
    due: float


class Pulse:
    """One thread for a process, started with the first lease it is to keep."""

    def __init__(self) -> None:
        self._beats: set[_Beat] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._asleep = False

    @contextmanager
    def calling(self, beat: Callable[[], object], *, every: float) -> Iterator[None]:
        """Have `beat` called every so many seconds while the block runs, in the pulse's thread and
        on a database connection of its own."""
        mine = _Beat(beat, every, time.monotonic() + every)
        with self._changed:
            self._beats.add(mine)
            self._wake()
        try:
            yield
        finally:
            with self._changed:
                self._beats.discard(mine)

    def _wake(self) -> None:
        if not self._thread or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)
            self._thread.start()
        elif self._asleep:
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                # With something to keep it looks every half second and need not be told of each
                # lease that comes and goes; with nothing it sleeps until told.
                self._asleep = not self._beats
                self._changed.wait(None if self._asleep else _TICK_SECONDS)
                self._asleep = False
                now = time.monotonic()
                due = [beat for beat in self._beats if beat.due <= now]
            for beat in due:
                beat.due = now + beat.every
                self._call(beat)

    @staticmethod
    def _call(beat: _Beat) -> None:
        try:
            beat.call()
        except Error as error:
            # The lease runs out; its holder sees that and starts nothing more under it.
            logger.warning("heartbeat failed: %s", type(error).__name__)
        finally:
            connection.close()


pulse = Pulse()
