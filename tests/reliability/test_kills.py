"""R1: killed again and again, the push loses nothing and repeats nothing.

Larger: `python -m benchmarks.r1_kills --full`.
"""

from __future__ import annotations

import os
import signal
import time

import pytest
import redis

from tallystick.integrations.links import Link
from tallystick.sandbox.running import Running
from tests.reliability import kills
from tests.reliability.kills import LEASE, Plan, Siege, besieged
from tests.reliability.venues import Venue
from tests.reliability.worker import LATENCY, POINTS

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

BROKER = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/9")


@pytest.fixture
def broker() -> str:
    client = redis.Redis.from_url(BROKER)
    try:
        client.ping()
        client.delete("tallystick")
    except redis.ConnectionError:
        pytest.skip(f"no Redis at {BROKER}: apt-get install redis-server, or set REDIS_URL")
    finally:
        client.close()
    return BROKER


def test_one_worker_no_keys_there(venue: Venue, sandbox: Running) -> None:
    kills.run(Plan(workers=1, keys=False), venue, sandbox).require_clean()


def test_three_workers(venue: Venue, sandbox: Running) -> None:
    kills.run(Plan(workers=3, keys=True), venue, sandbox).require_clean()


def test_three_workers_on_celery(venue: Venue, sandbox: Running, broker: str) -> None:
    plan = Plan(workers=3, keys=False, broker=broker)
    kills.run(plan, venue, sandbox).require_clean()


def test_at_each_phase_boundary(venue: Venue, sandbox: Running) -> None:
    plan = Plan(records=120, keys=False)
    with besieged(plan, venue, sandbox) as siege:
        for number, point in enumerate(POINTS):
            siege.kill_at(f"{point}:{1 + number % 2}")
        siege.settle(restart=True).require_clean()
        assert siege.kills == len(POINTS)


def test_with_the_lease_as_it_is(venue: Venue, sandbox: Running) -> None:
    """The suites shorten it to see many kills; this one waits it out."""
    with besieged(Plan(records=60, keys=False, lease=None), venue, sandbox) as siege:
        siege.kill_at("in flight:1")
        siege.settle(restart=True).require_clean()


def test_without_the_look_there_are_doubles(venue: Venue, sandbox: Running) -> None:
    """The control: with neither look nor keys, a create under way at the kill is made again."""
    plan = Plan(records=120, keys=False, without="look")
    with besieged(plan, venue, sandbox) as siege:
        for _ in range(3):
            siege.kill_at("after the answer:2")
        report = siege.settle(restart=True)
    with pytest.raises(AssertionError):
        report.require_clean()
    assert report.doubled > 0


def _overtaken(venue: Venue, sandbox: Running, without: str) -> tuple[object, object]:
    """One worker sleeps with answers in its hand until another has done everything, then wakes;
    answers all links before and after."""
    plan = Plan(records=60, keys=False, without=without)
    with besieged(plan, venue, sandbox) as siege:
        sleeper = siege.start(RELIABILITY_PAUSE="after the answer:1")
        _await_stopped(siege, sleeper.pid)
        siege.settle(restart=True).require_clean()
        before = list(Link.objects.order_by("pk").values())
        sleeper.send(signal.SIGCONT)
        time.sleep(2 * LEASE)
        after = list(Link.objects.order_by("pk").values())
        siege.settle().require_clean()
    return before, after


def _await_stopped(siege: Siege, pid: int) -> None:
    def is_stopped() -> bool:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123 - not a file
            return file.read().rpartition(")")[2].split()[0] == "T"

    siege.await_(is_stopped)


def test_a_worker_paused_past_its_lease_writes_nothing(venue: Venue, sandbox: Running) -> None:
    before, after = _overtaken(venue, sandbox, without="")
    assert before == after


def test_without_the_fence_it_would(venue: Venue, sandbox: Running) -> None:
    """The control."""
    before, after = _overtaken(venue, sandbox, without="fence")
    assert before != after


def test_told_to_stop_while_a_provider_hangs_it_ends_in_time(
    venue: Venue, sandbox: Running
) -> None:
    with besieged(Plan(records=30, keys=False), venue, sandbox) as siege:
        siege.client.fault("black hole", path=venue.api_path)
        worker = siege.start()
        siege.await_(lambda: Link.objects.exclude(attempt_key="").exists())
        time.sleep(LATENCY)
        worker.send(signal.SIGTERM)
        worker.wait(10)
        siege.client.clear_faults()
        siege.settle(restart=True).require_clean()
