from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from tallystick.kit import clock
from tallystick.queue.models import Schedule

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(client: Client) -> Client:
    client.force_login(get_user_model().objects.create_superuser("root"))
    return client


def test_shows_schedules_and_runs_them_now(browser: Client) -> None:
    later = clock.now() + timedelta(hours=1)
    waiting = Schedule.objects.create(name="sweep", every=3600, due_at=later)
    running = Schedule.objects.create(name="scan", every=60, due_at=later, lease_owner="a worker")
    page = reverse("admin:queue_schedule_changelist")
    assert "sweep" in browser.get(page).content.decode()
    action = {"action": "run_now", "_selected_action": [waiting.pk, running.pk]}
    assert browser.post(page, action).status_code == 302
    assert list(Schedule.due()) == [waiting]


def test_what_the_code_says_is_not_edited(browser: Client) -> None:
    row = Schedule.objects.create(name="sweep", every=3600)
    change = reverse("admin:queue_schedule_change", args=[row.pk])
    assert "3600" in browser.get(change).content.decode()
    assert browser.post(change, {"every": 1}).status_code == 403
    delete = reverse("admin:queue_schedule_delete", args=[row.pk])
    assert browser.post(delete, {"post": "yes"}).status_code == 403
    assert browser.get(reverse("admin:queue_schedule_add")).status_code == 403
