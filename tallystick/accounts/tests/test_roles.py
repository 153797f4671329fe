from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import prefetch_related_objects

from tallystick.accounts.accounts import Account
from tallystick.accounts.memberships import Membership
from tallystick.accounts.organisations import Organisation
from tallystick.accounts.people import may_manage, people_visible_to
from tallystick.accounts.roles import Role, can_bill, is_superadmin, role_of, websites_of
from tallystick.accounts.standing import standing_of
from tallystick.accounts.websites import Website
from tallystick.people.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann")


def test_a_stranger_has_no_role(ann: User, ours: Website) -> None:
    for person in (ann, AnonymousUser()):
        assert role_of(person, ours) is None
        assert not websites_of(person)
        assert not can_bill(person, ours)


def test_an_admin_bills_for_their_websites(ann: User, ours: Website, theirs: Website) -> None:
    ann.memberships.create(role=Role.ADMIN, website=ours)
    assert (role_of(ann, ours), role_of(ann, theirs)) == (Role.ADMIN, None)
    assert (can_bill(ann, ours), can_bill(ann, theirs)) == (True, False)
    assert list(websites_of(ann)) == [ours]
    assert list(Website.objects.visible_to(ann)) == [ours]


@pytest.mark.parametrize("by", ["flag", "membership"])
def test_a_superadmin_bills_for_every_website(
    by: str, ann: User, ours: Website, theirs: Website
) -> None:
    if by == "flag":
        ann.is_superuser = True
    else:
        ann.memberships.create(role=Role.SUPERADMIN)
    assert is_superadmin(ann)
    assert role_of(ann, theirs) == Role.SUPERADMIN
    assert can_bill(ann, ours)
    assert set(websites_of(ann)) == {ours, theirs}


def test_clients_are_those_who_are_billed(ann: User, ours: Website, theirs: Website) -> None:
    Account.open_for_user(ann, ours)
    assert role_of(ann, ours) == Role.CLIENT
    Organisation.objects.create(website=theirs, name="Club").members.add(ann)
    assert role_of(ann, theirs) == Role.CLIENT
    assert set(websites_of(ann)) == {ours, theirs}
    assert not Website.objects.visible_to(ann)
    assert not can_bill(ann, ours)


def test_who_may_not_sign_in_may_do_nothing(ann: User, ours: Website) -> None:
    ann.memberships.create(role=Role.ADMIN, website=ours)
    ann.is_active = False
    assert role_of(ann, ours) is None
    assert not can_bill(ann, ours)


def test_standing_takes_one_query_or_none(
    ann: User, ours: Website, django_assert_num_queries: Callable[[int], Any]
) -> None:
    ann.memberships.create(role=Role.ADMIN, website=ours)
    with django_assert_num_queries(1):
        assert standing_of(ann).rules(ours.pk)
    prefetch_related_objects([ann], "memberships")
    with django_assert_num_queries(0):
        assert standing_of(ann).rules(ours.pk)


def test_only_superadmins_belong_to_no_website(ann: User, ours: Website) -> None:
    for wrong in (
        Membership(user=ann, role=Role.ADMIN),
        Membership(user=ann, role=Role.CLIENT),
        Membership(user=ann, role=Role.SUPERADMIN, website=ours),
    ):
        with pytest.raises(ValidationError, match="belongs to no single website"):
            wrong.full_clean()
        with transaction.atomic(), pytest.raises(IntegrityError):
            wrong.save()


def test_a_role_is_held_once(ann: User, ours: Website) -> None:
    ann.memberships.create(role=Role.SUPERADMIN)
    ann.memberships.create(role=Role.ADMIN, website=ours)
    for again in (
        Membership(user=ann, role=Role.SUPERADMIN),
        Membership(user=ann, role=Role.CLIENT, website=ours),
    ):
        with pytest.raises(ValidationError, match="already"):
            again.full_clean()
        with transaction.atomic(), pytest.raises(IntegrityError):
            again.save()


# -- people


def test_an_admin_sees_those_who_have_to_do_with_their_websites(
    ours: Website, theirs: Website
) -> None:
    admin, billed, member, colleague, foreign = (
        User.objects.create_user(name)
        for name in ("admin", "billed", "member", "colleague", "foreign")
    )
    admin.memberships.create(role=Role.ADMIN, website=ours)
    Account.open_for_user(billed, ours)
    Organisation.objects.create(website=ours, name="Club").members.add(member)
    colleague.memberships.create(role=Role.CLIENT, website=ours)
    Account.open_for_user(foreign, theirs)
    assert set(people_visible_to(admin)) == {admin, billed, member, colleague}
    assert not people_visible_to(billed)
    assert people_visible_to(User.objects.create_superuser("root")).count() == 6


def test_an_admin_manages_those_who_can_do_no_more_than_they(
    ours: Website, theirs: Website
) -> None:
    admin, client, peer, shared, root, stranger = (
        User.objects.create_user(name)
        for name in ("admin", "client", "peer", "shared", "root", "stranger")
    )
    for person in (admin, peer):
        person.memberships.create(role=Role.ADMIN, website=ours)
    for person in (client, shared, root):
        Account.open_for_user(person, ours)
    shared.memberships.create(role=Role.CLIENT, website=theirs)
    root.memberships.create(role=Role.SUPERADMIN)
    assert may_manage(admin, client)
    assert may_manage(admin, peer)
    assert not any(may_manage(admin, person) for person in (shared, root, stranger))
    assert not any(may_manage(client, person) for person in (client, peer))
    assert all(may_manage(root, person) for person in (admin, shared, root, stranger))


def test_a_person_who_may_not_sign_in_is_judged_by_what_they_could_do_again(
    ours: Website,
) -> None:
    admin = User.objects.create_user("admin")
    admin.memberships.create(role=Role.ADMIN, website=ours)
    asleep = User.objects.create_superuser("asleep", is_active=False)
    asleep.memberships.create(role=Role.CLIENT, website=ours)
    assert not may_manage(admin, asleep)
