from __future__ import annotations

from collections.abc import Iterator

import pytest

from tallystick.accounts.models import Website
from tallystick.api.tests.desk import Desk
from tallystick.billing.tests import making
from tallystick.kit import clock
from tallystick.kit.clock import VirtualClock


@pytest.fixture
def now() -> Iterator[VirtualClock]:
    with clock.use(VirtualClock()) as virtual:
        yield virtual


@pytest.fixture
def ours(db: None) -> Website:
    return making.website(iban="GB33BUKB20201555555555", allow_part_payments=True)


@pytest.fixture
def desk(ours: Website) -> Desk:
    return Desk.at(ours)
