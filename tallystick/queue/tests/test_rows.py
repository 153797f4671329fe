from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from tallystick.kit import clock
from tallystick.queue.leases import LeaseLost
from tallystick.queue.rows import State
from tests.queueapp.models import Job

pytestmark = pytest.mark.django_db


def make(count: int = 1, **fields: object) -> list[Job]:
    return [Job.objects.create(**fields) for _ in range(count)]


def claim(limit: int = 1, owner: str = "a", seconds: float = 60) -> list[Job]:
    return Job.claim(limit, owner, seconds)


def test_a_claimed_row_is_nobody_elses() -> None:
    make(3)
    assert len(claim(2, "a")) == 2
    assert len(claim(2, "b")) == 1
    assert claim(2, "c") == []


def test_claims_what_is_due_longest() -> None:
    now = clock.now()
    later = Job.objects.create(due_at=now - timedelta(seconds=1))
    sooner = Job.objects.create(due_at=now - timedelta(seconds=2))
    Job.objects.create(due_at=now + timedelta(hours=1))
    assert claim() == [sooner]
    assert claim() == [later]
    assert claim() == []


def test_claims_among_those_asked_for() -> None:
    make(2, size=1)
    [chosen] = make(size=2)
    assert Job.claim(5, "a", 60, among=models.Q(size=2, note="")) == [chosen]


def test_a_claim_names_its_owner_and_counts() -> None:
    make()
    [row] = claim(owner="host:1")
    assert (row.lease_owner, row.fence, row.attempts, row.held) == ("host:1", 1, 1, True)
    row.refresh_from_db()
    assert (row.lease_owner, row.fence, row.attempts) == ("host:1", 1, 1)


def test_completes_with_what_else_is_to_be_stored() -> None:
    make()
    [row] = claim()
    row.complete(note="sent", size=models.F("size") + 4)
    row.refresh_from_db()
    assert (row.state, row.note, row.size, row.lease_owner) == (State.DONE, "sent", 4, "")
    assert not row.held
    assert not Job.due().exists()


def test_tries_again_when_the_backoff_says() -> None:
    make()
    with clock.use(clock.VirtualClock(clock.now())) as virtual:
        [row] = claim()
        row.retry(ValueError("no luck"), delay=30)
        virtual.advance(timedelta(seconds=29))
        assert claim() == []
        virtual.advance(timedelta(seconds=1))
        [row] = claim()
    assert (row.attempts, row.last_error) == (2, "ValueError: no luck")


def test_gives_up_after_enough_attempts() -> None:
    make(attempts=Job.max_attempts - 1)
    [row] = claim()
    row.retry("no luck")
    row.refresh_from_db()
    assert (row.state, row.last_error) == (State.DEAD, "no luck")
    row.revive()
    assert claim() == [row]


def test_only_the_dead_are_revived() -> None:
    make()
    [row] = claim()
    row.revive()
    assert claim() == []


def test_a_released_row_is_not_charged() -> None:
    make()
    [row] = claim()
    row.release()
    [again] = claim()
    assert again.attempts == 1


def test_an_uncertain_row_stays_so_until_it_is_settled() -> None:
    make()
    [row] = claim()
    row.keep(state=State.UNCERTAIN, note="attempt-1")
    row.retry("no answer", delay=0)
    [again] = claim()
    assert (again.state, again.note) == (State.UNCERTAIN, "attempt-1")


def test_a_heartbeat_keeps_the_row() -> None:
    make()
    with clock.use(clock.VirtualClock(clock.now())) as virtual:
        [row] = claim(seconds=10)
        virtual.advance(timedelta(seconds=9))
        row.heartbeat(10)
        virtual.advance(timedelta(seconds=9))
        assert claim(owner="b") == []


VERBS = {
    "complete": lambda row: row.complete(note="late"),
    "complete with an expression": lambda row: row.complete(size=models.F("size") + 1),
    "retry": lambda row: row.retry("late"),
    "bury": lambda row: row.bury("late"),
    "release": lambda row: row.release(),
    "keep": lambda row: row.keep(note="late"),
    "heartbeat": lambda row: row.heartbeat(10),
}


@pytest.mark.parametrize("verb", VERBS)
def test_who_slept_past_the_lease_writes_nothing(verb: str) -> None:
    make()
    with clock.use(clock.VirtualClock(clock.now())) as virtual:
        [late] = claim(owner="sleeper", seconds=10)
        virtual.advance(timedelta(seconds=10))
        [row] = claim(owner="heir")
        before = Job.objects.values().get()
        with pytest.raises(LeaseLost):
            VERBS[verb](late)
        assert Job.objects.values().get() == before
        row.complete()


def test_completes_many_each_with_its_own_values() -> None:
    make(4)
    with clock.use(clock.VirtualClock(clock.now())) as virtual:
        rows = claim(4, seconds=10)
        virtual.advance(timedelta(seconds=10))
        [taken] = claim(owner="heir")
        for row in rows:
            row.note = f"note {row.pk}"
        lost = Job.complete_many(rows, ["note"])
    assert lost == [taken]
    done = Job.objects.filter(state=State.DONE)
    assert {row.note for row in done} == {f"note {row.pk}" for row in rows if row != taken}
    assert Job.complete_many([]) == []


def test_releases_many_of_those_that_are_still_ours() -> None:
    make(3)
    with clock.use(clock.VirtualClock(clock.now())) as virtual:
        rows = claim(3, seconds=10)
        virtual.advance(timedelta(seconds=10))
        [taken] = claim(owner="heir", seconds=100)
        Job.release_many(rows)
        assert set(claim(3)) == set(rows) - {taken}


def plan_of(act: Callable[[], object]) -> str:
    """How the database carries out what `act` asks of it, on a table where that matters."""
    Job.objects.bulk_create(Job(state=State.DONE) for _ in range(500))
    with CaptureQueriesContext(connection) as asked:
        act()
    explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE queueapp_job")
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(explain + asked[-1]["sql"])
        return "\n".join(str(line) for line in cursor.fetchall())


def test_one_small_index_finds_the_work() -> None:
    assert "job_due" in plan_of(lambda: list(Job.due().order_by("due_at")))
    assert "job_due" in plan_of(claim)


SETTLING: dict[str, Callable[[list[Job]], object]] = {
    "mark as done": Job.complete_many,
    "hand back": Job.release_many,
    "retry": lambda rows: rows[0].retry("no luck"),
    "complete": lambda rows: rows[0].complete(),
}


@pytest.mark.parametrize("verb", SETTLING)
def test_settling_reads_only_the_rows_it_settles(verb: str) -> None:
    make(3)
    rows = claim(3)
    plan = plan_of(lambda: SETTLING[verb](rows))
    assert "SCAN queueapp_job" not in plan
    assert "Seq Scan on queueapp_job" not in plan


def test_the_reason_kept_holds_no_secret() -> None:
    make()
    [row] = claim()
    row.retry("https://user:pass@example.org/?token=abc gave up")
    assert row.last_error == "https://[hidden]@example.org/?[hidden] gave up"
