from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings

from tallystick.queue.rows import State
from tallystick.queue.tests.brokers import URLS, address_of, broker, deaf_address, line_to
from tallystick.queue.tests.processes import database_url, eventually, worker
from tests.queueapp.models import Effect, Job

WAKE_MILLISECONDS = 2000
"""Far above the tenths of a second that we allow the network, for a busy machine; half of what
Celery waits for a broker as it ships."""


class Ringer:
    """A process that wakes the queue when told."""

    def __init__(self, **environment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.queueapp.ring"],
            cwd=Path(settings.BASE_DIR),
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ring(self) -> bool:
        """Wake; answers whether the broker was reached. Never takes long."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        took, outcome = self._process.stdout.readline().split()
        assert float(took) <= WAKE_MILLISECONDS
        return outcome == "reached"

    def close(self) -> None:
        self._process.communicate(timeout=30)


@contextmanager
def ringer(**environment: str) -> Iterator[Ringer]:
    started = Ringer(**environment)
    try:
        yield started
    finally:
        started.close()


def url_at(name: str, address: tuple[str, int]) -> str:
    return URLS[name].replace("{}:{}".format(*address_of(URLS[name])), "{}:{}".format(*address))


@pytest.mark.parametrize("how", ["refused", "silent", "full"])
@pytest.mark.parametrize("name", URLS)
def test_waking_a_broker_that_is_gone_neither_hangs_nor_raises(name: str, how: str) -> None:
    with (
        deaf_address(how) as address,
        ringer(CELERY_BROKER_URL=url_at(name, address)) as caller,
    ):
        assert [caller.ring() for _ in range(3)] == [False, False, False]


@pytest.mark.broker
@pytest.mark.parametrize("name", URLS)
def test_waking_goes_on_after_the_line_was_cut(name: str) -> None:
    with broker(name) as environment, line_to(name) as line:
        environment["CELERY_BROKER_URL"] = url_at(name, line.address)
        with ringer(**environment) as caller:
            assert caller.ring()
            line.cut()
            # The first may find that the line is dead; the second has a new one.
            caller.ring()
            assert caller.ring()
            assert caller.ring()


@pytest.mark.broker
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", URLS)
def test_a_wake_up_or_a_tick_has_the_work_done(name: str) -> None:
    Job.objects.bulk_create(Job() for _ in range(100))
    with broker(name) as environment, worker("--concurrency", "2", **environment) as celery:
        eventually(_all_done)
        Job.objects.create()
        with ringer(DATABASE_URL=database_url(), **environment) as caller:
            assert caller.ring()
        eventually(_all_done)
        celery.send(signal.SIGTERM)
        began = time.monotonic()
        assert celery.end() == 0
        assert time.monotonic() - began < 10
    assert Effect.objects.count() == 101


@pytest.mark.slow
@pytest.mark.broker
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", URLS)
def test_killed_celery_workers_lose_nothing_and_repeat_nothing(name: str) -> None:
    Job.objects.bulk_create(Job(size=10) for _ in range(200))
    with broker(name) as environment:
        environment["QUEUEAPP_LEASE_SECONDS"] = "1"
        for _ in range(3):
            with worker("--concurrency", "2", **environment):
                _wait_for_an_effect()
        with worker("--concurrency", "2", **environment):
            eventually(_all_done)
    assert sorted(Effect.objects.values_list("job", flat=True)) == sorted(
        Job.objects.values_list("pk", flat=True)
    )


def _wait_for_an_effect() -> None:
    before = Effect.objects.count()
    eventually(lambda: Effect.objects.count() > before)


def _all_done() -> bool:
    return not Job.objects.exclude(state=State.DONE).exists()
