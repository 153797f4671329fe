from __future__ import annotations

import pytest
from django.test import Client

from tallystick.accounts.roles import Role
from tallystick.accounts.tests.desk import Tenant
from tallystick.accounts.websites import Website
from tallystick.people.models import User


@pytest.fixture
def ours(db: None) -> Website:
    return Website.objects.create(name="Ours", domain="ours.example")


@pytest.fixture
def theirs(db: None) -> Website:
    return Website.objects.create(name="Theirs", domain="theirs.example")


@pytest.fixture
def us(ours: Website) -> Tenant:
    return Tenant(ours)


@pytest.fixture
def them(theirs: Website) -> Tenant:
    return Tenant(theirs)


@pytest.fixture
def boss(us: Tenant) -> User:
    boss = User.objects.create_user("boss", is_staff=True)
    boss.memberships.create(role=Role.ADMIN, website=us.website)
    return boss


@pytest.fixture
def browser(boss: User, client: Client) -> Client:
    client.force_login(boss)
    return client


@pytest.fixture
def root_browser() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client
