"""The throttle: none where people host it themselves, so many calls a minute where it is hosted."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from http import HTTPStatus

from pydantic import BaseModel, ConfigDict, Field

from tallystick.ports.sandboxing import Answer
from tallystick.providers.invoiceninja.sandbox.answers import refusal

_MINUTE = timedelta(minutes=1)


class Limits(BaseModel):
    """None: no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minute: int | None = Field(default=None, ge=1)

    @classmethod
    def hosted(cls) -> Limits:
        """As at invoicing.co."""
        return cls(minute=1000)


class Gauge:
    """The calls of the minute that the first of them began. A refused call does not count."""

    def __init__(self) -> None:
        self._begun: datetime | None = None
        self._used = 0

    def enter(self, limits: Limits, now: datetime) -> Answer | None:
        """Count a call, or say that there are too many."""
        if limits.minute is None:
            return None
        if self._begun is None or not self._begun <= now < self._begun + _MINUTE:
            self._begun, self._used = now, 0
        if self._used >= limits.minute:
            rest = self._begun + _MINUTE - now
            return too_many({"retry-after": str(math.ceil(rest.total_seconds()))})
        self._used += 1
        return None

    def headers(self, limits: Limits) -> dict[str, str]:
        if limits.minute is None:
            return {}
        left = max(0, limits.minute - self._used)
        return {"x-ratelimit-limit": str(limits.minute), "x-ratelimit-remaining": str(left)}


def too_many(headers: dict[str, str]) -> Answer:
    return refusal(HTTPStatus.TOO_MANY_REQUESTS, "Too Many Attempts.", headers)
