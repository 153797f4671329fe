"""What the provider stores late: with a time before that of what a catch-up has seen."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tallystick.integrations.tests.ninja import NinjaSite
from tallystick.kit.clock import VirtualClock
from tallystick.ports.records import Kind

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("seconds", [1, 299])
def test_what_was_stored_late_is_found_by_the_next_catch_up(
    ninja: NinjaSite, now: VirtualClock, seconds: int
) -> None:
    now.advance(timedelta(hours=1))
    ninja.stand.add_client("In time", email="anna@example.org")
    ninja.serve()
    ninja.stand.add_client("Late", email="ben@example.org")
    ninja.row("clients", name="Late")["updated_at"] -= seconds
    ninja.catch_up(now)
    assert "Late" in ninja.matches(Kind.CUSTOMER)
