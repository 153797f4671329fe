from __future__ import annotations

import pytest
from django.db import connection

from tallystick.accounts.websites import Website
from tallystick.events import triggers


@pytest.fixture
def website(db: None) -> Website:
    return Website.objects.create(name="Ours", domain="ours.example")


@pytest.fixture
def guarded(db: None) -> None:
    """The database's triggers as a migration leaves them; other tests on SQLite go without."""
    triggers.create(connection)


@pytest.fixture
def unguarded(db: None) -> None:
    """Without the triggers, until the test's transaction is undone: a forger has the database."""
    triggers.drop(connection)
