from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection

from tallystick.kit import clock
from tallystick.queue.leases import LeaseLost, is_free, owner_name
from tests.queueapp.models import Machine

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
