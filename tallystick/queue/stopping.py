"""How a worker is told to stop, and how soon it does."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

FINISH_SECONDS = 7.0
"""What is being worked on when the signal comes may take so long to end by itself."""
LEAVE_SECONDS = 2.0
"""... and so long, once interrupted, to hand back what it holds."""


class HandBack(BaseException):
    """Time is up for this worker: hand back what you hold. Not an `Exception`, so that no job takes
    it for a failure of its own."""


class Stop:
    """Whether this process is to end. In the main thread, SIGTERM and SIGINT say so."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._interrupts = True
        self._interrupted = False

    def __call__(self) -> bool:
        return self._asked.is_set()

    def ask(self) -> None:
        self._asked.set()

    def wait(self, seconds: float) -> bool:
        """Sleep, but not past being asked to stop; answers whether that has happened."""
        return self._asked.wait(seconds)

    @contextmanager
    def on_signals(self, *, interrupt: bool = True) -> Iterator[None]:
        """Listen to the signals while the block runs. With `interrupt`, after `FINISH_SECONDS` the work in hand is
        interrupted by `HandBack`; after `LEAVE_SECONDS` more the process ends: leases outlive it,
        and what it held is taken over when they run out."""
        self._interrupts = interrupt
        numbers = (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.signal(number, self._on_stop) for number in numbers}
        before[signal.SIGALRM] = signal.signal(signal.SIGALRM, self._on_time_up)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_stop(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if not self._asked.is_set():
            self._asked.set()
            if self._interrupts:
                signal.setitimer(signal.ITIMER_REAL, FINISH_SECONDS, LEAVE_SECONDS)

    def _on_time_up(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self._interrupted:
            os._exit(os.EX_TEMPFAIL)
        self._interrupted = True
        raise HandBack
