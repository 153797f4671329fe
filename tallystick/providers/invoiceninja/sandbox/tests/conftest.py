from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from tallystick.kit.clock import VirtualClock
from tallystick.ports.sandboxing import transport
from tallystick.providers.invoiceninja.sandbox import InvoiceNinjaStand
from tallystick.providers.invoiceninja.sandbox.tests.api import Api


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def stand(clock: VirtualClock) -> InvoiceNinjaStand:
    return InvoiceNinjaStand(clock)


@pytest.fixture
def api(stand: InvoiceNinjaStand) -> Iterator[Api]:
    with httpx2.Client(transport=transport(stand), timeout=30) as client:
        yield Api(stand, client)
