from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

import pytest

from tallystick.kit import clock
from tallystick.queue.backoff import Backoff, full_jitter
from tallystick.queue.drain import MOST_ATTEMPTS, RowDrain
from tallystick.queue.hand import SUSPECT_ATTEMPTS, Hand
from tallystick.queue.registry import Budget
from tallystick.queue.rows import State
from tallystick.queue.stopping import HandBack
from tests.queueapp.models import Job

pytestmark = pytest.mark.django_db


def make(count: int = 1) -> None:
    Job.objects.bulk_create(Job() for _ in range(count))


def drain(perform: Callable[[Job], object], budget: Budget | None = None) -> int:
    return RowDrain(Job, perform, batch=20)(budget or Budget())


def states() -> list[str]:
    return list(Job.objects.order_by("pk").values_list("state", flat=True))


def test_what_returns_is_done() -> None:
    make(45)
    seen: list[int] = []
    assert drain(lambda job: seen.append(job.pk)) == 45
    assert len(set(seen)) == 45
    assert set(states()) == {State.DONE}


def test_what_settles_itself_stays_so() -> None:
    make(2)
    drain(lambda job: job.bury("no") if job.pk % 2 else job.complete(note="yes"))
    assert sorted(states()) == [State.DEAD, State.DONE]


def test_what_raises_is_tried_again_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    make(3)
    first = Job.objects.order_by("pk")[0]

    def fail_once(job: Job) -> None:
        if job == first:
            raise RuntimeError("password=hunter2 was refused")

    with caplog.at_level(logging.WARNING):
        assert drain(fail_once) == 3
    first.refresh_from_db()
    assert first.last_error == "RuntimeError: password=[hidden] was refused"
    assert states() == [State.DUE, State.DONE, State.DONE]
    assert "hunter2" not in caplog.text
    assert "test_drain.py" in caplog.text


def test_ends_within_its_budget_and_hands_the_rest_back() -> None:
    make(30)
    assert drain(lambda job: None, Budget(rows=25)) == 25
    assert states().count(State.DUE) == 5
    done: list[Job] = []
    assert drain(done.append, Budget(stopping=lambda: len(done) == 2)) == 2
    assert set(Job.due().values_list("attempts", flat=True)) == {0}
    assert Job.due().count() == 3


def test_time_spent_is_time_spent() -> None:
    make(5)
    with clock.use(clock.VirtualClock(clock.now())) as virtual:
        budget = Budget(seconds=10)
        drain(lambda job: virtual.advance(timedelta(seconds=4)), budget)
        assert budget.spent
    assert states().count(State.DONE) == 3


def test_what_lies_past_the_lease_is_not_begun() -> None:
    make(3)
    with clock.use(clock.VirtualClock(clock.now())) as virtual:
        hand = Hand(Job, 3)
        assert hand.next_row()
        virtual.advance(timedelta(seconds=Job.lease_seconds))
        assert hand.next_row() is None


def test_what_a_heartbeat_finds_lost_is_not_begun() -> None:
    make(2)
    hand = Hand(Job, 2)
    first = hand.next_row()
    assert first
    Job.objects.exclude(pk=first.pk).update(fence=5)
    hand.beat()
    assert hand.next_row() is None
    assert first.held


def test_a_lease_lost_on_the_way_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    make()

    def overtaken(job: Job) -> None:
        Job.objects.update(fence=5)
        job.complete()

    drain(overtaken)
    job = Job.objects.get()
    assert (job.state, job.last_error) == (State.DUE, "")
    assert "took over" in caplog.text


def test_marked_late_a_lost_row_is_told(caplog: pytest.LogCaptureFixture) -> None:
    make()
    drain(lambda job: Job.objects.update(fence=5))
    assert Job.objects.get().state == State.DUE
    assert "took over" in caplog.text


def test_interrupted_it_hands_everything_back() -> None:
    make(3)

    def interrupted(job: Job) -> None:
        raise HandBack

    with pytest.raises(HandBack):
        drain(interrupted)
    assert Job.due().count() == 3
    assert set(Job.objects.values_list("attempts", flat=True)) == {0}


def test_a_suspect_is_worked_on_alone() -> None:
    make(3)
    suspect = Job.objects.order_by("pk")[1]
    Job.objects.filter(pk=suspect.pk).update(attempts=SUSPECT_ATTEMPTS)
    hand = Hand(Job, 3)
    assert hand.next_row() == suspect
    assert hand.next_row() is None
    assert Job.due().count() == 2


def test_what_kills_its_workers_is_buried_in_the_end() -> None:
    make()
    Job.objects.update(attempts=MOST_ATTEMPTS)
    drain(lambda job: pytest.fail("it was to be left alone"))
    job = Job.objects.get()
    assert (job.state, job.last_error) == (State.DEAD, "Its worker died each time.")


def test_backs_off_with_full_jitter() -> None:
    backoff = Backoff(base=timedelta(seconds=5), cap=timedelta(seconds=60))
    for attempts, ceiling in [(1, 5), (2, 10), (3, 20), (5, 60), (10_000, 60)]:
        waits = [backoff.seconds(attempts) for _ in range(300)]
        assert 0 <= min(waits) < ceiling / 10
        assert ceiling * 0.9 < max(waits) <= ceiling
    assert full_jitter(-5, base=timedelta(seconds=1), cap=timedelta(hours=1)) <= timedelta(
        seconds=1
    )
