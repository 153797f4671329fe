from __future__ import annotations

import pytest
from django.core.cache import cache

from tallystick.accounts.models import Account, Website
from tallystick.billing.invoices import Invoice
from tallystick.billing.tests import samples


@pytest.fixture(autouse=True)
def _forgetful_cache() -> None:
    """What visits were noted is in the cache: each test starts without a past."""
    cache.clear()


@pytest.fixture
def website(db: None) -> Website:
    return samples.studio()


@pytest.fixture
def account(website: Website) -> Account:
    return samples.client(website)


@pytest.fixture
def invoice(account: Account) -> Invoice:
    return samples.invoice(account)
