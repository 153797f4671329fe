"""Many claimers at once, on one database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar
from unittest import mock

import pytest
from django.db import connection

from tallystick.queue import leases, statements
from tallystick.queue.clock import now_sql
from tests.queueapp.models import Job, Machine

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 6
T = TypeVar("T")


def at_once(act: Callable[[int], T]) -> list[T]:
    """What `act` answers in each of many threads that begin together."""
    barrier = Barrier(THREADS)

    def begin(number: int) -> T:
        barrier.wait(10)
        try:
            return act(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(begin, range(THREADS)))


def claimed_by_many() -> Counter[int]:
    """How often each of 300 rows was claimed."""
    Job.objects.bulk_create(Job() for _ in range(300))

    def claim_all(number: int) -> list[Job]:
        mine: list[Job] = []
        # Bounded, so that it ends where nothing is ever taken.
        for _ in range(60):
            mine += Job.claim(7, f"claimer {number}", 60)
        return mine

    return Counter(row.pk for rows in at_once(claim_all) for row in rows)


def test_two_claimers_never_get_one_row() -> None:
    claimed = claimed_by_many()
    assert len(claimed) == 300
    assert set(claimed.values()) == {1}


def test_without_leases_they_would() -> None:
    """The control."""
    with mock.patch.object(statements, "later_sql", side_effect=lambda seconds: now_sql()):
        claimed = claimed_by_many()
    assert max(claimed.values()) > 1


def acquired_by_many() -> int:
    machine = Machine.objects.create()

    def acquire(number: int) -> bool:
        return Machine.objects.get(pk=machine.pk).acquire(f"worker {number}", 60)

    return sum(at_once(acquire))


def test_of_many_who_try_one_gets_the_lease() -> None:
    assert acquired_by_many() == 1


def test_without_the_condition_all_would() -> None:
    """The control."""
    with mock.patch.object(leases, "later_sql", side_effect=lambda seconds: now_sql()):
        assert acquired_by_many() > 1
