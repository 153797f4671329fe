from __future__ import annotations

from unittest import mock

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tallystick import events
from tallystick.accounts.roles import Role
from tallystick.accounts.websites import Website
from tallystick.events.admin import BoundedPaginator
from tallystick.events.models import Event
from tallystick.people.models import User

pytestmark = pytest.mark.django_db

LIST = reverse("admin:events_event_changelist")


@pytest.fixture
def browser(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def listed(browser: Client, **query: str) -> list[str]:
    response = browser.get(LIST, query)
    assert response.status_code == 200
    return [event.kind for event in response.context["cl"].result_list]


def test_lists_the_newest_first_and_finds_by_subject(browser: Client, website: Website) -> None:
    other = Website.objects.create(name="Other", domain="other.example")
    for kind, subject in [("a.1", website), ("a.2", other), ("a.3", website)]:
        events.record(kind, subject)
    assert listed(browser) == ["a.3", "a.2", "a.1"]
    assert listed(browser, q=str(website.pk)) == ["a.3", "a.1"]
    assert listed(browser, q=f"Website {other.pk}") == ["a.2"]
    assert listed(browser, q=f"billing.invoice {other.pk}") == []


def test_an_admin_sees_their_websites(client: Client, website: Website) -> None:
    other = Website.objects.create(name="Other", domain="other.example")
    events.record("a.ours", website)
    theirs = events.record("a.theirs", other)
    boss = User.objects.create_user("boss", is_staff=True)
    boss.memberships.create(role=Role.ADMIN, website=website)
    client.force_login(boss)
    assert listed(client) == ["a.ours"]
    assert client.get(reverse("admin:events_event_change", args=[theirs.pk])).status_code == 302


def test_shows_an_event_and_lets_nobody_change_it(browser: Client, website: Website) -> None:
    event = events.record("a.b", website, change={"fields": ["name"]})
    page = reverse("admin:events_event_change", args=[event.pk])
    assert "fields" in browser.get(page).content.decode()
    assert browser.post(page, {"kind": "c.d"}).status_code == 403
    delete = reverse("admin:events_event_delete", args=[event.pk])
    assert browser.post(delete, {"post": "yes"}).status_code == 403
    assert browser.get(reverse("admin:events_event_add")).status_code == 403


def test_counts_no_further_than_anyone_leafs(website: Website) -> None:
    for _ in range(5):
        events.record("a.b", website)
    with mock.patch("tallystick.events.admin.MOST_LISTED", 3):
        assert BoundedPaginator(Event.objects.of(website).order_by("-id"), 2).count == 3


def test_costs_the_same_however_long_the_journal(browser: Client, website: Website) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            listed(browser)
        return len(asked)

    events.record("a.b", website)
    before = queries()
    for _ in range(20):
        events.record("a.b", website)
    assert queries() == before
