"""Pace: a pause between requests, for servers that state no limits of their own."""

from __future__ import annotations

import threading

from tallystick.kit import clock


class Pace:
    """At most one request every `seconds`; 0 is no pause. Safe to share by threads: each takes the
    next free moment and waits for its own, holding up nobody."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._free_at: float | None = None

    def take(self) -> None:
        """Return when it is this request's turn."""
        with self._lock:
            now = clock.ticking()
            turn = now if self._free_at is None else max(now, self._free_at)
            self._free_at = turn + self._seconds
        if turn > now:
            clock.sleep(turn - now)

    def lift(self) -> None:
        """The server states its limits: from now on they count, and there is no pause."""
        with self._lock:
            self._seconds, self._free_at = 0.0, None
