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
        """Raises `CreatedUnseen` unless between any two creates of one key it was looked up."""
        open_creates: set[tuple[Kind | None, str]] = set()
        for reading in self.readings:
            keys = {(reading.kind, key) for key in reading.keys}
            if reading.verb == "look":
                open_creates -= keys
            elif reading.verb == "create":
                if again := open_creates & keys:
                    raise CreatedUnseen(f"{len(again)} were sent twice unseen, as {min(again)}")
                open_creates |= keys
