from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from tallystick.accounts.models import Account
from tallystick.billing.tests import samples
from tests.browser.chromium import EXECUTABLE, chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not EXECUTABLE.exists():
        pytest.skip("needs a browser: apt-get install chromium")
    with chromium() as running:
        yield running


@pytest.fixture
def account(transactional_db: None, live_server: LiveServer) -> Account:
    """A client of a website that the test's server serves."""
    cache.clear()
    host = live_server.url.partition("//")[2]
    return samples.client(samples.studio(domain=host))
