from __future__ import annotations

import pytest

from tallystick.accounts.websites import Website


@pytest.fixture
def ours(db: None) -> Website:
    return Website.objects.create(name="Ours", domain="ours.example")


@pytest.fixture
def theirs(db: None) -> Website:
    return Website.objects.create(name="Theirs", domain="theirs.example")
