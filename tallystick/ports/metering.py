"""What a provider allows, and what its answers say is left of it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `calls` within any `window` seconds. `scope` says who shares it: `connection`, or
    `app` for all connections with the same application credentials."""

    name: str
    calls: int
    window: int
    scope: str = "connection"


class Meter:
    """Counts the calls of one client and keeps the lowest remainder its answers stated.

    Thread-safe. `take()` empties it into the books of whoever shares the limits.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls = 0
        self._remaining: dict[str, int] = {}

    def called(self) -> None:
        """A request is about to leave that counts against the limits."""
        with self._lock:
            self._calls += 1

    def answered(self, remaining: Mapping[str, int]) -> None:
        """An answer said what is left: limit name -> calls."""
        with self._lock:
            for name, left in remaining.items():
                self._remaining[name] = min(left, self._remaining.get(name, left))

    def take(self) -> tuple[int, dict[str, int]]:
        """Calls since the last take, and the lowest remainders stated since."""
        with self._lock:
            taken = self._calls, self._remaining
            self._calls, self._remaining = 0, {}
        return taken
