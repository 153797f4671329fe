"""The embedded worker: one process that gives each queue with work its turn."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from typing import TypeVar

from django.conf import settings
from django.db import Error, connection

from tallystick.queue import turns
from tallystick.queue.models import Schedule
from tallystick.queue.registry import Budget, Queue
from tallystick.queue.stopping import HandBack, Stop

logger = logging.getLogger(__name__)

TURN_SECONDS = 2.0
WAIT_FOR_DATABASE = 1.0

T = TypeVar("T")


class Worker:
    """Drains `queues` in turn until `stop` says so; with `parent`, until that process is gone."""

    def __init__(self, queues: Sequence[Queue], stop: Stop, *, parent: int | None = None) -> None:
        self.queues = queues
        self.stop = stop
        self.parent = parent

    def run(self, *, once: bool = False) -> None:
        """Work; with `once`, until nothing is due."""
        try:
            self._patiently(Schedule.register)
            while not self._is_over():
                busy = self._patiently(self.round)
                if not busy and once:
                    break
                if not busy:
                    self.stop.wait(settings.WORKER_POLL_SECONDS)
            self.finish()
        except HandBack:
            logger.info("interrupted; what was held is handed back")
            self.finish()

    def round(self) -> bool:
        """One turn for each queue with work; answers whether anything was done."""
        done = 0
        for queue in turns.with_work(self.queues):
            if self._is_over():
                break
            done += turns.drain(queue, Budget(seconds=TURN_SECONDS, stopping=self._is_over))
        return bool(done)

    def finish(self) -> None:
        """Wait for what goes on in the background."""
        for queue in self.queues:
            queue.finish()

    def _patiently(self, step: Callable[[], T]) -> T | None:
        """`step`, tried until the database is there."""
        while not self._is_over():
            try:
                return step()
            except Error as error:
                logger.warning("the database does not answer: %s", type(error).__name__)
                connection.close()
                self.stop.wait(WAIT_FOR_DATABASE)
        return None

    def _is_over(self) -> bool:
        return self.stop() or (self.parent is not None and os.getppid() != self.parent)
