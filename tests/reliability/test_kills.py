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
from tests.reliability.kills import LEASE, WEB_TOO, Plan, Siege, besieged
from tests.reliability.venues import Venue, venues
from tests.reliability.worker import LATENCY, POINTS

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

BROKER = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/9")


of_the_engine = pytest.mark.parametrize(
    "venue", venues()[:1], ids=lambda venue: venue.provider.type
)
"""What is the same for all providers is tried with one."""
others = pytest.mark.parametrize("venue", venues()[1:], ids=lambda venue: venue.provider.type)


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


@of_the_engine
def test_one_worker_no_keys_there(venue: Venue, sandbox: Running) -> None:
    kills.run(Plan(workers=1, keys=False), venue, sandbox).require_clean()


@of_the_engine
def test_three_workers(venue: Venue, sandbox: Running) -> None:
    kills.run(Plan(workers=3, keys=True), venue, sandbox).require_clean()


@others
def test_three_workers_and_who_hears_callbacks(venue: Venue, sandbox: Running) -> None:
    """Where there are callbacks, the web server is killed as well."""
    plan = Plan(records=300, kills=WEB_TOO, workers=3, keys=False, spread=True)
    kills.run(plan, venue, sandbox).require_clean()


@of_the_engine
def test_three_workers_on_celery(venue: Venue, sandbox: Running, broker: str) -> None:
    plan = Plan(workers=3, keys=False, broker=broker)
    kills.run(plan, venue, sandbox).require_clean()


def test_at_each_phase_boundary(venue: Venue, sandbox: Running) -> None:
    plan = Plan(records=120, keys=False)
    with besieged(plan, venue, sandbox) as siege:
        # What a go-between accepts is told later: there is no answer in the worker to die after.
        points = POINTS[:3] if siege.web else POINTS
        for number, point in enumerate(points):
            # What a callback has settled is not crossed again.
            crossing = 1 if siege.web else 1 + number % 2
            siege.kill_at(f"{point}:{crossing}")
        siege.settle(restart=True).require_clean()
        assert siege.kills == len(points)


@of_the_engine
def test_with_the_lease_as_it_is(venue: Venue, sandbox: Running) -> None:
    """The suites shorten it to see many kills; this one waits it out."""
    with besieged(Plan(records=60, keys=False, lease=None), venue, sandbox) as siege:
        siege.kill_at("in flight:1")
        siege.settle(restart=True).require_clean()


def test_without_the_look_there_are_doubles(venue: Venue, sandbox: Running) -> None:
    """The control: with neither look nor keys, a create under way at the kill is made again."""
    if venue.provider.by_callback:
        pytest.skip("It bears repeats; its control is that of R5: test_lost_answers.py.")
    plan = Plan(records=120, keys=False, without="look")
    with besieged(plan, venue, sandbox) as siege:
        kinds = Link.objects.values("kind").distinct().count()
        siege.kill_at(f"after the answer:{kinds}")  # the last of them is sent, and not remembered
        for _ in range(2):
            siege.kill_at("after the answer:1")
        report = siege.settle(restart=True)
    with pytest.raises(AssertionError):
        report.require_clean()
    assert report.doubled > 0


PUSHED = (
    "pk",
    "state",
    "due_at",
    "attempts",
    "remote_id",
    "fingerprint",
    "attempt_key",
    "synced_at",
)
"""What a push writes; a catch-up may meanwhile write the rest."""


def _overtaken(venue: Venue, sandbox: Running, without: str) -> tuple[object, object]:
    """One worker sleeps with answers in its hand until another has done everything, then wakes;
    answers all links before and after."""
    plan = Plan(records=60, keys=False, without=without)
    with besieged(plan, venue, sandbox) as siege:
        sleeper = siege.start(RELIABILITY_PAUSE="after the answer:1")
        _await_stopped(siege, sleeper.pid)
        siege.settle(restart=True).require_clean()
        before = list(Link.objects.order_by("pk").values(*PUSHED))
        sleeper.send(signal.SIGCONT)
        time.sleep(2 * LEASE)
        after = list(Link.objects.order_by("pk").values(*PUSHED))
        siege.settle().require_clean()
    return before, after


def _await_stopped(siege: Siege, pid: int) -> None:
    def is_stopped() -> bool:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123 - not a file
            return file.read().rpartition(")")[2].split()[0] == "T"

    siege.await_(is_stopped)


@of_the_engine
def test_a_worker_paused_past_its_lease_writes_nothing(venue: Venue, sandbox: Running) -> None:
    before, after = _overtaken(venue, sandbox, without="")
    assert before == after


@of_the_engine
def test_without_the_fence_it_would(venue: Venue, sandbox: Running) -> None:
    """The control."""
    before, after = _overtaken(venue, sandbox, without="fence")
    assert before != after


@of_the_engine
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
