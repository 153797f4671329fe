"""Recorder: every request that leaves, with what it asks for; the stand's own log has no bodies."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass

import httpx2

from tallystick.ports.records import Kind
from tests.reliability.venues import Reading, Venue


class CreatedUnseen(AssertionError):
    """A second create left without a look in between."""


@dataclass
class Recorder(httpx2.BaseTransport):
    """Hands everything on to `transport`."""

    venue: Venue
    transport: httpx2.BaseTransport

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self.readings: list[Reading] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        query = dict(request.url.params)
        reading = self.venue.read(request.method, request.url.path, query, request.read())
        with self._lock:
            self.readings.append(reading)
        return self.transport.handle_request(request)

    def verbs(self) -> Counter[str]:
        return Counter(reading.verb for reading in self.readings)

    def calls(self) -> int:
        """Those that count against a provider's limits."""
        return sum(reading.verb != "token" for reading in self.readings)

    def creates(self) -> Counter[tuple[Kind | None, str]]:
        """How often each key was sent to be made."""
        return Counter(
            (reading.kind, key)
            for reading in self.readings
            if reading.verb == "create"
            for key in reading.keys
        )

    def require_looks(self) -> None:
        """Raises `CreatedUnseen` unless between any two creates of one key it was looked up, or the
        second was told to be the same as the first."""
        open_creates: dict[tuple[Kind | None, str], Reading] = {}
        for reading in self.readings:
            for key in reading.keys:
                before = open_creates.get((reading.kind, key))
                if reading.verb == "look":
                    open_creates.pop((reading.kind, key), None)
                elif reading.verb == "create":
                    if before and not _is_told(before, reading):
                        raise CreatedUnseen(f"{reading.kind} {key} was sent twice unseen")
                    open_creates[reading.kind, key] = reading


def _is_told(first: Reading, second: Reading) -> bool:
    """Whether the receiver can tell from the identity that both are one, or that they are not."""
    if not second.identity:
        return False
    return second.identity == first.identity or second.content != first.content
