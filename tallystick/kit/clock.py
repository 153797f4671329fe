"""The clock: where the time is read. Tests and simulations put a virtual one in its place."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, aware, in UTC."""

    def sleep(self, seconds: float) -> None:
        """Return `seconds` later, by this clock."""


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class VirtualClock:
    """A clock that stands still until told: sleeping moves it at once."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        self.advance(timedelta(seconds=seconds))

    def advance(self, by: timedelta) -> None:
        self._now += by


C = TypeVar("C", bound="Clock")

_current: Clock = SystemClock()


def current() -> Clock:
    return _current


def now() -> datetime:
    """The time by the clock in use, aware, in UTC."""
    return _current.now()


def sleep(seconds: float) -> None:
    _current.sleep(seconds)


def ticking() -> float:
    """Seconds that only grow, to measure spans within one process."""
    if isinstance(_current, SystemClock):
        return time.monotonic()
    return _current.now().timestamp()


@contextmanager
def use(clock: C) -> Iterator[C]:
    """Put `clock` in place, for the whole process, while the block runs."""
    global _current
    before, _current = _current, clock
    try:
        yield clock
    finally:
        _current = before
