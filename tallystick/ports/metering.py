"""What a provider allows, and what its answers say is left of it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from tallystick.kit import clock


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `calls` within any `window` seconds. `scope` says who shares it: `connection`, or
    `app` for all connections with the same application credentials."""

    name: str
    calls: int
    window: int
    scope: str = "connection"


FRESH = 1.0
"""Seconds for which a statement of what is left may be compared with our own books."""


class Meter:
    """Counts the calls of one client and keeps what its latest answers stated to be left.

    Thread-safe. `take()` empties it into the books of whoever shares the limits.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls = 0
        self._stated: dict[str, tuple[float, int]] = {}

    def called(self) -> None:
        """A request is about to leave that counts against the limits."""
        with self._lock:
            self._calls += 1

    def answered(self, remaining: Mapping[str, int]) -> None:
        """An answer said what is left: limit name -> calls."""
        now = clock.ticking()
        with self._lock:
            for name, left in remaining.items():
                self._stated[name] = now, left

    def take(self) -> tuple[int, dict[str, int]]:
        """Calls since the last take, and what was stated to be left just now: while time passes,
        more is free again than a statement says."""
        now = clock.ticking()
        with self._lock:
            fresh = {name: left for name, (at, left) in self._stated.items() if now - at <= FRESH}
            taken = self._calls, fresh
            self._calls, self._stated = 0, {}
        return taken
