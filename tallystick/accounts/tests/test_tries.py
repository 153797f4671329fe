from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from tallystick.accounts.tries import Tries
from tallystick.kit import clock
from tallystick.kit.clock import VirtualClock
from tallystick.queue.schedules import routines


@pytest.mark.django_db
def test_a_count_is_forgotten_as_a_whole() -> None:
    with clock.use(VirtualClock()) as now:
        assert [Tries.add("a", 60), Tries.add("a", 60), Tries.add("b", 60)] == [1, 2, 1]
        now.sleep(59)
        assert Tries.add_beside("c", "a", 60) == (3, 0)
        assert Tries.add_beside("a", "c", 60) == (1, 3)
        now.sleep(1)
        assert Tries.add_beside("a", "d", 60) == (1, 0)
        assert Tries.add("a", 60) == 1


@pytest.mark.django_db
def test_what_has_ended_is_deleted_by_a_schedule() -> None:
    with clock.use(VirtualClock()) as now:
        Tries.add("a", 60)
        now.sleep(30)
        Tries.add("b", 60)
        now.sleep(30)
        routines()["tries"].run()
        assert Tries.objects.count() == 1
        assert Tries.add("b", 60) == 2


@pytest.mark.django_db
def test_what_is_counted_is_not_kept() -> None:
    Tries.add("ada@client.example", 60)
    assert "ada" not in Tries.objects.get().key


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_each_is_counted() -> None:
    def add(_: int) -> int:
        try:
            return Tries.add("a", 600)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(add, range(40))) == list(range(1, 41))
