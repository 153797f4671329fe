"""What goes into which field: the page, what it stores, what is sent anew."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from tallystick.accounts.models import Account, Membership, Website
from tallystick.accounts.standing import Role
from tallystick.events.models import Event
from tallystick.integrations import bringing, environment, fields
from tallystick.integrations.connections import BadCredentials, Connection
from tallystick.integrations.links import Link
from tallystick.integrations.tests.ninja import NinjaSite
from tallystick.kit import clock
from tallystick.people.models import User
from tallystick.ports.records import Address, Customer, Kind, Remote, RemoteCustomer
from tallystick.queue.rows import State

pytestmark = pytest.mark.django_db


class Page:
    """The page of the connection, to a user who is signed in."""

    def __init__(self, site: NinjaSite, client: Client) -> None:
        self.site, self.client = site, client
        self.url = reverse("admin:integrations_connection_fields", args=[site.connection.pk])

    def get(self) -> str:
        answer = self.client.get(self.url)
        assert answer.status_code == 200
        return answer.content.decode()

    def post(self, act: str = "save", **chosen: str) -> str:
        """As a browser has it; `contacts__city="email"` chooses another than the usual for it."""
        data = {name.replace("__", "-"): source for name, source in chosen.items()}
        answer = self.client.post(self.url, {act: "1", **data}, follow=True)
        assert answer.status_code == 200
        self.site.connection.refresh_from_db()
        return answer.content.decode()

    @property
    def stored(self) -> dict[str, Any]:
        given = self.site.connection.custom_data
        return {name: given.get(name) for name in ("client_fields", "product_fields")}


def signed_in(website: Website, name: str = "warden") -> Client:
    user = User.objects.create_user(name, f"{name}@example.org", is_staff=True)
    Membership.objects.create(user=user, website=website, role=Role.ADMIN)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def page(ninja: NinjaSite) -> Page:
    return Page(ninja, signed_in(ninja.website))


def test_the_connection_says_what_goes_where(page: Page) -> None:
    url = reverse("admin:integrations_connection_change", args=[page.site.connection.pk])
    text = page.client.get(url).content.decode()
    assert "What goes into which field" in text
    assert page.url in text
    assert "setting_client_fields" not in text
    xero = Connection.objects.create(website=page.site.website, type="XERO", name="Xero")
    url = reverse("admin:integrations_connection_change", args=[xero.pk])
    assert "What goes into which field" not in page.client.get(url).content.decode()
    url = reverse("admin:integrations_connection_fields", args=[xero.pk])
    assert page.client.get(url).status_code == 404


def test_another_websites_admin_does_not_find_it(page: Page) -> None:
    other = Website.objects.create(
        name="Harbour", domain="harbour.example", currency="GBP", country="GB"
    )
    assert signed_in(other, "other").get(page.url).status_code == 404


def test_what_is_chosen_is_stored_as_before(page: Page) -> None:
    page.post(contacts__custom_value1="username", contacts__city="-", products__price="")
    assert page.stored == {
        "client_fields": {"custom_value1": "username", "city": ""},
        "product_fields": None,
    }
    text = page.get()
    assert '<option value="username" selected>' in text
    page.post()
    assert page.stored == {"client_fields": None, "product_fields": None}


def test_other_settings_stay_and_so_does_what_is_wrong(page: Page) -> None:
    connection = page.site.connection
    Connection.objects.everywhere().filter(pk=connection.pk).update(
        needs_reconnect=True, sync_error="Reconnect: no."
    )
    before = dict(connection.custom_data)
    page.post(contacts__city="email")
    assert connection.custom_data == {**before, "client_fields": {"city": "email"}}
    assert connection.needs_reconnect
    assert connection.credentials["api_token"] == page.site.stand.token


def test_the_connections_own_form_leaves_it_alone(page: Page) -> None:
    page.post(contacts__city="email")
    connection = page.site.connection
    url = reverse("admin:integrations_connection_change", args=[connection.pk])
    data = {
        "type": connection.type,
        "name": "Another",
        "is_active": "on",
        "setting_api_url": connection.custom_data["api_url"],
        "setting_timeout": "20",
    }
    page.client.post(url, data)
    connection.refresh_from_db()
    assert (connection.name, page.stored["client_fields"]) == ("Another", {"city": "email"})


@pytest.mark.parametrize("source", ["passwort", "allergies", "address", "__class__"])
def test_what_does_not_exist_is_refused_by_name(page: Page, source: str) -> None:
    text = page.post(contacts__custom_value2=source)
    assert f"custom_value2: there is no “{source}” to go into it." in text
    assert page.stored["client_fields"] is None
    given = {**page.site.connection.custom_data, "client_fields": {"custom_value2": source}}
    with pytest.raises(BadCredentials, match=f"client_fields: custom_value2: .* “{source}”"):
        page.site.connection.configure(page.site.connection.credentials, given)


def test_what_a_counterpart_is_known_by_is_not_for_choosing(page: Page) -> None:
    connection = page.site.connection
    given = {**connection.custom_data, "product_fields": {"custom_value4": "slug"}}
    with pytest.raises(BadCredentials, match="product_fields: custom_value4 is not for choosing"):
        connection.configure(connection.credentials, given)
    page.post(products__custom_value4="slug")
    assert page.stored["product_fields"] is None


def test_health_data_is_there_to_choose_only_where_it_is_allowed(
    page: Page, settings: Settings
) -> None:
    user = page.site.customer().user
    assert user
    user.allergies = "nuts"
    user.save()
    assert "allergies" not in page.get()
    settings.INVOICE_NINJA_SEND_SENSITIVE_FIELDS = True
    assert "nuts" not in page.get()
    assert "nuts" in page.post("preview", contacts__custom_value2="allergies")


def test_the_preview_shows_one_of_each_and_stores_nothing(page: Page) -> None:
    page.site.customer("anna")
    page.site.product("Crown")
    text = page.get()
    assert "Anna Becker" in text
    assert "190" in text
    assert "anna-from-here" not in text
    text = page.post("preview", contacts__city="username", products__custom_value1="currency")
    assert text.count('<td class="said">anna</td>') == 1
    assert '<td class="said">EUR</td>' in text
    assert page.stored == {"client_fields": None, "product_fields": None}
    assert page.site.stand.token not in text


def test_what_was_sent_is_due_and_what_stays_the_same_costs_no_call(page: Page) -> None:
    ninja = page.site
    ninja.customer("anna")
    Link.objects.all().delete()
    told, other = ninja.product("Crown"), ninja.product("Bridge")
    told.category = "Dental"
    told.save()
    ninja.serve()
    assert "2 that were sent are looked at again" in page.post(products__custom_value2="category")
    assert Link.objects.filter(kind=Kind.PRODUCT.value, state=State.DUE).count() == 2
    before = len(ninja.network.requests())
    ninja.serve()
    assert [call.method for call in ninja.network.requests()[before:]].count("PUT") == 1
    assert ninja.row("products", product_key=told.slug)["custom_value2"] == "Dental"
    page.post()
    ninja.serve()
    assert not ninja.row("products", product_key=told.slug).get("custom_value2")
    assert Link.objects.filter(state=State.DUE).count() == 0
    assert other.slug


def test_what_is_left_alone_from_now_on_makes_nothing_due(page: Page) -> None:
    page.site.product()
    page.site.serve()
    assert "Nothing that was sent says anything else" in page.post(products__custom_value1="-")
    assert page.site.link(Kind.PRODUCT).state == State.DONE
    assert "Nothing was changed." in page.post(products__custom_value1="-")


def test_a_change_is_in_the_journal_by_the_names_of_fields(page: Page) -> None:
    page.post(contacts__city="email")
    (event,) = Event.objects.everywhere().filter(kind="connection.changed")
    assert json.loads(event.change) == {"fields": ["client_fields.city"], "due": 0}


def test_fields_that_were_chosen_by_hand_are_kept(page: Page) -> None:
    connection = page.site.connection
    connection.custom_data["client_fields"] = {"shipping_city": "address.city"}
    connection.save()
    page.post(contacts__shipping_city="address.city", contacts__city="email")
    assert page.stored["client_fields"] == {"shipping_city": "address.city", "city": "email"}


def test_the_company_names_its_fields(page: Page) -> None:
    page.site.stand.company.custom_fields = {"client3": "Ward|single_line_text"}
    assert "Ward" not in page.get()
    assert "The labels are those of the company now." in page.post("labels")
    assert ">Ward</label>" in page.get()


def test_queries_do_not_grow(page: Page) -> None:
    page.site.customer("anna")
    page.site.product("Crown")
    page.get()
    with CaptureQueriesContext(database) as few:
        page.get()
    for n in range(2):
        page.site.customer(f"u{n}")
        page.site.product(f"Crown {n}")
    with CaptureQueriesContext(database) as many:
        page.get()
    assert len(many) <= len(few) <= 14
    page.site.serve()
    with CaptureQueriesContext(database) as saving:
        page.post(contacts__city="email", products__custom_value2="category")
    marks = [each for each in saving if 'UPDATE "integrations_link"' in each["sql"]]
    assert len(marks) == 1


def test_what_is_not_fed_as_usual_says_nothing_of_ours(ninja: NinjaSite) -> None:
    ours = Customer("c-1", name="Ada Berg", tax_number="DE1", address=Address(city="Bonn"))
    theirs = RemoteCustomer(
        Remote("x"), "ada@example.org", clock.now(), tax_number="DE2",
        address=Address(city="C-17", region="NW"),
    )  # fmt: skip
    assert fields.as_ours(ninja.connection, ours, theirs) is theirs
    ninja.connection.custom_data["client_fields"] = {"name": "email", "city": "", "phone": "name"}
    read = fields.as_ours(ninja.connection, ours, theirs)
    assert (read.name, read.tax_number) == ("Ada Berg", "DE2")
    assert read.address == Address(city="Bonn", region="NW")


@pytest.mark.parametrize("rule", ["ask", "remote_wins"])
def test_what_comes_back_of_it_is_not_taken_over(
    ninja: NinjaSite, now: clock.VirtualClock, rule: str
) -> None:
    connection = ninja.connection
    connection.custom_data["client_fields"] = {"name": "email", "city": "last_name"}
    connection.conflict_rule = rule
    connection.save()
    account = ninja.customer("anna")
    ninja.serve()
    ninja.catch_up(now)
    row = ninja.row("clients", id_number=account.customer_key)
    assert (row["name"], row["city"]) == ("anna@example.org", "Becker")
    now.advance(timedelta(hours=1))
    ninja.stand.edit_client(row["id"], {"vat_number": "DE123456789"})
    ninja.catch_up(now)
    link = ninja.link(Kind.CUSTOMER)
    if rule == "ask":
        assert link.difference == "Tax number “DE123456789” there, empty here."
        bringing.take_theirs(link, User.objects.create_superuser("root"))
    account = Account.objects.of(ninja.website).get(pk=account.pk)
    assert (account.name, account.address()["city"]) == ("Anna Becker", "")
    assert account.tax_number == "DE123456789"
    before = len(ninja.network.requests())
    ninja.serve()
    calls = [call.method for call in ninja.network.requests()[before:]]
    assert (ninja.link(Kind.CUSTOMER).difference, calls.count("PUT")) == ("", 0)


class TestFromTheEnvironment:
    GIVEN = {"api_url": "https://invoices.example.com", "api_token": "t"}

    def test_what_staff_chose_holds_where_it_says_nothing(
        self, page: Page, settings: Settings
    ) -> None:
        settings.INVOICE_NINJA = {**self.GIVEN, "product_fields": {"custom_value2": "slug"}}
        Connection.objects.everywhere().update(is_active=False, name="Another")
        (made,) = environment.connect()
        own = Page(page.site, page.client)
        own.site.connection = made
        own.url = reverse("admin:integrations_connection_fields", args=[made.pk])
        assert "it is changed there" in own.get()
        own.post(contacts__city="email", products__custom_value2="category")
        (again,) = environment.connect()
        assert again.custom_data["client_fields"] == {"city": "email"}
        assert again.custom_data["product_fields"] == {"custom_value2": "slug"}

    def test_its_change_is_sent_too(self, page: Page, settings: Settings) -> None:
        settings.INVOICE_NINJA = self.GIVEN
        Connection.objects.everywhere().filter(pk=page.site.connection.pk).update(
            from_environment=True
        )
        page.site.product()
        page.site.serve()
        settings.INVOICE_NINJA = {**self.GIVEN, "product_fields": {"custom_value2": "slug"}}
        environment.connect()
        assert page.site.link(Kind.PRODUCT).state == State.DUE
