"""Hands: the threads that work the book off, and how they are called and sent home."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from tallystick.kit import clock

Step = Callable[[], float]
"""Does one thing if there is one to do; answers the seconds until the next."""

LONGEST_REST = 30.0
_AFTER_TROUBLE = 5.0

log = logging.getLogger(__name__)


class Hands:
    """One thread for each of `steps`. They look again whenever `ring` is called."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._called = threading.Condition()
        self._rings = 0
        self._stopping = False
        # Daemons: a call that hangs does not hold up the end, and what it was for is in the book.
        self._threads = [
            threading.Thread(target=self._run, args=[step], name=f"hand-{number}", daemon=True)
            for number, step in enumerate(steps)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def ring(self) -> None:
        """There is something new."""
        with self._called:
            self._rings += 1
            self._called.notify_all()

    def stop(self, *, seconds: float) -> bool:
        """Begin nothing new; answers whether all have finished within `seconds`."""
        with self._called:
            self._stopping = True
            self._called.notify_all()
        end = clock.ticking() + seconds
        for thread in self._threads:
            thread.join(max(end - clock.ticking(), 0))
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self, step: Step) -> None:
        while not self._stopping:
            heard = self._rings
            self._rest(self._tried(step), heard)

    def _tried(self, step: Step) -> float:
        try:
            return step()
        except Exception as error:  # noqa: BLE001 - the thread must outlive a full disk
            if not self._stopping:
                # Its text may quote what was at hand.
                log.error("The bridge cannot go on for now: %s", type(error).__name__)  # noqa: TRY400
            return _AFTER_TROUBLE

    def _rest(self, seconds: float, heard: int) -> None:
        with self._called:
            self._called.wait_for(
                lambda: self._stopping or self._rings != heard, min(seconds, LONGEST_REST)
            )
