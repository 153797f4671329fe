"""Tenancy in daily use: Django's own work goes on, and each sees what their role allows."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db.models import Prefetch
from django.forms import modelform_factory

from tallystick.accounts.accounts import Account
from tallystick.accounts.organisations import Organisation
from tallystick.accounts.tenancy import NoTenant
from tallystick.accounts.websites import Website
from tallystick.people.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _rows(ours: Website, theirs: Website) -> None:
    for website in (ours, theirs):
        for name in ("a", "b"):
            Organisation.objects.create(website=website, name=name, email=f"{name}@x.example")


# -- Django's own work


def test_rows_at_hand_work_as_ever(ours: Website) -> None:
    row = Organisation.objects.of(ours).get(name="a")
    row.name = "changed"
    row.save()
    row.refresh_from_db()
    assert row.name == "changed"
    account = Account.objects.create(website=ours, organisation=row)
    assert Organisation._base_manager.get(pk=row.pk).account == account
    owner = Account._base_manager.get(pk=account.pk).organisation
    assert owner is not None
    assert owner.website == ours
    deferred = Organisation.objects.of(ours).only("pk").first()
    assert deferred
    assert deferred.name
    account.delete()
    row.delete()


def test_cascades_reach_their_rows(ours: Website) -> None:
    person = User.objects.create_user("ann")
    row = Organisation.objects.of(ours).get(name="a")
    row.members.add(person)
    assert list(person.organisations.all()) == [row]
    assert list(row.members.all()) == [person]
    person.delete()
    assert not row.members.exists()


def test_prefetched_rows_come_from_the_instances_at_hand(ours: Website) -> None:
    person = User.objects.create_user("ann")
    Organisation.objects.of(ours).get(name="a").members.add(person)
    plain = User.objects.prefetch_related("organisations").get()
    other = Organisation.objects.filter(name="b")
    narrowed = Prefetch("organisations", other)
    assert [row.name for row in plain.organisations.all()] == ["a"]
    assert not User.objects.prefetch_related(narrowed).get().organisations.all()
    for left_over in (other, other.all()):
        with pytest.raises(NoTenant):
            list(left_over)
    sites = Website.objects.prefetch_related("organisation_set").order_by("pk")
    assert [len(site.organisation_set.all()) for site in sites] == [2, 2]


def test_a_related_manager_does_not_open_the_rest(ours: Website) -> None:
    with pytest.raises(NoTenant):
        list(ours.organisation_set.all() | Organisation.objects.all())


def test_uniqueness_is_checked_across_websites(ours: Website, theirs: Website) -> None:
    person = User.objects.create_user("ann")
    Account.objects.create(website=ours, user=person)
    with pytest.raises(ValidationError, match="already exists"):
        Account(website=theirs, user=person).full_clean()
    form = modelform_factory(Account, fields=["currency"])(
        {"currency": "USD"}, instance=Account.objects.of(ours).get()
    )
    assert form.is_valid()
    form.save()


def test_choices_of_tenants_data_are_closed_until_somebody_narrows_them(ours: Website) -> None:
    form = modelform_factory(Account, fields=["organisation"])()
    with pytest.raises(NoTenant):
        form.as_p()
    field: Any = form.fields["organisation"]
    field.queryset = Organisation.objects.of(ours)
    assert form.as_p().count("<option") == 3


def test_dumpdata_is_about_every_website() -> None:
    out = StringIO()
    call_command("dumpdata", "accounts.organisation", stdout=out)
    assert len(json.loads(out.getvalue())) == 4
    with pytest.raises(NoTenant):
        Organisation.objects.count()


# -- who sees what


def test_each_sees_what_their_role_allows(ours: Website, theirs: Website) -> None:
    root = User.objects.create_superuser("root")
    superadmin, admin, both, client, gone = (
        User.objects.create_user(name) for name in ("superadmin", "admin", "both", "client", "gone")
    )
    superadmin.memberships.create(role="superadmin")
    admin.memberships.create(role="admin", website=ours)
    for website in (ours, theirs):
        both.memberships.create(role="admin", website=website)
    client.memberships.create(role="client", website=ours)
    Organisation.objects.of(theirs).get(name="a").members.add(client, admin)
    gone.memberships.create(role="superadmin")
    gone.is_active = False

    def seen(person: User | AnonymousUser) -> set[tuple[str, str]]:
        rows = Organisation.objects.visible_to(person).select_related("website")
        return {(row.website.name, row.name) for row in rows}

    everything = {(site, name) for site in ("Ours", "Theirs") for name in "ab"}
    assert seen(root) == seen(superadmin) == seen(both) == everything
    assert seen(admin) == {("Ours", "a"), ("Ours", "b")}
    assert seen(client) == {("Theirs", "a")}
    assert seen(gone) == seen(AnonymousUser()) == set()
    assert Organisation.objects.own(admin).get().website == theirs
    assert not Organisation.objects.own(AnonymousUser()).exists()


def test_what_is_visible_is_asked_in_one_query_more(
    django_assert_num_queries: Callable[[int], Any], ours: Website
) -> None:
    admin = User.objects.create_user("admin")
    admin.memberships.create(role="admin", website=ours)
    with django_assert_num_queries(2):
        assert len(Organisation.objects.visible_to(admin)) == 2
    root = User.objects.create_superuser("root")
    with django_assert_num_queries(1):
        assert len(Organisation.objects.visible_to(root)) == 4
