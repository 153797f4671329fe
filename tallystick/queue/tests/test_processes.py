from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from tallystick.queue.rows import State
from tallystick.queue.tests.processes import WorkerProcess, eventually, worker
from tests.queueapp.models import Effect, Job

pytestmark = pytest.mark.django_db(transaction=True)

JOBS = 400
KILLS = 6
SEED = int(os.environ.get("SEED", "20260101"))


def effects() -> Counter[int]:
    return Counter(Effect.objects.values_list("job", flat=True))


def done() -> bool:
    return not Job.objects.exclude(state=State.DONE).exists()


def wait_for_an_effect() -> None:
    """Until one job more is done, or all are."""
    before = Effect.objects.count()
    eventually(lambda: done() or Effect.objects.count() > before)


def drain_under_kills(**environment: str) -> Counter[int]:
    """Two workers, one of them killed again and again; answers how often each job took effect."""
    Job.objects.bulk_create(Job(size=5) for _ in range(JOBS))
    chance = random.Random(SEED)
    options = {"QUEUEAPP_LEASE_SECONDS": "1", **environment}
    workers = [WorkerProcess("--queues", "jobs", **options) for _ in range(2)]
    try:
        for _ in range(KILLS):
            wait_for_an_effect()
            time.sleep(chance.uniform(0, 0.05))
            victim = chance.randrange(2)
            workers[victim].kill()
            if done():
                Job.objects.bulk_create(Job(size=5) for _ in range(JOBS))
            workers[victim] = WorkerProcess("--queues", "jobs", **options)
        eventually(done)
    finally:
        for each in workers:
            each.kill()
    return effects()


def test_killed_workers_lose_nothing_and_repeat_nothing() -> None:
    counted = drain_under_kills()
    assert set(counted) == set(Job.objects.values_list("pk", flat=True))
    assert set(counted.values()) == {1}


def test_without_leases_and_fence_they_repeat() -> None:
    """The control: the test above sees what it is to see."""
    counted = drain_under_kills(QUEUEAPP_WITHOUT="fence,leases")
    assert max(counted.values()) > 1


def pause_past_the_lease(gate: Path, **environment: str) -> list[str]:
    """One worker is paused in a job until another has done it, then goes on; answers who left an
    effect."""
    Job.objects.create(note=str(gate))
    options = {"QUEUEAPP_LEASE_SECONDS": "0.5", **environment}
    with worker("--queues", "jobs", **options) as sleeper:
        eventually((gate / f"begun-{sleeper.pid}").exists)
        sleeper.send(signal.SIGSTOP)
        with worker("--queues", "jobs", **options) as heir:
            eventually((gate / f"begun-{heir.pid}").exists)
            (gate / "go").touch()
            eventually(done)
        sleeper.send(signal.SIGCONT)
        sleeper.send(signal.SIGTERM)
        sleeper.end()
    return list(Effect.objects.order_by("pk").values_list("worker", flat=True))


def test_a_worker_paused_past_its_lease_writes_nothing(tmp_path: Path) -> None:
    assert len(pause_past_the_lease(tmp_path)) == 1


def test_without_the_fence_it_would(tmp_path: Path) -> None:
    """The control."""
    assert len(pause_past_the_lease(tmp_path, QUEUEAPP_WITHOUT="fence")) == 2


def test_a_heartbeat_keeps_a_long_job(tmp_path: Path) -> None:
    job = Job.objects.create(note=str(tmp_path))
    with worker("--queues", "jobs", QUEUEAPP_LEASE_SECONDS="1.5") as keeper:
        eventually((tmp_path / f"begun-{keeper.pid}").exists)
        lease = Job.objects.get().due_at
        eventually(lambda: Job.objects.get().due_at > lease)
        (tmp_path / "go").touch()
        eventually(done)
    job.refresh_from_db()
    assert (job.attempts, job.fence) == (1, 1)


def test_told_to_stop_a_worker_ends_its_job(tmp_path: Path) -> None:
    Job.objects.create(note=str(tmp_path))
    Job.objects.create()
    with worker("--queues", "jobs") as leaver:
        eventually((tmp_path / f"begun-{leaver.pid}").exists)
        leaver.send(signal.SIGTERM)
        (tmp_path / "go").touch()
        assert leaver.end() == 0
    first, second = Job.objects.order_by("pk")
    assert first.state == State.DONE
    assert (second.state, second.attempts, second.lease_owner) == (State.DUE, 0, "")
    assert second in Job.due()


def test_told_to_stop_it_hands_a_job_back_that_does_not_end(tmp_path: Path) -> None:
    Job.objects.create(note=str(tmp_path))
    with worker("--queues", "jobs", QUEUEAPP_FINISH_SECONDS="0.2") as leaver:
        eventually((tmp_path / f"begun-{leaver.pid}").exists)
        began = time.monotonic()
        leaver.send(signal.SIGTERM)
        assert leaver.end() == 0
        assert time.monotonic() - began < 10
    assert Job.due().get().attempts == 0


def begun(gate: Path) -> set[int]:
    """The processes that have begun a job there."""
    return {int(path.name.removeprefix("begun-")) for path in gate.glob("begun-*")}


def test_a_killed_child_is_replaced(tmp_path: Path) -> None:
    Job.objects.bulk_create([Job(note=str(tmp_path)), Job(note=str(tmp_path))])
    options = {"QUEUEAPP_LEASE_SECONDS": "1"}
    with worker("--queues", "jobs", "--concurrency", "2", **options) as parent:
        eventually(lambda: begun(tmp_path))
        [victim, *_] = begun(tmp_path)
        assert victim != parent.pid
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: begun(tmp_path) - {victim})
        (tmp_path / "go").touch()
        eventually(done)
        parent.send(signal.SIGTERM)
        assert parent.end() == 0
    assert set(effects().values()) == {1}
