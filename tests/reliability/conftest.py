from __future__ import annotations

from collections.abc import Iterator

import pytest

from tallystick.sandbox.running import Running, running
from tests.reliability.site import Site, open_site
from tests.reliability.venues import Venue, venues


@pytest.fixture(params=venues(), ids=lambda venue: venue.provider.type)
def venue(request: pytest.FixtureRequest) -> Venue:
    found: Venue = request.param
    return found


@pytest.fixture
def site(db: None, venue: Venue) -> Iterator[Site]:
    with open_site(venue) as opened:
        yield opened


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Running]:
    """In a process of its own that nobody kills."""
    with running() as started:
        yield started
