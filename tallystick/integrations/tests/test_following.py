from __future__ import annotations

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from tallystick.integrations import sync
from tallystick.integrations.connections import Connection
from tallystick.integrations.links import Link
from tallystick.integrations.tests.conftest import Site
from tallystick.queue.rows import State


def test_all_that_follow_an_edit_are_marked_a_part_at_a_time(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "CHUNK", 2)
    for number in range(4):
        Connection.objects.create(
            website=site.website,
            type="INVOICE_NINJA",
            name=f"Ninja {number}",
            credentials={"api_token": "token"},
            custom_data={"api_url": f"https://invoices{number}.example.com"},
        )
    user = site.customer().user
    assert user
    Link.objects.update(state=State.DONE)
    with CaptureQueriesContext(database) as seen:
        user.save()
    assert Link.objects.filter(state=State.DUE).count() == 5
    inserts = [each for each in seen if each["sql"].startswith('INSERT INTO "integrations_link"')]
    assert len(inserts) == 3
