from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx2
import pytest

from tallystick.kit import clock
from tallystick.providers.invoiceninja.pace import Pace
from tallystick.providers.invoiceninja.tests.answers import fixture, ninja

pytestmark = pytest.mark.usefixtures("virtual_time")


def test_the_first_goes_at_once_and_the_next_waits(virtual_time: clock.VirtualClock) -> None:
    start = virtual_time.now()
    pace = Pace(0.5)
    moments = []
    for _ in range(3):
        pace.take()
        moments.append((virtual_time.now() - start).total_seconds())
    assert moments == [0, 0.5, 1]


def test_who_comes_late_enough_does_not_wait(virtual_time: clock.VirtualClock) -> None:
    pace = Pace(0.5)
    pace.take()
    virtual_time.advance(timedelta(seconds=7))
    before = virtual_time.now()
    pace.take()
    assert virtual_time.now() == before


def test_no_pause_is_no_pause(virtual_time: clock.VirtualClock) -> None:
    before = virtual_time.now()
    pace = Pace(0)
    for _ in range(100):
        pace.take()
    assert virtual_time.now() == before


class _Watched:
    """A clock that stands still, and notes who wanted to sleep for how long."""

    def __init__(self) -> None:
        self._still = clock.VirtualClock()
        self._lock = threading.Lock()
        self.slept: list[float] = []

    def now(self) -> object:
        return self._still.now()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)


def test_threads_take_turns_without_waiting_for_each_other() -> None:
    """Each sleeps for its own turn: none with the lock in its hand, none twice."""
    watched = _Watched()
    with clock.use(watched):  # type: ignore[type-var] # `now` is a time all the same
        pace = Pace(0.5)
        with ThreadPoolExecutor(4) as pool:
            for future in [pool.submit(pace.take) for _ in range(4)]:
                future.result(timeout=10)
    assert sorted(watched.slept) == [0.5, 1.0, 1.5]


def test_a_server_that_states_its_limits_is_not_held_back(
    virtual_time: clock.VirtualClock,
) -> None:
    stated = httpx2.Response(
        200, content=fixture("company"), headers={"X-RateLimit-Remaining": "999"}
    )
    client, _ = ninja({"POST companies/current": stated}, request_delay=0.5)
    before = virtual_time.now()
    for _ in range(10):
        client.ping()
    assert virtual_time.now() == before


def test_a_server_that_states_none_is_asked_at_a_pace(virtual_time: clock.VirtualClock) -> None:
    client, _ = ninja({"POST companies/current": fixture("company")}, request_delay=0.5)
    before = virtual_time.now()
    for _ in range(11):
        client.ping()
    assert virtual_time.now() - before == timedelta(seconds=5)
