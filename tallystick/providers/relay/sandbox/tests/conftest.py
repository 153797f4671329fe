from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from tallystick.kit.clock import VirtualClock
from tallystick.ports.sandboxing import transport
from tallystick.providers.relay.sandbox import RelayStand
from tallystick.providers.relay.sandbox.tests.site import Site


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def stand(clock: VirtualClock) -> RelayStand:
    stand = RelayStand(clock)
    stand.callback_url = "https://site.example.org/"
    return stand


@pytest.fixture
def site(stand: RelayStand) -> Iterator[Site]:
    with httpx2.Client(transport=transport(stand), timeout=30) as client:
        yield Site(stand, client)
