"""Xero's limits: calls at once, a minute, a day per organisation; a minute per app."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from pydantic import BaseModel, ConfigDict, Field

from tallystick.ports.sandboxing import Answer
from tallystick.providers.xero.sandbox.answers import problem

_HEADERS = {
    "minute": "x-minlimit-remaining",
    "day": "x-daylimit-remaining",
    "appminute": "x-appminlimit-remaining",
}


class Limits(BaseModel):
    """None: no such limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minute: int | None = Field(default=60, ge=1)
    day: int | None = Field(default=5000, ge=1)
    appminute: int | None = Field(default=10_000, ge=1)
    concurrent: int | None = Field(default=5, ge=1)

    @classmethod
    def off(cls) -> Limits:
        return cls(minute=None, day=None, appminute=None, concurrent=None)


class Window:
    """Calls within the last `seconds`, rolling."""

    def __init__(self, seconds: int) -> None:
        self._length = timedelta(seconds=seconds)
        self._times: deque[datetime] = deque()

    def used(self, now: datetime) -> int:
        while self._times and self._times[0] <= now - self._length:
            self._times.popleft()
        return len(self._times)

    def add(self, now: datetime) -> None:
        self._times.append(now)

    def free_in(self, now: datetime) -> int:
        """Whole seconds until the oldest call leaves the window."""
        if not self._times:
            return 0
        return max(1, math.ceil((self._times[0] + self._length - now).total_seconds()))


@dataclass(frozen=True, slots=True)
class Over:
    """The limit that a call would break. `retry_after`: seconds, None for calls at once."""

    limit: str
    retry_after: int | None

    def answer(self) -> Answer:
        headers = {"x-rate-limit-problem": self.limit}
        if self.retry_after is not None:
            headers["retry-after"] = str(self.retry_after)
        return problem(HTTPStatus.TOO_MANY_REQUESTS, "Rate limit exceeded", headers=headers)


class Gauge:
    """The calls of one organisation and its app. A refused call does not count."""

    def __init__(self) -> None:
        self.windows = {"appminute": Window(60), "day": Window(86_400), "minute": Window(60)}
        self.inside = 0
        self.highest = 0

    def enter(self, limits: Limits, now: datetime) -> Over | None:
        """Count a call, unless it is over a limit."""
        if limits.concurrent is not None and self.inside >= limits.concurrent:
            return Over("concurrent", None)
        for name, window in self.windows.items():
            most = getattr(limits, name)
            if most is not None and window.used(now) >= most:
                return Over(name, window.free_in(now))
        for name, window in self.windows.items():
            if getattr(limits, name) is not None:
                window.add(now)
        self.inside += 1
        self.highest = max(self.highest, self.inside)
        return None

    def leave(self) -> None:
        self.inside -= 1

    def headers(self, limits: Limits, now: datetime) -> dict[str, str]:
        """What is left of each limit there is."""
        left = {}
        for name, header in _HEADERS.items():
            most = getattr(limits, name)
            if most is not None:
                left[header] = str(max(0, most - self.windows[name].used(now)))
        return left
