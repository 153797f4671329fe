from __future__ import annotations

import logging
from collections.abc import Callable
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from tallystick.queue import turns
from tallystick.queue.models import Schedule
from tallystick.queue.registry import Budget, Queue, UnknownQueue, named, register_rows, registered
from tallystick.queue.rows import State
from tallystick.queue.stopping import Stop
from tallystick.queue.worker import Worker
from tests.queueapp.models import Effect, Job

pytestmark = pytest.mark.django_db


def a_queue(
    name: str = "q", *, work: int = 1, drain: Callable[[Budget], int] | None = None
) -> Queue:
    """One that has work so many times."""
    left = [work]

    def drain_one(budget: Budget) -> int:
        del budget
        left[0] -= 1
        return 1

    return Queue(name, lambda: left[0] > 0, drain or drain_one)


def run(*queues: Queue, stop: Stop | None = None) -> None:
    Worker(queues, stop or Stop()).run(once=True)


def test_does_all_that_is_due_and_ends() -> None:
    Job.objects.bulk_create(Job() for _ in range(3))
    run(named("jobs"))
    assert Effect.objects.count() == 3


def test_all_queues_are_asked_in_one_query() -> None:
    Schedule.objects.all().delete()
    Job.objects.create()
    with CaptureQueriesContext(connection) as asked:
        found = turns.with_work([named("jobs"), named("schedules"), named("journal"), a_queue()])
    assert len(asked) == 1
    assert [queue.name for queue in found] == ["jobs", "q"]


def test_an_idle_round_costs_one_query() -> None:
    worker = Worker([named("jobs"), named("schedules"), named("journal")], Stop())
    Schedule.objects.all().delete()
    with CaptureQueriesContext(connection) as asked:
        assert not worker.round()
    assert len(asked) == 1


def test_a_query_that_can_find_nothing_is_not_asked() -> None:
    nothing = Queue("none", Job.objects.none, lambda budget: pytest.fail("it has no work"))
    assert turns.with_work([nothing]) == []


def test_each_queue_has_its_turn() -> None:
    order: list[str] = []

    def worker_of(name: str) -> Queue:
        left = [2]

        def drain(budget: Budget) -> int:
            del budget
            order.append(name)
            left[0] -= 1
            return 1

        return Queue(name, lambda: left[0] > 0, drain)

    run(worker_of("a"), worker_of("b"))
    assert order == ["a", "b", "a", "b"]


def test_a_broken_queue_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    def broken(budget: Budget) -> int:
        raise RuntimeError("secret=hunter2 is wrong")

    other = a_queue("other", work=1)
    with caplog.at_level(logging.ERROR):
        run(a_queue("broken", drain=broken), other)
    assert other.has_work() is False
    assert "queue broken: RuntimeError: secret=[hidden] is wrong" in caplog.text


def test_waits_for_the_database_and_goes_on() -> None:
    failures = [OperationalError("gone"), OperationalError("gone")]

    def drain(budget: Budget) -> int:
        if failures:
            raise failures.pop()
        return 0

    stop = Stop()
    with (
        mock.patch.object(stop, "wait") as waited,
        mock.patch.object(connection, "close") as closed,
    ):
        run(a_queue(drain=drain), stop=stop)
    assert failures == []
    assert closed.call_count == waited.call_count == 2


def test_stops_when_told_to() -> None:
    stop = Stop()

    def drain(budget: Budget) -> int:
        stop.ask()
        return 1

    Worker([Queue("endless", lambda: True, drain)], stop).run()


def test_stops_when_its_parent_is_gone() -> None:
    Worker([Queue("endless", lambda: True, lambda budget: 1)], Stop(), parent=-1).run()


def test_the_command_drains_the_queues_named() -> None:
    Job.objects.create()
    call_command("worker", "--queues", "journal", "--once")
    assert Job.objects.get().state == State.DUE
    call_command("worker", "--queues", "journal, jobs", "--burst")
    assert Job.objects.get().state == State.DONE


def test_the_command_knows_its_queues() -> None:
    with pytest.raises(CommandError, match=r"no queue nonsense; there are: .*jobs"):
        call_command("worker", "--queues", "nonsense")
    with pytest.raises(CommandError, match="number from 1"):
        call_command("worker", "--concurrency", "0")


def test_queues_are_known_by_name() -> None:
    with mock.patch.dict("tallystick.queue.registry._queues"):
        mine = register_rows("mine", Job, lambda job: None)
        assert registered(["mine"]) == (mine,)
        assert mine in registered()
    with pytest.raises(UnknownQueue):
        named("mine")
