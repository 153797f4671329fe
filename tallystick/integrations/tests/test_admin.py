from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tallystick.accounts.models import Membership, Website
from tallystick.accounts.roles import Role
from tallystick.events.models import Event
from tallystick.integrations import forms
from tallystick.integrations.connections import BadCredentials, Connection
from tallystick.integrations.links import Link
from tallystick.integrations.tests.conftest import Site, connect
from tallystick.people.models import User
from tallystick.ports.records import Kind
from tallystick.queue.rows import State

MODELS = ["connection", "link", "synclog", "inboundevent"]


def admin_of(website: Website, name: str) -> Client:
    user = User.objects.create_user(name, password="x", is_staff=True)
    Membership.objects.create(user=user, website=website, role=Role.ADMIN)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def staff(site: Site) -> Client:
    return admin_of(site.website, "berlin")


@pytest.fixture
def stranger(site: Site) -> Client:
    other = Website.objects.create(
        name="Harbour", domain="harbour.example", currency="GBP", country="GB"
    )
    connect(other, site.stand)
    return admin_of(other, "bristol")


@pytest.mark.parametrize("model", MODELS)
def test_every_list_opens_for_staff(site: Site, staff: Client, model: str) -> None:
    site.customer()
    site.serve()
    answer = staff.get(reverse(f"admin:integrations_{model}_changelist"))
    assert answer.status_code == 200


def test_staff_see_the_links_of_their_website_alone(
    site: Site, staff: Client, stranger: Client
) -> None:
    account = site.customer()
    url = reverse("admin:integrations_link_changelist")
    assert account.customer_key in staff.get(url).content.decode()
    assert account.customer_key not in stranger.get(url).content.decode()


def test_a_foreign_connection_cannot_be_opened(site: Site, stranger: Client) -> None:
    url = reverse("admin:integrations_connection_change", args=[site.connection.pk])
    assert stranger.get(url).status_code in {302, 403, 404}


def test_the_form_never_shows_a_secret(site: Site, staff: Client) -> None:
    url = reverse("admin:integrations_connection_change", args=[site.connection.pk])
    page = staff.get(url).content.decode()
    for secret in site.connection.credentials.values():
        assert secret not in page


def test_an_empty_secret_keeps_the_one_there_is(site: Site, staff: Client) -> None:
    url = reverse("admin:integrations_connection_change", args=[site.connection.pk])
    before = dict(site.connection.credentials)
    settings = {f"setting_{name}": value for name, value in site.connection.custom_data.items()}
    answer = staff.post(
        url,
        {"website": site.website.pk, "type": "XERO", "name": "Renamed", "is_active": "on",
         "setting_amount_type": "INCLUSIVE", "setting_client_secret": "", **settings},
    )  # fmt: skip
    assert answer.status_code == 302, answer.context["errors"]
    connection = Connection.objects.of(site.website).get()
    assert (connection.name, dict(connection.credentials)) == ("Renamed", before)
    assert connection.custom_data["amount_type"] == "INCLUSIVE"
    told = Event.objects.of_subject(connection).get(kind="connection.changed")
    assert "amount_type" in told.change
    assert "INCLUSIVE" not in told.change


def test_a_connection_is_added_with_the_form_as_it_is_shown(site: Site, staff: Client) -> None:
    url = reverse("admin:integrations_connection_add")
    shown = staff.get(url).context["adminform"].form
    data = {
        name: field.get_bound_field(shown, name).value() for name, field in shown.fields.items()
    }
    data = {name: value for name, value in data.items() if value not in (None, False)}
    data |= {f"setting_{name}": value for name, value in site.connection.custom_data.items()}
    data |= {
        "name": "Second",
        "type": "XERO",
        "setting_client_secret": "s",
        "website": site.website.pk,
    }
    answer = staff.post(url, data)
    assert answer.status_code == 302, answer.context["errors"]
    made = Connection.objects.of(site.website).get(name="Second")
    assert made.account == site.connection.account


def test_a_save_leaves_the_lease_to_the_worker(site: Site, staff: Client) -> None:
    form = forms.form_for("XERO", site.connection)
    settings = {f"setting_{name}": value for name, value in site.connection.custom_data.items()}
    bound = form(
        {"website": site.website.pk, "type": "XERO", "name": "Xero", "is_active": "on",
         "setting_amount_type": "EXCLUSIVE", **settings},
        instance=Connection.objects.of(site.website).get(),
    )  # fmt: skip
    assert bound.is_valid(), bound.errors
    worker = Connection.objects.of(site.website).get()
    assert worker.acquire("worker", 30)
    bound.save()
    with worker.guard():
        pass
    assert not Connection.objects.of(site.website).get().acquire("another", 30)


def test_settings_of_another_company_are_refused_once_it_is_in_step(
    site: Site, staff: Client
) -> None:
    site.customer()
    site.serve()
    other = site.stand.describe(site.stand.app("Demo Company (UK)"))
    with pytest.raises(BadCredentials, match="another company"):
        site.connection.configure(
            site.connection.credentials,
            {**site.connection.custom_data, "tenant_id": other["tenant_id"]},
        )


def test_a_bad_setting_is_named(site: Site, staff: Client) -> None:
    url = reverse("admin:integrations_connection_change", args=[site.connection.pk])
    answer = staff.post(url, {"type": "XERO", "name": "Xero", "setting_currency_code": "euros"})
    assert "currency_code" in answer.content.decode()


def test_one_click_tests_the_connection(site: Site, staff: Client) -> None:
    answer = act(staff, "connection", "test_connection", site.connection.pk)
    assert "connected to Demo Company (Global)" in answer


def test_one_click_retries_what_failed(site: Site, staff: Client) -> None:
    site.customer()
    Link.objects.update(state=State.DEAD, last_error="no")
    act(staff, "link", "retry_now", site.link(Kind.CUSTOMER).pk)
    site.serve()
    assert site.link(Kind.CUSTOMER).state == State.DONE


def act(client: Client, model: str, action: str, pk: int) -> str:
    url = reverse(f"admin:integrations_{model}_changelist")
    data = {"action": action, "_selected_action": [pk]}
    return client.post(url, data, follow=True).content.decode()
