from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from unittest import mock

import pytest

from tallystick.kit import clock
from tallystick.queue import schedules
from tallystick.queue.models import Schedule
from tallystick.queue.registry import Budget, named
from tallystick.queue.rows import State

pytestmark = pytest.mark.django_db


@pytest.fixture
def time() -> Iterator[clock.VirtualClock]:
    with clock.use(clock.VirtualClock()) as virtual:
        yield virtual


@pytest.fixture
def runs(time: clock.VirtualClock) -> Iterator[list[float]]:
    """When the routine "sweep", due every hour, has run, in hours from the beginning."""
    began, made = time.now(), []

    def sweep() -> None:
        made.append((time.now() - began) / timedelta(hours=1))

    with mock.patch.dict(schedules._routines, clear=True):
        schedules.schedule("sweep", every=3600, run=sweep)
        Schedule.register()
        yield made


def tick() -> None:
    named("schedules").drain(Budget())


def test_runs_every_so_often(runs: list[float], time: clock.VirtualClock) -> None:
    for _ in range(7):
        tick()
        time.advance(timedelta(minutes=30))
    assert runs == [0, 1, 2, 3]


def test_missed_runs_do_not_pile_up(runs: list[float], time: clock.VirtualClock) -> None:
    tick()
    time.advance(timedelta(hours=10))
    for _ in range(3):
        tick()
    assert runs == [0, 10]


def test_two_ticks_at_once_run_it_once(runs: list[float]) -> None:
    [claimed] = Schedule.claim(1, "another worker", 60)
    tick()
    assert runs == []
    claimed.perform()
    tick()
    assert runs == [0]


def test_a_restart_changes_nothing(runs: list[float], time: clock.VirtualClock) -> None:
    tick()
    time.advance(timedelta(minutes=30))
    Schedule.register()
    tick()
    assert runs == [0]


def test_a_new_rhythm_is_taken_over(runs: list[float]) -> None:
    schedules.schedule("sweep", every=60, run=lambda: None)
    Schedule.register()
    assert Schedule.objects.get().every == 60


def test_a_run_that_fails_is_tried_again_sooner(time: clock.VirtualClock) -> None:
    outcomes = [ValueError("no luck"), None]
    with mock.patch.dict(schedules._routines, clear=True):
        schedules.schedule("sweep", every=86_400, run=mock.Mock(side_effect=outcomes))
        Schedule.register()
        tick()
        row = Schedule.objects.get()
        assert (row.state, row.last_error) == (State.DUE, "ValueError: no luck")
        time.advance(timedelta(minutes=1))
        tick()
    row.refresh_from_db()
    assert (row.last_error, row.attempts) == ("", 0)
    assert row.due_at == time.now() + timedelta(days=1)


def test_what_this_version_does_not_know_is_left_to_others(time: clock.VirtualClock) -> None:
    row = Schedule.objects.create(name="of a newer version", every=60)
    tick()
    row.refresh_from_db()
    assert (row.state, row.attempts) == (State.DUE, 0)
    assert row.due_at > time.now()


def test_needs_a_rhythm() -> None:
    with pytest.raises(ValueError, match="second"):
        schedules.schedule("mad", every=0, run=lambda: None)
