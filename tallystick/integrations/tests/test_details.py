"""What is told of a person besides."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tallystick.accounts.models import Account
from tallystick.integrations import sync
from tallystick.integrations.tests.conftest import Site
from tallystick.ports.records import Customer

pytestmark = pytest.mark.django_db


def told(account: Account) -> Customer:
    known = sync.sync_of(Account._meta.label)
    record = known.to_record(known.load([str(account.pk)])[str(account.pk)])
    assert isinstance(record, Customer)
    return record


@pytest.mark.parametrize(
    ("zone", "day"),
    [("UTC", "2026-03-01"), ("Europe/Berlin", "2026-03-02"), ("America/Bogota", "2026-03-01")],
)
def test_the_day_of_signing_up_is_the_websites(site: Site, zone: str, day: str) -> None:
    site.website.time_zone = zone
    site.website.save()
    account = site.customer()
    assert account.user
    account.user.date_joined = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    account.user.save()
    record = told(account)
    assert record.detail("signup_date") == day
    assert record.detail("date_joined") == "2026-03-01T23:30:00+00:00"
