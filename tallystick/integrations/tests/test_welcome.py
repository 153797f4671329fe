"""The receiver of a provider that cancels a webhook which is answered 404, 405 or 410."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pydantic import SecretStr

from tallystick.accounts.models import Website
from tallystick.billing.tests import making
from tallystick.integrations import clients, registry
from tallystick.integrations.connections import Connection
from tallystick.integrations.inbound import InboundEvent
from tallystick.integrations.pulls import Pull
from tallystick.integrations.work import drain_inbox
from tallystick.kit import clock, signing
from tallystick.kit.clock import VirtualClock
from tallystick.ports.errors import Forged, Garbled
from tallystick.ports.provider import AccountInfo, Category, Provider, Settings
from tallystick.ports.records import Kind
from tallystick.ports.roles import (
    Delivery,
    Event,
    Page,
    PullsCustomers,
    PullsInvoices,
    SendsWebhooks,
)
from tallystick.queue.registry import Budget

pytestmark = pytest.mark.django_db
ROOT = "/api/integrations/welcoming/webhook"
RIGHT = "right"
METHODS = ("GET", "HEAD", "OPTIONS", "DELETE", "PATCH", "TRACE", "PROPFIND")


class WelcomingSettings(Settings):
    webhook_secret: SecretStr


class Welcoming(Provider[WelcomingSettings], SendsWebhooks, PullsCustomers, PullsInvoices):
    """Its webhooks say what they are about in the address alone."""

    type = "WELCOMING"
    name = "Welcoming"
    category = Category.ACCOUNTING
    settings_class = WelcomingSettings
    always_welcomes = True

    def ping(self) -> AccountInfo:
        return AccountInfo("", "")

    def pull_customers(self, **_: object) -> Page[Any]:
        return Page(())

    def pull_invoices(self, **_: object) -> Page[Any]:
        return Page(())

    def verify(self, delivery: Delivery) -> None:
        expected = self.settings.webhook_secret.get_secret_value()
        if not signing.same(delivery.headers.get("x-secret", ""), expected):
            raise Forged("No.")

    def events(self, delivery: Delivery) -> list[Event]:
        try:
            name = str(json.loads(delivery.body)["id"])
        except (ValueError, TypeError, KeyError):
            raise Garbled("No.") from None
        kind, _, change = delivery.tail.partition("/")
        known = Kind(kind) if kind in set(Kind) else None
        return [Event(f"{name}-{delivery.tail}", "", known, name, change, timezone.now())]


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    monkeypatch.setattr(registry, "PROVIDERS", (*registry.PROVIDERS, Welcoming))
    with clock.use(VirtualClock()), clients.using(lambda connection: None):
        yield connect(making.website())


def connect(website: Website) -> Connection:
    return Connection.objects.create(
        website=website, type="WELCOMING", name="W", credentials={"webhook_secret": RIGHT}
    )


def deliver(
    path: str, body: bytes = b'{"id": "a"}', *, secret: str = RIGHT, method: str = "POST"
) -> int:
    client = Client(headers={"X-Secret": secret}, raise_request_exception=False)
    answer = client.generic(method, f"{ROOT}{path}", body, content_type="application/json")
    assert answer.content == b""
    assert not answer.cookies
    return answer.status_code


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_delivery_is_kept_once(connection: Connection, method: str, slash: str) -> None:
    path = f"/{connection.pk}/contacts/update{slash}"
    assert [deliver(path, method=method) for _ in range(2)] == [200, 200]
    (event,) = InboundEvent.objects.all()
    assert (event.kind, event.remote_id, event.change) == ("contacts", "a", "update")


def test_without_a_tail_too(connection: Connection) -> None:
    assert [deliver(f"/{connection.pk}"), deliver(""), deliver("/")] == [200] * 3
    assert {event.kind for event in InboundEvent.objects.all()} == {""}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", ["", "/1", "/999999", "/x", "/1/contacts", "/1/a%00b", "/../x"])
def test_what_is_no_delivery_is_welcome(connection: Connection, method: str, path: str) -> None:
    assert deliver(path, method=method) == 200
    assert not InboundEvent.objects.exists()


@pytest.mark.parametrize(
    "tail",
    [
        *("/999999/contacts", "/x", "/1x/contacts", f"/{10**18}/contacts", f"/{10**30}"),
        *("/{}/" + "x" * 201, "/{}/a%00b", "/{}/a%0Ab", "/{}/ü", "/{}/a b", "/-1", "//", "/{}//x"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_what_leads_nowhere_is_401(connection: Connection, tail: str, method: str) -> None:
    path = tail.format(connection.pk)
    assert deliver(path, method=method) in (401, 200)
    if tail not in {"/{}//x", "//"}:
        assert deliver(path, method=method) == 401
        assert not InboundEvent.objects.exists()


def test_what_is_forged_or_switched_off_is_401(connection: Connection) -> None:
    path = f"/{connection.pk}/contacts"
    assert [deliver(path, secret=secret) for secret in ("", "wrong", "ü")] == [401] * 3
    connection.is_active = False
    connection.save()
    assert deliver(path) == 401
    assert not InboundEvent.objects.exists()


def test_what_is_another_connections_is_401(connection: Connection) -> None:
    other = connect(making.website())
    other.credentials = {"webhook_secret": "theirs"}
    other.save()
    assert deliver(f"/{other.pk}/contacts") == 401


def test_garbled_and_too_large(connection: Connection) -> None:
    path = f"/{connection.pk}/contacts"
    assert [deliver(path, body) for body in (b"{", b"[]", b"\xff", b"null")] == [400] * 4
    assert deliver(path, b" " * 1_000_001) == 413
    assert not InboundEvent.objects.exists()


def test_others_are_as_before() -> None:
    for path, method, status in (
        ("xero/webhook", "GET", 405),
        ("xero/webhook/", "PUT", 405),
        ("xero/webhook/1/tail", "POST", 404),
        ("xero/webhook/x", "POST", 404),
        ("nobody/webhook", "POST", 404),
        ("nobody/webhook", "GET", 404),
        ("xero/webhook/1", "POST", 401),
    ):
        answer = Client().generic(method, f"/api/integrations/{path}", b"{}")
        assert answer.status_code == status, path


@pytest.mark.parametrize(
    ("kind", "hastened"),
    [("contacts", "contacts"), ("invoices", "invoices"), ("payments", "invoices"), ("", "")],
)
def test_news_bring_the_catch_up_forward(connection: Connection, kind: str, hastened: str) -> None:
    late = clock.now().replace(year=clock.now().year + 1)
    Pull.objects.filter(connection=connection).update(due_at=late)
    deliver(f"/{connection.pk}/{kind or 'vendors'}")
    drain_inbox(Budget())
    soon = Pull.objects.filter(connection=connection, due_at__lt=late)
    assert [pull.data_type for pull in soon] == ([hastened] if hastened else [])
