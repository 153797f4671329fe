"""Faults to order: what goes wrong with a call, how often, and for which calls.

A fault is a value; `Faults` holds those that are switched on. The driver (the server on a real
socket, `transport` in process) brings them about.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class FaultKind(StrEnum):
    LATENCY = "latency"
    REFUSED = "refused"
    BLACK_HOLE = "black hole"
    LOST_ANSWER = "lost answer"
    HANG_UP = "hang up"
    RESET = "reset in the body"
    TRUNCATED = "truncated body"
    HTML = "html"
    SLOW_BODY = "slow body"
    STATUS = "status"
    TOO_MANY = "too many"
    TOKEN_EXPIRED = "token expired"  # noqa: S105 - the name of a fault

    @property
    def told(self) -> str:
        """What it does, in a sentence."""
        return _TOLD[self]


_TOLD = {
    FaultKind.LATENCY: "The answer takes longer. Goes together with any other fault.",
    FaultKind.REFUSED: "The connection is not accepted; an open one is reset.",
    FaultKind.BLACK_HOLE: "No answer, ever. Not carried out.",
    FaultKind.LOST_ANSWER: "No answer, ever. Carried out.",
    FaultKind.HANG_UP: "Closed without an answer, as a stale connection is. Not carried out.",
    FaultKind.RESET: "Half of the body, then a reset. Carried out.",
    FaultKind.TRUNCATED: "200 with the first half of the JSON. Carried out.",
    FaultKind.HTML: "200 with a page of HTML, as from a proxy on the way. Carried out.",
    FaultKind.SLOW_BODY: "The body at one byte a second. Carried out.",
    FaultKind.STATUS: "An error from a gateway. Not carried out.",
    FaultKind.TOO_MANY: "429 in the provider's own shape. Not carried out.",
    FaultKind.TOKEN_EXPIRED: "All access tokens end just before the call.",
}
_SPOILS_THE_ANSWER = {FaultKind.RESET, FaultKind.TRUNCATED, FaultKind.SLOW_BODY}
_CARRIED_OUT = {FaultKind.LOST_ANSWER, FaultKind.HTML}


class Fault(BaseModel):
    """One fault. Empty `method` and `path` match every call; `path` is found anywhere in the path,
    whatever its case. `times` None: until switched off. `committed` overrides whether the call is
    carried out before the fault strikes, for the kinds that do not spoil a real answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: FaultKind
    method: str = ""
    path: str = ""
    times: int | None = Field(default=None, ge=1)
    probability: float = Field(default=1.0, gt=0, le=1)
    seconds: float = Field(default=0.0, ge=0)
    status: int = Field(default=503, ge=100, le=599)
    retry_after: float | None = 30
    retry_after_form: Literal["seconds", "date"] = "seconds"
    committed: bool | None = None

    def matches(self, method: str, path: str) -> bool:
        right_method = not self.method or self.method.upper() == method.upper()
        return right_method and self.path.lower() in path.lower()

    @property
    def carried_out(self) -> bool:
        if self.kind in _SPOILS_THE_ANSWER:
            return True
        return self.kind in _CARRIED_OUT if self.committed is None else self.committed


class Armed:
    """A fault that is switched on: how often it struck, how often it still may."""

    def __init__(self, number: int, fault: Fault) -> None:
        self.number = number
        self.fault = fault
        self.struck = 0

    @property
    def spent(self) -> bool:
        return self.fault.times is not None and self.struck >= self.fault.times

    def strikes(self, method: str, path: str, rng: random.Random) -> bool:
        """Whether it strikes this call; counts it if so."""
        if self.spent or not self.fault.matches(method, path):
            return False
        # A certain fault draws nothing, so that adding one does not shift another's sequence.
        if self.fault.probability < 1 and rng.random() >= self.fault.probability:
            return False
        self.struck += 1
        return True


class Faults:
    """The faults switched on at one stand, oldest first. Thread-safe; the same `seed` and calls
    give the same faults."""

    def __init__(self, faults: Iterable[Fault] = (), *, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._rng = random.Random(seed)  # noqa: S311 - replayable, not secret
        self._numbers = 0
        self._armed: list[Armed] = []
        for fault in faults:
            self.switch_on(fault)

    def switch_on(self, fault: Fault) -> int:
        """Its number, by which it can be switched off."""
        with self._lock:
            self._numbers += 1
            self._armed.append(Armed(self._numbers, fault))
            return self._numbers

    def switch_off(self, number: int) -> bool:
        """Whether there was such a fault."""
        with self._lock:
            kept = [armed for armed in self._armed if armed.number != number]
            found = len(kept) < len(self._armed)
            self._armed = kept
            return found

    def clear(self) -> None:
        with self._lock:
            self._armed = []

    def reseed(self, seed: int) -> None:
        with self._lock:
            self._rng = random.Random(seed)  # noqa: S311 - replayable, not secret

    def armed(self) -> list[Armed]:
        with self._lock:
            return list(self._armed)

    def strike(self, method: str, path: str) -> tuple[float, Fault | None]:
        """What happens to this call: seconds of latency, and the first other fault that strikes."""
        if not self._armed:
            return 0.0, None
        seconds, other = 0.0, None
        with self._lock:
            for armed in self._armed:
                is_latency = armed.fault.kind is FaultKind.LATENCY
                if (is_latency or other is None) and armed.strikes(method, path, self._rng):
                    seconds += armed.fault.seconds if is_latency else 0
                    other = other if is_latency else armed.fault
        return seconds, other
