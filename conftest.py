"""What holds for all tests, wherever they are."""

from __future__ import annotations

import pytest
from django.conf import settings


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what is PostgreSQL's alone on another database."""
    if item.get_closest_marker("postgres") and "postgresql" not in _engine():
        pytest.skip("needs PostgreSQL: POSTGRES_URL=postgres:///test make test-slow")


def _engine() -> str:
    return str(settings.DATABASES["default"]["ENGINE"])
