"""A connection goes on only where it is seen to lead to the company that its links speak of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from tallystick.events.models import Event
from tallystick.integrations import clients, environment, registry
from tallystick.integrations.connections import Connection
from tallystick.integrations.links import Link
from tallystick.integrations.logs import SyncLog
from tallystick.integrations.pulls import Pull
from tallystick.integrations.tests import commanding
from tallystick.integrations.tests.commanding import Ninja, run
from tallystick.integrations.tests.ninja import NinjaSite, ninja_site
from tallystick.integrations.turns import Turn
from tallystick.integrations.work import serve
from tallystick.kit import clock
from tallystick.kit.clock import VirtualClock
from tallystick.ports.records import Kind
from tallystick.ports.sandboxing import transport
from tallystick.providers.invoiceninja.sandbox import InvoiceNinjaStand
from tallystick.queue.rows import State

pytestmark = pytest.mark.django_db

OTHER = "https://other.example.com"


@pytest.fixture
def other(now: VirtualClock) -> InvoiceNinjaStand:
    """Another server, whose first company has the id that the first of any server has."""
    stand = InvoiceNinjaStand(now)
    stand.company.key = "5" * 32
    return stand


@pytest.fixture
def site(now: VirtualClock, other: InvoiceNinjaStand) -> Iterator[NinjaSite]:
    """Its customer is in step."""
    ours = InvoiceNinjaStand(now)

    def server(connection: Connection) -> Any:  # noqa: ANN401
        at = str(connection.custom_data["api_url"])
        return transport(other if urlsplit(at).hostname == "other.example.com" else ours)

    with clients.using(server):
        site = ninja_site(ours)
        site.customer()
        site.serve()
        yield site


@pytest.fixture
def relayed(now: VirtualClock) -> Iterator[Ninja]:
    with commanding.relayed(now) as site:
        yield site


def by_configuring(site: NinjaSite, settings: Settings, token: str) -> None:
    del settings
    site.connection.configure(
        {"api_token": token}, {**site.connection.custom_data, "api_url": OTHER}
    )
    site.connection.keep_settings()


def by_the_environment(site: NinjaSite, settings: Settings, token: str) -> None:
    Connection.objects.everywhere().update(from_environment=True)
    settings.INVOICE_NINJA = {"api_url": OTHER, "api_token": token, "request_delay": 0}
    environment.connect()


def by_hand(site: NinjaSite, settings: Settings, token: str) -> None:
    del settings
    connection = site.connection
    connection.credentials = {"api_token": token}
    connection.custom_data = {**connection.custom_data, "api_url": OTHER}
    connection.save()


Way = Callable[[NinjaSite, Settings, str], None]


def edited(site: NinjaSite) -> Link:
    user = site.link(Kind.CUSTOMER)
    Link.objects.filter(pk=user.pk).touch()
    return site.link(Kind.CUSTOMER)


@pytest.mark.parametrize("way", [by_configuring, by_the_environment, by_hand])
def test_nothing_is_sent_to_another_company(
    site: NinjaSite, other: InvoiceNinjaStand, settings: Settings, way: Way
) -> None:
    way(site, settings, other.token)
    edited(site)
    assert run("sync", "invoice_ninja").status == 1
    site.connection.refresh_from_db()
    assert site.connection.needs_reconnect
    assert "another company" in site.connection.sync_error
    assert {call.path for call in other.calls} == {"/api/v1/companies/current"}
    assert site.link(Kind.CUSTOMER).state == State.DUE


@pytest.mark.parametrize("way", [by_configuring, by_the_environment, by_hand])
def test_the_same_company_elsewhere_goes_on(
    site: NinjaSite, other: InvoiceNinjaStand, settings: Settings, way: Way
) -> None:
    """The server has moved."""
    other.company.key = site.stand.company.key
    other.company.shelves = site.stand.company.shelves
    way(site, settings, other.token)
    Link.objects.update(fingerprint="")
    edited(site)
    site.serve()
    assert site.link(Kind.CUSTOMER).state == State.DONE
    assert any(call.method == "PUT" for call in other.calls)


def test_who_knows_nothing_there_yet_may_turn_elsewhere(
    site: NinjaSite, other: InvoiceNinjaStand, settings: Settings
) -> None:
    Link.objects.update(remote_id="", fingerprint="")
    site.connection.remote_records.all().delete()
    by_configuring(site, settings, other.token)
    edited(site)
    site.serve()
    assert site.link(Kind.CUSTOMER).state == State.DONE


def test_it_is_asked_once(site: NinjaSite) -> None:
    edited(site)
    site.serve()
    asked = [call for call in site.stand.calls if call.path.endswith("/companies/current")]
    assert len(asked) == 1


def test_an_answer_that_does_not_come_ends_the_turn_before_anything_is_sent(
    site: NinjaSite, other: InvoiceNinjaStand, settings: Settings
) -> None:
    by_configuring(site, settings, "a-token-that-is-none")
    edited(site)
    turn = Turn(Connection.objects.everywhere().get(), "test")
    assert not serve(turn)
    assert turn.ended_by
    assert site.link(Kind.CUSTOMER).state == State.DUE
    assert not other.company.shelves["clients"]


def admin_tests(client: Client, connection: Connection) -> list[str]:
    page = client.post(
        reverse("admin:integrations_connection_changelist"),
        {"action": "test_connection", "_selected_action": [connection.pk]},
        follow=True,
    )
    return [str(message) for message in page.context["messages"]]


class TestARelay:
    """It cannot be asked."""

    def test_a_new_address_waits_for_a_persons_word(
        self, relayed: Ninja, admin_client: Client
    ) -> None:
        relayed.product()
        relayed.serve()
        Link.objects.update(remote_id="abc", state=State.DONE)
        connection = relayed.connection
        there = urlsplit(relayed.stand.webhook_url)
        moved = there._replace(netloc="moved.example.org").geturl()
        connection.custom_data = {"webhook_url": moved}
        connection.save()
        Link.objects.all().touch()
        calls = len(relayed.stand.calls)
        assert run("sync", "invoice_ninja_relay").status == 1
        connection.refresh_from_db()
        assert "testing the connection" in connection.sync_error
        assert len(relayed.stand.calls) == calls
        admin_tests(admin_client, connection)
        connection.refresh_from_db()
        assert not connection.needs_reconnect
        assert connection.is_proven()

    def test_a_new_secret_does_not(self, relayed: Ninja) -> None:
        relayed.product()
        relayed.serve()
        Link.objects.update(remote_id="abc")
        connection = relayed.connection
        connection.credentials = {"webhook_secret": "another-secret-of-some-length"}
        assert connection.is_proven()


class TestTestingIt:
    def test_mends_it_whole(self, site: NinjaSite, admin_client: Client) -> None:
        Connection.objects.everywhere().update(
            failures=7, rests_until=clock.now() + timedelta(minutes=9), rest_reason="Resting."
        )
        assert "connected" in admin_tests(admin_client, site.connection)[0]
        site.connection.refresh_from_db()
        assert site.connection.failures == 0
        assert site.connection.may_be_called() == ""
        assert Event.objects.everywhere().filter(kind="connection.tested").exists()

    def test_does_not_take_another_company(
        self, site: NinjaSite, other: InvoiceNinjaStand, settings: Settings, admin_client: Client
    ) -> None:
        account = site.connection.account
        by_hand(site, settings, other.token)
        assert "another company" in admin_tests(admin_client, site.connection)[0]
        site.connection.refresh_from_db()
        assert site.connection.account == account


@pytest.mark.parametrize("provider", registry.PROVIDERS, ids=lambda provider: provider.type)
def test_what_leads_to_a_company_are_settings(provider: registry.ProviderClass) -> None:
    assert provider.leads <= set(provider.settings_class.model_fields)


def test_one_that_has_no_links_can_be_deleted(site: NinjaSite, admin_client: Client) -> None:
    Link.objects.all().delete()
    assert Pull.objects.exists()
    assert SyncLog.objects.exists()
    page = reverse("admin:integrations_connection_delete", args=[site.connection.pk])
    admin_client.post(page, {"post": "yes"})
    assert not Connection.objects.everywhere().exists()


def test_what_is_in_hand_is_not_tried_again(relayed: Ninja, admin_client: Client) -> None:
    relayed.product("Crown")
    relayed.serve()
    dead = relayed.product("Inlay")
    Link.objects.filter(local_id=str(dead.pk)).update(state=State.DEAD, last_error="No.")
    sent = Link.objects.get(state=State.UNCERTAIN)
    admin_client.post(
        reverse("admin:integrations_connection_changelist"),
        {"action": "send_everything_due_again", "_selected_action": [relayed.connection.pk]},
    )
    assert Link.objects.get(local_id=str(dead.pk)).state == State.DUE
    assert Link.objects.get(pk=sent.pk).due_at == sent.due_at
    assert Event.objects.everywhere().filter(kind="link.retried").count() == 1


def test_a_notice_stands_until_it_is_taken_back(site: NinjaSite) -> None:
    site.connection.tell("Its webhooks could not be ordered: no right.")
    Link.objects.update(fingerprint="")
    edited(site)
    site.serve()
    assert site.link(Kind.CUSTOMER).state == State.DONE
    site.connection.refresh_from_db()
    assert site.connection.notice.startswith("Its webhooks")
    assert not site.connection.sync_error
