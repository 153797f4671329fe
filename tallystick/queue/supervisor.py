"""Several worker processes under one parent, which replaces those that die."""

from __future__ import annotations

import logging
import multiprocessing
import os
import time
from collections.abc import Sequence
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess

from django.db import connections

from tallystick.queue.registry import Queue
from tallystick.queue.stopping import FINISH_SECONDS, LEAVE_SECONDS, Stop
from tallystick.queue.worker import Worker

logger = logging.getLogger(__name__)

RESTART_SECONDS = 1.0
"""A place is filled at most once in so long: what dies at once does not eat the machine."""

# Forked: what was imported is shared, and a replacement is at work at once.
_processes = multiprocessing.get_context("fork")


class Supervisor:
    def __init__(self, queues: Sequence[Queue], concurrency: int) -> None:
        self.queues = queues
        self.stop = Stop()
        self._places: list[ForkProcess | None] = [None] * concurrency
        self._filled_at = [float("-inf")] * concurrency

    def run(self) -> None:
        """Keep all places filled until told to stop, then end the children."""
        connections.close_all()
        with self.stop.on_signals(interrupt=False):
            while not self.stop():
                self._fill()
                wait([child.sentinel for child in self._children()], timeout=0.5)
            self._end()

    def _fill(self) -> None:
        for place, child in enumerate(self._places):
            if child and child.is_alive():
                continue
            if child:
                logger.warning("worker %s died (%s)", child.pid, child.exitcode)
                child.close()
                self._places[place] = None
            if time.monotonic() - self._filled_at[place] >= RESTART_SECONDS:
                self._filled_at[place] = time.monotonic()
                self._places[place] = self._start()

    def _start(self) -> ForkProcess:
        child = _processes.Process(target=_work, args=(self.queues, os.getpid()))
        child.start()
        return child

    def _end(self) -> None:
        until = time.monotonic() + FINISH_SECONDS + LEAVE_SECONDS
        for child in self._children():
            child.terminate()
        for child in self._children():
            child.join(max(until - time.monotonic(), 0.1))
            if child.is_alive():
                child.kill()

    def _children(self) -> list[ForkProcess]:
        return [child for child in self._places if child]


def _work(queues: Sequence[Queue], parent: int) -> None:
    stop = Stop()
    with stop.on_signals():
        Worker(queues, stop, parent=parent).run()
