"""An admin of one website does not see, choose or find what belongs to another."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin
from django.db import models
from django.test import Client
from django.urls import reverse

from tallystick.accounts.accounts import Account
from tallystick.accounts.admin.tenants import TenantAdmin
from tallystick.accounts.apikeys import ApiKey, Scope
from tallystick.accounts.memberships import Membership
from tallystick.accounts.organisations import Organisation
from tallystick.accounts.roles import Role
from tallystick.accounts.tenancy import TenantModel
from tallystick.accounts.tests.desk import MODELS, Tenant, text, url
from tallystick.accounts.websites import Website
from tallystick.people.models import User

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("model", MODELS)
def test_lists_hold_the_rows_of_ones_own_websites(
    model: type[models.Model], us: Tenant, them: Tenant, browser: Client
) -> None:
    for query in ("", "?q=theirs", "?q=example", "?o=1", "?all=", "?_facets=True"):
        page = browser.get(url(model, "changelist") + query)
        assert page.status_code == 200
        assert them.rows[model] not in page.context["cl"].queryset
        assert "theirs-" not in text(page)
        assert ">Theirs<" not in text(page)
    listed = browser.get(url(model, "changelist")).context["cl"].queryset
    assert us.rows[model] in listed


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("page", ["change", "delete", "history"])
def test_a_foreign_row_is_like_one_that_does_not_exist(
    page: str, model: type[models.Model], them: Tenant, browser: Client
) -> None:
    foreign, missing = them.pk(model), 987_654
    answers = []
    for pk in (foreign, missing):
        for answer in (browser.get(url(model, page, pk)), browser.post(url(model, page, pk))):
            shown = text(browser.get(reverse("admin:index"))).replace(str(pk), "N")
            answers.append((answer.status_code, messages_in(shown)))
    assert answers[:2] == answers[2:]
    assert {status for status, _ in answers} <= {302, 403}
    assert type(them.rows[model])._base_manager.filter(pk=foreign).exists()


def messages_in(page: str) -> list[str]:
    return re.findall(r'<ul class="messagelist">(.*?)</ul>', page, re.DOTALL)


@pytest.mark.parametrize("model", [Account, ApiKey, Membership, Organisation])
def test_filters_offer_and_find_nothing_foreign(
    model: type[models.Model], us: Tenant, them: Tenant, browser: Client, boss: User
) -> None:
    boss.memberships.create(
        role=Role.ADMIN, website=Website.objects.create(name="Third", domain="third.example")
    )
    page = browser.get(url(model, "changelist"))
    assert "Third" in text(page)
    assert "Theirs" not in text(page)
    narrowed = browser.get(url(model, "changelist") + f"?website__id__exact={them.website.pk}")
    assert narrowed.context["cl"].result_count == 0
    for lookup in ("website__name=Theirs", "website__tax_number__startswith=x"):
        refused = browser.get(url(model, "changelist") + f"?{lookup}")
        assert refused.status_code in {302, 400} or refused.context["cl"].result_count == 0


def test_the_front_page_shows_what_there_is_to_manage(browser: Client, boss: User) -> None:
    page = text(browser.get(reverse("admin:index")))
    assert url(Organisation, "changelist") in page
    assert "/auth/group/" not in page
    boss.memberships.all().delete()
    assert url(Organisation, "changelist") not in text(browser.get(reverse("admin:index")))
    assert browser.get(url(Organisation, "changelist")).status_code == 403


def test_what_is_not_staffs_own_is_closed_to_clients(us: Tenant, client: Client) -> None:
    person = us.rows[User]
    assert isinstance(person, User)
    person.is_staff = True
    person.save()
    client.force_login(person)
    for model in MODELS:
        assert client.get(url(model, "changelist")).status_code == 403
        assert client.get(url(model, "change", us.pk(model))).status_code in {302, 403}


def test_superadmins_see_all(us: Tenant, them: Tenant, root_browser: Client) -> None:
    for model in MODELS:
        page = root_browser.get(url(model, "changelist"))
        assert {us.rows[model], them.rows[model]} <= set(page.context["cl"].queryset)
        for tenant in (us, them):
            assert root_browser.get(url(model, "change", tenant.pk(model))).status_code == 200


def test_a_superadmin_need_not_be_a_superuser(them: Tenant, client: Client) -> None:
    person = User.objects.create_user("super", is_staff=True)
    person.memberships.create(role=Role.SUPERADMIN)
    client.force_login(person)
    for model in MODELS:
        assert client.get(url(model, "change", them.pk(model))).status_code == 200


@pytest.mark.parametrize(
    ("source", "name"),
    [("account", "user"), ("account", "organisation"), ("membership", "user"), ("apikey", "user")],
)
def test_choices_are_ones_own(
    source: str, name: str, us: Tenant, them: Tenant, browser: Client
) -> None:
    query = {"app_label": "accounts", "model_name": source, "field_name": name, "term": "s-"}
    found = browser.get(reverse("admin:autocomplete"), query).json()["results"]
    assert [each["text"] for each in found if each["text"].startswith("ours-")]
    assert not [each for each in found if "theirs" in each["text"]]


def test_every_admin_of_tenants_data_is_a_tenant_admin() -> None:
    loose = [
        model
        for model, page in admin.site._registry.items()
        if issubclass(model, TenantModel) and not isinstance(page, TenantAdmin)
    ]
    assert loose == []


@pytest.mark.parametrize("model", MODELS)
def test_a_list_takes_as_many_queries_for_many_rows(
    model: type[models.Model],
    us: Tenant,
    browser: Client,
    django_assert_max_num_queries: Any,  # noqa: ANN401
) -> None:
    with django_assert_max_num_queries(50) as few:
        browser.get(url(model, "changelist"))
    for number in range(5):
        person = User.objects.create_user(f"more-{number}")
        Account.open_for_user(person, us.website)
        person.memberships.create(role=Role.CLIENT, website=us.website)
        Organisation.objects.create(website=us.website, name=f"more-{number}")
        ApiKey.issue(website=us.website, user=person, name="more", scopes=[Scope.READ])
    with django_assert_max_num_queries(50) as many:
        browser.get(url(model, "changelist"))
    assert len(many) == len(few) <= 9
