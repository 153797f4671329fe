from __future__ import annotations

from datetime import timedelta

import pytest

from tallystick.integrations.links import Link
from tallystick.integrations.tests.conftest import Site
from tallystick.integrations.tests.ninja import NinjaSite
from tallystick.integrations.turns import Turn
from tallystick.kit.clock import VirtualClock
from tallystick.ports.metering import Limit, Meter
from tallystick.ports.sandboxing import Fault, FaultKind
from tallystick.providers.xero import Xero
from tallystick.queue.rows import State


def test_every_call_that_is_allowed_is_made_before_the_connection_rests(
    site: Site, now: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Xero, "batch_size", 1)
    monkeypatch.setattr(Xero, "limits", (Limit("minute", calls=30, window=60),))
    for number in range(40):
        site.product(f"Product {number}")
    site.serve()
    assert len(site.made("items")) == 30
    assert site.connection.rests_until
    assert site.connection.rest_reason == "The minute limit is used up."
    assert Link.objects.filter(state=State.DUE, attempts=0).count() == 10
    now.advance(timedelta(seconds=62))
    site.serve()
    assert len(site.made("items")) == 40


def test_a_push_that_takes_two_calls_draws_two(ninja: NinjaSite, now: VirtualClock) -> None:
    ninja.stand.set_limits(20)
    ninja.connection.custom_data["calls_per_minute"] = 20
    ninja.connection.save()
    ninja.product()
    ninja.serve()  # what is asked only once is asked now
    now.advance(timedelta(minutes=2))
    for number in range(20):
        ninja.product(f"Product {number}")
    ninja.serve()
    assert ninja.count("products") == 1 + 20 / 2
    assert ninja.connection.rest_reason == "The minute limit is used up."


def test_a_push_is_made_also_where_it_takes_more_calls_than_are_allowed(
    ninja: NinjaSite, now: VirtualClock
) -> None:
    ninja.connection.custom_data["calls_per_minute"] = 1
    ninja.connection.save()
    ninja.serve()  # what company it is, is asked now
    now.advance(timedelta(minutes=2))
    turn = Turn(ninja.connection, "worker")
    with turn.held():
        turn.draw(2)
    assert turn.ended_by == ""


def test_a_call_that_gets_through_does_not_end_a_rest_that_was_asked_for(
    site: Site, now: VirtualClock
) -> None:
    site.connection.rest(now.now() + timedelta(minutes=5), "Asked for")
    site.connection.answered()
    site.connection.refresh_from_db()
    assert site.connection.rests_until
    now.advance(timedelta(minutes=6))
    site.connection.answered()
    site.connection.refresh_from_db()
    assert site.connection.rests_until is None


def test_what_was_stated_a_while_ago_is_no_measure_of_what_is_left_now(now: VirtualClock) -> None:
    meter = Meter()
    meter.answered({"minute": 5, "day": 900})
    now.advance(timedelta(seconds=30))
    meter.answered({"minute": 50})
    assert meter.take() == (0, {"minute": 50})


def test_a_provider_that_turns_us_away_is_left_alone_as_long_as_it_says(
    site: Site, now: VirtualClock
) -> None:
    site.stand.faults.switch_on(Fault(kind=FaultKind.TOO_MANY, retry_after=120, times=1))
    site.product()
    site.serve()
    assert site.connection.rests_until == now.now() + timedelta(seconds=120)
