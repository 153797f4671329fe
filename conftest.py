"""What holds for all tests, wherever they are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.utils import translation

from tallystick.kit import clock


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what is PostgreSQL's alone on another database."""
    if item.get_closest_marker("postgres") and "postgresql" not in _engine():
        pytest.skip("needs PostgreSQL: POSTGRES_URL=postgres:///test make test-slow")


def _engine() -> str:
    return str(settings.DATABASES["default"]["ENGINE"])


@pytest.fixture(autouse=True)
def _no_language_left() -> Iterator[None]:
    """A request leaves its reader's language to the thread, and so to the next test."""
    yield
    translation.deactivate()


@pytest.fixture
def virtual_time() -> Iterator[clock.VirtualClock]:
    """A clock that only moves when told: nothing waits."""
    with clock.use(clock.VirtualClock()) as virtual:
        yield virtual


@pytest.fixture
def healthy(request: pytest.FixtureRequest, db: None) -> Iterator[None]:
    """When the test is over, the doctor finds nothing wrong; unless it is to break things."""
    yield
    if request.node.get_closest_marker("control"):
        return
    from tallystick.billing import doctoring
    from tallystick.events import chain

    while chain.seal():
        pass
    found = [f"{check.name}: {finding}" for check, finding in doctoring.examine()]
    if found:
        pytest.fail("\n".join(found))
