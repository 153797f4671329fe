from __future__ import annotations

import pytest

from tallystick.accounts.models import Account, Website
from tallystick.billing.invoices import Invoice
from tallystick.billing.tests import making


@pytest.fixture
def website(db: None) -> Website:
    return making.website()


@pytest.fixture
def account(website: Website) -> Account:
    return making.account(website)


@pytest.fixture
def draft(account: Account) -> Invoice:
    return making.draft(account)


@pytest.fixture
def invoice(account: Account) -> Invoice:
    """Issued: 119.00 EUR, 19.00 of it tax."""
    return making.issued(account)
