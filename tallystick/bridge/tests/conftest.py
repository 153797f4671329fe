from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.bridge.tests.world import World
from tallystick.kit import clock
from tallystick.kit.clock import VirtualClock


@pytest.fixture
def time() -> Iterator[VirtualClock]:
    with clock.use(VirtualClock()) as virtual:
        yield virtual


@pytest.fixture
def world(tmp_path: Path, time: VirtualClock) -> Iterator[World]:
    found = World(tmp_path)
    yield found
    found.bridge.book.close()
