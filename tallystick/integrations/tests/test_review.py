"""The review list in the admin: proposals, choosing by hand, whose rows one sees."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection as database
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tallystick.accounts.models import Account, Membership, Organisation, Website
from tallystick.accounts.roles import Role
from tallystick.events.models import Event
from tallystick.integrations.links import Link
from tallystick.integrations.remote_records import RemoteRecord
from tallystick.integrations.tests.ninja import NinjaSite
from tallystick.integrations.tests.test_admin import admin_of
from tallystick.kit.clock import VirtualClock
from tallystick.people.models import User
from tallystick.ports.records import Kind

LIST = "admin:integrations_remoterecord_changelist"
Match = RemoteRecord.Match


@pytest.fixture
def staff(ninja: NinjaSite) -> Client:
    return admin_of(ninja.website, "berlin")


@pytest.fixture
def stranger(ninja: NinjaSite) -> Client:
    other = Website.objects.create(
        name="Harbour", domain="harbour.example", currency="GBP", country="GB"
    )
    return admin_of(other, "bristol")


@pytest.fixture
def account(ninja: NinjaSite) -> Account:
    """Here and there; and one that is there alone."""
    account = ninja.customer("anna")
    Link.objects.all().delete()
    ninja.stand.add_client("A. Becker", email="anna@example.org")
    ninja.stand.add_client("Kanzlei Roth", email="buero@roth.example")
    ninja.serve()
    return account


def act(
    client: Client, action: str, *rows: RemoteRecord, model: str = "remoterecord"
) -> HttpResponse:
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    answer: Any = client.post(reverse(f"admin:integrations_{model}_changelist"), data, follow=True)
    assert isinstance(answer, HttpResponse)
    return answer


def page(one: RemoteRecord) -> str:
    return reverse("admin:integrations_remoterecord_change", args=[one.pk])


def test_the_list_shows_and_finds(ninja: NinjaSite, account: Account, staff: Client) -> None:
    text = staff.get(reverse(LIST)).content.decode()
    assert "A. Becker" in text
    assert "It has the same e-mail address." in text
    for term, found in (("kanz", True), ("BUERO@", True), ("Roth", False)):
        text = staff.get(reverse(LIST), {"q": term}).content.decode()
        assert ("Kanzlei Roth" in text) == found, term
    text = staff.get(reverse(LIST), {"match": "proposed"}).content.decode()
    assert "Kanzlei" not in text


def test_the_list_costs_the_same_however_long(
    ninja: NinjaSite, account: Account, staff: Client
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(database) as seen:
            staff.get(reverse(LIST))
        return len(seen)

    queries()
    before = queries()
    ninja.stand.seed_clients(30)
    ninja.connection.pulls.update(due_at=ninja.connection.created_at)
    ninja.serve()
    assert queries() == before


def test_of_others_nothing_is_seen_or_decided(
    ninja: NinjaSite, account: Account, stranger: Client
) -> None:
    one = ninja.record(name="A. Becker")
    assert "Becker" not in stranger.get(reverse(LIST)).content.decode()
    assert stranger.get(page(one)).status_code in {302, 403, 404}
    stranger.post(page(one), {"act": "ignore"})
    act(stranger, "ignore", one)
    one.refresh_from_db()
    assert one.match == Match.PROPOSED


def test_proposals_are_accepted(ninja: NinjaSite, account: Account, staff: Client) -> None:
    one, other = ninja.record(name="A. Becker"), ninja.record(name="Kanzlei Roth")
    assert "1 was decided" in act(staff, "accept_proposals", one, other).content.decode()
    one.refresh_from_db()
    assert (one.match, one.decided_by.startswith("user:")) == (Match.ACCEPTED, True)
    event = Event.objects.of_subject(ninja.connection)[0]
    assert (event.kind, event.actor_kind) == ("remote_records.accepted", "user")
    ninja.serve()
    assert ninja.link(Kind.CUSTOMER).remote_id == one.remote_id


def test_a_proposal_that_is_none_any_more_is_not_taken(
    ninja: NinjaSite, account: Account, staff: Client
) -> None:
    club = Organisation.objects.create(website=ninja.website, name="Club", email="anna@example.org")
    Account.open_for_organisation(club)
    act(staff, "accept_proposals", ninja.record(name="A. Becker"))
    assert ninja.record(name="A. Becker").match == Match.UNMATCHED


def test_one_is_chosen_by_hand(ninja: NinjaSite, account: Account, staff: Client) -> None:
    one = ninja.record(name="Kanzlei Roth")
    text = staff.get(page(one)).content.decode()
    assert "Nothing here looks like it." in text
    text = staff.get(page(one), {"q": "beck"}).content.decode()
    value = f"accounts.Account {account.pk}"
    assert f'value="{value}"' in text
    assert staff.post(page(one), {"act": "link", "object": value}).status_code == 302
    ninja.serve()
    one.refresh_from_db()
    assert (one.match, one.local_id) == (Match.MATCHED, str(account.pk))
    assert Event.objects.of_subject(one)[0].kind == "remote_record.decided"


@pytest.mark.parametrize("chosen", ["", "accounts.Account 999", "billing.Product 1", "x y", "a"])
def test_what_was_not_offered_is_refused(
    ninja: NinjaSite, account: Account, staff: Client, chosen: str
) -> None:
    one = ninja.record(name="Kanzlei Roth")
    answer = staff.post(page(one), {"act": "link", "object": chosen}, follow=True)
    assert "Choose one of those" in answer.content.decode()
    one.refresh_from_db()
    assert one.match == Match.UNMATCHED


def test_one_is_made_or_ignored_or_asked_again(
    ninja: NinjaSite, account: Account, staff: Client
) -> None:
    one = ninja.record(name="Kanzlei Roth")
    staff.post(page(one), {"act": "ignore"})
    assert ninja.record(name="Kanzlei Roth").match == Match.IGNORED
    staff.post(page(one), {"act": "again"})
    assert ninja.record(name="Kanzlei Roth").match == Match.UNMATCHED
    staff.post(page(one), {"act": "organisation"})
    ninja.serve()
    assert Organisation.objects.of(ninja.website).get().name == "Kanzlei Roth"
    assert "nothing to decide" in staff.get(page(one)).content.decode()


def test_many_are_made_at_once(ninja: NinjaSite, account: Account, staff: Client) -> None:
    act(staff, "make_here", *RemoteRecord.objects.filter(kind="contacts"))
    assert ninja.record(name="A. Becker").match == Match.PROPOSED
    assert ninja.record(name="Kanzlei Roth").match == Match.ACCEPTED


def test_theirs_are_taken_from_the_list_of_links(
    ninja: NinjaSite, staff: Client, now: VirtualClock
) -> None:
    account = ninja.customer("anna")
    ninja.serve()
    row = ninja.row("clients", id_number=account.customer_key)
    ninja.catch_up(now)
    ninja.stand.edit_client(row["id"], {"city": "Kassel"})
    ninja.catch_up(now)
    url = reverse("admin:integrations_link_changelist")
    text = staff.get(url, {"differs": "yes"}).content.decode()
    assert "City “Kassel” there, empty here." in text
    link = ninja.link(Kind.CUSTOMER)
    data = {"action": "take_theirs", "_selected_action": [link.pk]}
    assert "1 was taken over" in staff.post(url, data, follow=True).content.decode()
    assert Account.objects.of(ninja.website).get(pk=account.pk).city == "Kassel"


@pytest.mark.parametrize("above", ["superuser", "superadmin", "elsewhere"])
def test_nobody_above_oneself_is_taken_over(
    ninja: NinjaSite, staff: Client, now: VirtualClock, above: str
) -> None:
    """With the e-mail address goes the next password."""
    account = ninja.customer("anna")
    person = User.objects.get(username="anna")
    ninja.serve()
    if above == "superuser":
        User.objects.filter(pk=person.pk).update(is_superuser=True)
    elif above == "superadmin":
        Membership.objects.create(user=person, role=Role.SUPERADMIN)
    else:
        harbour = Website.objects.create(
            name="Harbour", domain="harbour.example", currency="GBP", country="GB"
        )
        Membership.objects.create(user=person, website=harbour, role=Role.ADMIN)
    row = ninja.row("clients", id_number=account.customer_key)
    ninja.catch_up(now)
    contact = {**row["contacts"][0], "email": "mine@example.org"}
    ninja.stand.edit_client(row["id"], {"contacts": [contact]})
    ninja.catch_up(now)
    data = {"action": "take_theirs", "_selected_action": [ninja.link(Kind.CUSTOMER).pk]}
    answer = staff.post(reverse("admin:integrations_link_changelist"), data, follow=True)
    assert "a superadmin may take it over" in answer.content.decode()
    assert User.objects.get(pk=person.pk).email == "anna@example.org"
    assert ninja.link(Kind.CUSTOMER).difference
