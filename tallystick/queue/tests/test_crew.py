from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

import pytest
from django.db.models import QuerySet

from tallystick.queue import crew as crew_module
from tallystick.queue.crew import Crew, Stopping
from tallystick.queue.leases import is_free
from tallystick.queue.registry import Budget
from tests.queueapp.models import Machine

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 10.0


class Floor:
    """Machines that are served until `doors` open, or they are told to stop."""

    def __init__(self, *names: str, width: int = 16) -> None:
        for name in names:
            Machine.objects.create(name=name)
        self.doors = threading.Event()
        self.begun: Counter[str] = Counter()
        self.crew = Crew(self._idle, self._serve, width=width)

    @staticmethod
    def _idle() -> QuerySet[Machine]:
        return Machine.objects.filter(is_free()).order_by("pk")

    def _serve(self, machine: Machine, stopping: Stopping) -> None:
        if not machine.acquire(threading.current_thread().name, 60):
            return
        self.begun[machine.name] += 1
        try:
            if machine.name == "broken":
                raise RuntimeError(machine.name)
            while not stopping() and not self.doors.wait(0.01):
                pass
        finally:
            machine.release()

    def drain_until(self, condition: Callable[[], object]) -> None:
        budget = Budget(seconds=PATIENCE)
        while not condition():
            assert not budget.spent, "it did not happen"
            self.crew.drain(budget)


def test_one_that_takes_long_does_not_hold_up_the_next() -> None:
    floor = Floor("slow", "other")
    floor.drain_until(lambda: floor.begun["slow"] and floor.begun["other"])
    floor.doors.set()
    floor.crew.finish()


def test_there_are_never_more_at_once_than_its_width() -> None:
    floor = Floor("first", "second", "third", width=2)
    floor.drain_until(lambda: len(floor.begun) == 2)
    floor.crew.drain(Budget())
    assert len(floor.begun) == 2
    floor.doors.set()
    floor.drain_until(lambda: len(floor.begun) == 3)
    floor.crew.finish()


def test_while_one_works_there_is_work() -> None:
    floor = Floor("slow")
    floor.drain_until(lambda: floor.begun["slow"])
    assert floor.crew.has_work() is True
    assert floor.crew.drain(Budget())
    floor.crew.finish()


def test_finish_has_them_stop_and_waits() -> None:
    floor = Floor("slow", "slower")
    floor.drain_until(lambda: len(floor.begun) == 2)
    floor.crew.finish()
    assert not Machine.objects.exclude(lease_owner="").exists()


def test_what_breaks_is_told_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    floor = Floor("broken", "other")
    floor.drain_until(lambda: floor.begun["other"] and floor.begun["broken"])
    floor.crew.finish()
    assert "RuntimeError" in caplog.text


def test_what_always_has_work_does_not_keep_the_machine_busy() -> None:
    floor = Floor("insatiable")
    floor.doors.set()
    budget = Budget(seconds=2.2 * crew_module.PACE_SECONDS)
    while not budget.spent:
        floor.crew.drain(budget)
    floor.crew.finish()
    assert 1 <= floor.begun["insatiable"] <= 3
