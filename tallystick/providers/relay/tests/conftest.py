from __future__ import annotations

from collections.abc import Iterator

import pytest

from tallystick.kit import clock


@pytest.fixture
def virtual_time() -> Iterator[clock.VirtualClock]:
    with clock.use(clock.VirtualClock()) as virtual:
        yield virtual
