"""An admin does nothing to another website, and nothing that would make them more than they are."""

from __future__ import annotations

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.db import models
from django.test import Client
from django.urls import reverse

from tallystick.accounts.accounts import Account
from tallystick.accounts.apikeys import ApiKey, Scope
from tallystick.accounts.memberships import Membership
from tallystick.accounts.organisations import Organisation
from tallystick.accounts.roles import Role
from tallystick.accounts.tests.desk import Tenant, errors, inline_form, text, url
from tallystick.accounts.websites import Website
from tallystick.people.models import User

pytestmark = pytest.mark.django_db


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
