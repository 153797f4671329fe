"""How Tallystick hears of it: until it has, or a day has passed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tallystick.bridge.bridge import KEPT_DAYS
from tallystick.bridge.tests import samples
from tallystick.bridge.tests.world import World
from tallystick.kit.clock import VirtualClock


@pytest.mark.parametrize("status", [None, 302, 401, 403, 408, 429, 500, 502, 503])
def test_what_is_not_heard_is_told_again(world: World, status: int | None) -> None:
    world.site.status = status
    world.send(samples.user())
    world.settle()
    assert world.bridge.book.counts().callbacks_owed == 1
    calls = world.calls()
    world.site.status = 200
    world.work()
    assert len(world.site.bodies) == 2
    assert world.site.bodies[0] == world.site.bodies[1]
    assert len(set(world.site.identities)) == 1
    assert (world.owed(), world.calls()) == (0, calls)


@pytest.mark.parametrize("status", [400, 404, 409, 410, 422])
def test_what_tallystick_refuses_is_not_told_again(world: World, status: int) -> None:
    world.site.status = status
    world.send(samples.user())
    world.work()
    assert (len(world.site.bodies), world.owed()) == (1, 0)


def test_a_page_that_is_not_found_is_not_tallystick_speaking(world: World) -> None:
    world.site.status = 404
    world.site.headers = {"content-type": "text/html"}
    world.send(samples.user())
    world.settle()
    assert world.bridge.book.counts().callbacks_owed == 1


def test_a_callback_outlives_the_process(world: World) -> None:
    world.site.status = None
    world.send(samples.user())
    world.settle()
    calls = world.calls()
    world.restart()
    world.site.status = 200
    world.work()
    assert len(world.site.bodies) == 2
    assert world.calls() == calls


def test_after_a_day_nobody_is_called_until_asked(world: World, time: VirtualClock) -> None:
    world.site.status = 500
    before = time.now()
    world.send(samples.user())
    world.work()
    assert timedelta(hours=23) < time.now() - before < timedelta(hours=26)
    assert len(world.site.bodies) < 100
    tried = len(world.site.bodies)
    world.site.status = 200
    world.send(samples.user())
    world.settle()
    assert len(world.site.bodies) == tried + 1
    assert len(world.clients()) == 1


def test_one_that_nobody_hears_holds_up_no_other(world: World) -> None:
    world.site.status = 500
    world.send(samples.user())
    world.settle()
    world.site.status = 200
    world.send(samples.user(18))
    world.settle()
    assert world.site.bodies[-1]["django_user_id"] == 18


def test_what_is_settled_is_forgotten_in_time(world: World, time: VirtualClock) -> None:
    world.send(samples.user())
    world.settle()
    world.bridge.sweep()
    assert "delivery-u17" in kept(world)
    time.sleep((KEPT_DAYS + 1) * 86_400)
    world.site.status = 500
    world.send(samples.user(18))
    world.settle()
    world.bridge.sweep()
    assert kept(world) == ["delivery-u18"]


def kept(world: World) -> list[str]:
    return [row[0] for row in world.bridge.book._db.execute("SELECT id FROM deliveries")]
