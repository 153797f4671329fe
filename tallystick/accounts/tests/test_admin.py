"""An admin of one website does not see, choose, find or touch what belongs to another."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
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
from tallystick.accounts.websites import Website
from tallystick.people.models import User

pytestmark = pytest.mark.django_db

MODELS = [Account, ApiKey, Membership, Organisation, User, Website]


@dataclass
class Tenant:
    """A website and one of each of what it owns."""

    website: Website
    rows: dict[type[models.Model], models.Model] = field(default_factory=dict)

    def __post_init__(self) -> None:
        name = self.website.name.lower()
        person = User.objects.create_user(f"{name}-person", f"{name}@example.org")
        club = Organisation.objects.create(website=self.website, name=f"{name}-club")
        club.members.add(person)
        self.rows = {
            Website: self.website,
            User: person,
            Organisation: club,
            Account: Account.open_for_user(person, self.website),
            Membership: person.memberships.create(role=Role.CLIENT, website=self.website),
            ApiKey: ApiKey.issue(
                website=self.website, user=person, name=f"{name}-key", scopes=[Scope.READ]
            )[0],
        }

    def pk(self, model: type[models.Model]) -> int:
        return int(self.rows[model].pk)


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


def url(model: type[models.Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def text(response: Any) -> str:  # noqa: ANN401 - the test client's
    return str(response.content.decode())


def errors(response: Any) -> dict[str, list[str]]:  # noqa: ANN401
    return dict(response.context["adminform"].form.errors)


# -- seeing


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


# -- doing


def test_nothing_is_made_at_a_foreign_website(us: Tenant, them: Tenant, browser: Client) -> None:
    ours, foreign = us.rows, them.rows
    values: dict[type[models.Model], dict[str, object]] = {
        Organisation: {"name": "new"} | inline_form(),
        Membership: {"user": ours[User].pk, "role": Role.ADMIN},
        ApiKey: {"user": ours[User].pk, "name": "new", "scopes": [Scope.READ]},
        Account: {"user": ours[User].pk},
    }
    for model, fields in values.items():
        before = model._base_manager.count()
        answer = browser.post(url(model, "add"), {**fields, "website": foreign[Website].pk})
        assert "website" in errors(answer), model
        assert model._base_manager.count() == before


@pytest.mark.parametrize("name", ["user", "organisation"])
def test_nothing_foreign_is_chosen(name: str, us: Tenant, them: Tenant, browser: Client) -> None:
    foreign = them.pk(User if name == "user" else Organisation)
    answer = browser.post(url(Account, "add"), {"website": us.website.pk, name: foreign})
    assert name in errors(answer)
    assert "theirs-" not in text(answer)


def test_a_foreign_member_is_not_added(us: Tenant, them: Tenant, browser: Client) -> None:
    values = {"name": "new", "website": us.website.pk, "is_active": "on"}
    foreign = inline_form({"user": them.pk(User)})
    answer = browser.post(url(Organisation, "add"), values | foreign)
    assert answer.context["errors"]
    assert not Organisation.objects.everywhere().filter(name="new").exists()
    own = inline_form({"user": us.pk(User)})
    assert browser.post(url(Organisation, "add"), values | own).status_code == 302
    assert Organisation.objects.of(us.website).get(name="new").members.count() == 1


def inline_form(*rows: dict[str, object]) -> dict[str, object]:
    prefix = "organisationmember_set"
    form: dict[str, object] = {
        f"{prefix}-TOTAL_FORMS": len(rows),
        f"{prefix}-INITIAL_FORMS": 0,
    }
    for number, row in enumerate(rows):
        form |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return form


def test_actions_reach_ones_own_rows_only(us: Tenant, them: Tenant, browser: Client) -> None:
    both = [us.pk(ApiKey), them.pk(ApiKey)]
    browser.post(url(ApiKey, "changelist"), {"action": "revoke", "_selected_action": both})
    states = {key.website.name: key.state for key in ApiKey.objects.everywhere()}
    assert states == {"Ours": ApiKey.State.REVOKED, "Theirs": ApiKey.State.ACTIVE}
    browser.post(
        url(Membership, "changelist"),
        {
            "action": "delete_selected",
            "_selected_action": [us.pk(Membership), them.pk(Membership)],
            "post": "yes",
        },
    )
    left = set(Membership.objects.values_list("pk", flat=True))
    assert them.pk(Membership) in left
    assert us.pk(Membership) not in left


def test_a_row_does_not_move_to_another_website(
    us: Tenant, them: Tenant, browser: Client, root_browser: Client
) -> None:
    for each in (browser, root_browser):
        values = {"name": "same", "website": them.website.pk, **inline_form()}
        each.post(url(Organisation, "change", us.pk(Organisation)), values)
        assert Organisation.objects.of(us.website).get().pk == us.pk(Organisation)


def test_a_website_admin_keeps_to_their_websites(us: Tenant, browser: Client) -> None:
    assert browser.get(url(Website, "add")).status_code == 403
    assert browser.post(url(Website, "delete", us.website.pk), {"post": "yes"}).status_code == 403
    page = text(browser.get(url(Website, "change", us.website.pk)))
    assert 'name="name"' in page
    assert 'name="domain"' not in page
    assert 'name="is_default"' not in page


def test_only_superadmins_make_superadmins(
    us: Tenant, browser: Client, root_browser: Client
) -> None:
    wish = {"user": us.pk(User), "role": Role.SUPERADMIN}
    assert "role" in errors(browser.post(url(Membership, "add"), wish))
    us.rows[Membership].delete()
    assert browser.post(url(Membership, "add"), wish | {"role": Role.ADMIN}).status_code == 200
    assert not Membership.objects.filter(user=us.pk(User)).exists()
    assert root_browser.post(url(Membership, "add"), wish).status_code == 302


# -- people


def test_a_new_person_belongs_to_the_admins_website(
    us: Tenant, them: Tenant, browser: Client
) -> None:
    them.website.make_default()
    wish = {
        "username": "newcomer",
        "email": "n@example.org",
        "usable_password": "true",
        "password1": "long-and-odd-1",
        "password2": "long-and-odd-1",
    }
    refused = browser.post(url(User, "add"), wish | {"website": them.website.pk})
    assert "website" in errors(refused)
    assert browser.post(url(User, "add"), wish | {"website": us.website.pk}).status_code == 302
    assert User.objects.get(username="newcomer").account.website == us.website


def test_health_data_and_rights_are_for_superadmins(
    us: Tenant, browser: Client, root_browser: Client
) -> None:
    person = us.rows[User]
    assert isinstance(person, User)
    person.allergies = "canary"
    person.save()
    page = url(User, "change", person.pk)
    closed = {*User.SENSITIVE_FIELDS, "is_staff", "is_superuser", "groups", "user_permissions"}
    shown, all_shown = text(browser.get(page)), text(root_browser.get(page))
    assert [name for name in closed if f'name="{name}"' in shown] == []
    assert [name for name in closed if f'name="{name}"' not in all_shown] == []
    assert "canary" not in shown
    assert "canary" in all_shown

    values = {"username": "renamed", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    assert browser.post(page, values | {"allergies": "changed"}).status_code == 302
    person.refresh_from_db()
    assert (person.username, person.allergies) == ("renamed", "canary")
    assert (person.is_staff, person.is_superuser) == (False, False)


def test_nobody_is_taken_over_who_can_do_more(us: Tenant, them: Tenant, browser: Client) -> None:
    root = User.objects.create_superuser("root", password="unchanged")
    root.memberships.create(role=Role.CLIENT, website=us.website)
    shared = User.objects.create_user("shared", password="unchanged")
    for website in (us.website, them.website):
        shared.memberships.create(role=Role.ADMIN, website=website)
    new = {"usable_password": "true", "password1": "taken-over-1", "password2": "taken-over-1"}
    for person in (root, shared):
        assert browser.get(url(User, "change", person.pk)).status_code == 200
        values = {"username": "taken", "email": "mine@example.org", "is_active": "on"}
        assert browser.post(url(User, "change", person.pk), values).status_code == 403
        password = reverse("admin:auth_user_password_change", args=[person.pk])
        assert browser.post(password, new).status_code == 403
        person.refresh_from_db()
        assert person.username != "taken"
        assert person.check_password("unchanged")
    own = reverse("admin:auth_user_password_change", args=[us.pk(User)])
    assert browser.post(own, new).status_code == 302


# -- keys


def test_a_key_is_shown_once(us: Tenant, browser: Client) -> None:
    wish = {
        "website": us.website.pk,
        "user": us.pk(User),
        "name": "shop",
        "scopes": [Scope.READ, Scope.INVOICES],
    }
    made = browser.post(url(ApiKey, "add"), wish, follow=True)
    (plaintext,) = re.findall(r"tally_[0-9a-f]{12}_[\w-]{43}", text(made))
    key = ApiKey.verify(plaintext)
    assert key is not None
    assert key.scopes == ["read", "invoices"]
    later = [
        text(browser.get(url(ApiKey, "changelist"))),
        text(browser.get(url(ApiKey, "change", key.pk))),
        text(browser.get(url(ApiKey, "history", key.pk))),
        str(list(LogEntry.objects.values())),
    ]
    assert not [page for page in later if plaintext in page]
    values = {"name": "renamed", "scopes": [Scope.READ], "website": 0, "user": 0}
    assert browser.post(url(ApiKey, "change", key.pk), values).status_code == 302
    changed = ApiKey.verify(plaintext)
    assert changed is not None
    assert (changed.name, changed.scopes) == ("renamed", ["read"])


def test_a_key_is_not_made_in_the_name_of_who_can_do_more(us: Tenant, browser: Client) -> None:
    root = User.objects.create_superuser("root")
    root.memberships.create(role=Role.CLIENT, website=us.website)
    wish = {"website": us.website.pk, "user": root.pk, "name": "shop", "scopes": [Scope.READ]}
    assert "user" in errors(browser.post(url(ApiKey, "add"), wish))
    assert not ApiKey.objects.everywhere().filter(user=root).exists()


# -- all of it


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
    assert len(many) == len(few) <= 8
