from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from unittest import mock

import pytest
from django.db import connection

from tallystick.kit import clock
from tallystick.queue.leases import LeaseLost, is_free, owner_name
from tests.queueapp.models import Job, Machine

pytestmark = pytest.mark.django_db


@pytest.fixture
def time() -> Iterator[clock.VirtualClock]:
    with clock.use(clock.VirtualClock()) as virtual:
        yield virtual


@pytest.fixture
def machine() -> Machine:
    return Machine.objects.create(name="press")


def again(machine: Machine) -> Machine:
    """The same row, as another worker sees it."""
    return Machine.objects.get(pk=machine.pk)


def test_is_held_by_one(machine: Machine) -> None:
    other = again(machine)
    assert machine.acquire("a", 10)
    assert not other.acquire("b", 10)
    assert machine.lease_owner == "a"
    assert not Machine.objects.filter(is_free()).exists()


def test_is_taken_over_when_it_has_run_out(machine: Machine, time: clock.VirtualClock) -> None:
    machine.acquire("a", 10)
    time.advance(timedelta(seconds=10))
    assert Machine.objects.filter(is_free()).exists()
    heir = again(machine)
    assert heir.acquire("b", 10)
    assert heir.fence == machine.fence + 1


def test_a_heartbeat_keeps_it(machine: Machine, time: clock.VirtualClock) -> None:
    machine.acquire("a", 10)
    time.advance(timedelta(seconds=9))
    machine.heartbeat(10)
    time.advance(timedelta(seconds=9))
    assert not again(machine).acquire("b", 10)


def test_released_it_is_free(machine: Machine) -> None:
    machine.acquire("a", 10)
    machine.release()
    assert again(machine).acquire("b", 10)


def test_a_late_comer_gives_nothing_back_that_is_anothers(
    machine: Machine, time: clock.VirtualClock
) -> None:
    machine.acquire("a", 10)
    time.advance(timedelta(seconds=10))
    again(machine).acquire("b", 10)
    machine.release()
    assert not again(machine).acquire("c", 10)


def test_who_slept_past_it_writes_nothing(machine: Machine, time: clock.VirtualClock) -> None:
    machine.acquire("a", 10)
    time.advance(timedelta(seconds=10))
    again(machine).acquire("b", 10)
    with pytest.raises(LeaseLost):
        machine.heartbeat(10)
    with pytest.raises(LeaseLost), machine.guard():
        Machine.objects.update(name="late")
    assert again(machine).name == "press"


def test_guards_what_is_written(machine: Machine) -> None:
    machine.acquire("a", 10)
    with machine.guard():
        assert connection.in_atomic_block
        Machine.objects.update(name="written")
    assert again(machine).name == "written"


def test_the_owner_is_this_process() -> None:
    assert owner_name() == owner_name()
    assert 8 < len(owner_name()) <= 80


@pytest.mark.skipif(connection.vendor == "sqlite", reason="its users share one clock")
@pytest.mark.parametrize("wrong_by", [timedelta(minutes=-10), timedelta(minutes=10)])
def test_a_host_whose_clock_is_wrong_takes_nothing_from_others(
    machine: Machine, wrong_by: timedelta
) -> None:
    Job.objects.create(due_at=clock.now() - timedelta(hours=1))
    [job] = Job.claim(1, "a", 60)
    assert machine.acquire("a", 60)
    with clock.use(clock.VirtualClock(clock.now() + wrong_by)) as wrong, _as_the_system(wrong):
        assert Job.claim(1, "b", 60) == []
        assert not again(machine).acquire("b", 60)
        job.heartbeat(60)
        machine.heartbeat(60)
    assert Job.claim(1, "c", 60) == []
    assert not again(machine).acquire("c", 60)


def _as_the_system(wrong: clock.Clock) -> AbstractContextManager[object]:
    """The host's own clock, not one that simulates all clocks at once."""
    return mock.patch.object(clock, "SystemClock", type(wrong))
