"""The rule in the form of a connection, and what staff decide where the two sides differ."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import Client
from django.urls import reverse

from tallystick.accounts.models import Website
from tallystick.events.models import Event
from tallystick.integrations import registry
from tallystick.integrations.connections import Connection
from tallystick.integrations.forms import form_for
from tallystick.integrations.links import Link
from tallystick.integrations.pulls import first_read
from tallystick.integrations.tests.conftest import Site
from tallystick.integrations.tests.ninja import NinjaSite
from tallystick.integrations.tests.test_admin import admin_of
from tallystick.integrations.tests.test_conflicts import Ruled
from tallystick.kit.clock import VirtualClock
from tallystick.queue.rows import State

LINKS = "admin:integrations_link_changelist"


@pytest.fixture
def ruled(ninja: NinjaSite, now: VirtualClock) -> Ruled:
    return Ruled(ninja, now)


@pytest.fixture
def differing(ruled: Ruled) -> Ruled:
    """Kassel there, and then Berlin here."""
    ruled.edit_there(city="Kassel")
    ruled.catch_up()
    ruled.edit_here(city="Berlin")
    ruled.catch_up()
    return ruled


@pytest.fixture
def staff(ninja: NinjaSite) -> Client:
    return admin_of(ninja.website, "berlin")


def act(client: Client, action: str, *links: Link) -> str:
    data = {"action": action, "_selected_action": [link.pk for link in links]}
    answer: Any = client.post(reverse(LINKS), data, follow=True)
    return str(answer.content.decode())


def settings_of(connection: Connection) -> dict[str, Any]:
    values = {f"setting_{name}": value for name, value in connection.custom_data.items()}
    return {
        "website": connection.website_id,
        "type": connection.type,
        "name": connection.name,
        "is_active": "on",
        **values,
    }


class TestTheForm:
    def test_the_rule_is_chosen(self, ninja: NinjaSite, staff: Client) -> None:
        url = reverse("admin:integrations_connection_change", args=[ninja.connection.pk])
        assert "When a customer or product was changed there" in staff.get(url).content.decode()
        data = {**settings_of(ninja.connection), "conflict_rule": "remote_wins"}
        assert staff.post(url, data).status_code == 302
        ninja.connection.refresh_from_db()
        assert ninja.connection.conflict_rule == "remote_wins"
        told = Event.objects.of_subject(ninja.connection).get(kind="connection.changed")
        assert "conflict_rule" in told.change
        # A form without it leaves it; one with nonsense is refused.
        assert staff.post(url, settings_of(ninja.connection)).status_code == 302
        assert staff.post(url, {**data, "conflict_rule": "mine"}).status_code == 200
        ninja.connection.refresh_from_db()
        assert ninja.connection.conflict_rule == "remote_wins"

    @pytest.mark.parametrize("provider", registry.PROVIDERS, ids=lambda provider: provider.type)
    def test_it_says_where_it_changes_nothing(self, provider: registry.ProviderClass) -> None:
        said = str(form_for(provider.type, None).base_fields["conflict_rule"].help_text)
        changes_nothing = f"At {provider.name} it changes nothing" in said
        assert changes_nothing == (not first_read(provider))
        assert changes_nothing == (provider.type != "INVOICE_NINJA")

    def test_so_does_a_check(self, site: Site) -> None:
        def said() -> list[str]:
            found = run_checks(tags=["database"], databases=["default"])
            return [one.msg for one in found if one.id == "tallystick.W104"]

        assert not said()
        Connection.objects.everywhere().update(conflict_rule="local_wins")
        assert said() == [
            "Connection “Xero” has a rule for what is changed there (local_wins); Xero is not asked "
            "what that is, so it changes nothing."
        ]


class TestLinks:
    def test_ours_is_sent(self, differing: Ruled, staff: Client) -> None:
        text = staff.get(reverse(LINKS), {"differs": "yes"}).content.decode()
        assert "City “Kassel” there, “Berlin” here." in text
        links = list(Link.objects.all())
        assert "1 link is due now." in act(staff, "send_ours", *links)
        assert differing.sent(differing.site.serve) == 1
        assert differing.row()["city"] == "Berlin"
        told = Event.objects.of_subject(differing.link()).get(kind="link.retried")
        assert told.actor_kind == "user"

    def test_theirs_is_taken(self, differing: Ruled, staff: Client) -> None:
        assert "1 was taken over." in act(staff, "take_theirs", *Link.objects.all())
        differing.site.serve()
        assert differing.anna().city == differing.row()["city"] == "Kassel"
        assert (differing.link().state, differing.link().difference) == (State.DONE, "")

    def test_a_connection_that_is_not_set_up_is_told_of(
        self, differing: Ruled, staff: Client
    ) -> None:
        Connection.objects.everywhere().update(custom_data={})
        assert "api_url" in act(staff, "take_theirs", *Link.objects.all())
        assert differing.anna().city == "Berlin"

    def test_those_of_others_are_left(self, differing: Ruled, db: None) -> None:
        other = admin_of(_other_website(), "bristol")
        for action in ("send_ours", "take_theirs"):
            act(other, action, *Link.objects.all())
        assert differing.link().difference


class TestThePanel:
    @pytest.mark.parametrize(("button", "city"), [("take", "Kassel"), ("force", "Berlin")])
    def test_it_offers_both(self, differing: Ruled, staff: Client, button: str, city: str) -> None:
        page = reverse("admin:accounts_account_change", args=[differing.account.pk])
        text = staff.get(page).content.decode()
        assert "It was changed there as well, and is not sent: City “Kassel” there" in text
        assert "Take theirs, or send ours." in text
        assert ("Take theirs</button>" in text, "Send ours</button>" in text) == (True, True)
        url = reverse("admin:integrations_link_retry", args=[differing.link().pk])
        assert staff.post(url, {button: "1"}).status_code == 302
        differing.site.serve()
        assert differing.anna().city == differing.row()["city"] == city
        text = staff.get(page).content.decode()
        assert "Take theirs</button>" not in text
        assert "Send again</button>" in text


def _other_website() -> Website:
    return Website.objects.create(
        name="Harbour", domain="harbour.example", currency="GBP", country="GB"
    )
