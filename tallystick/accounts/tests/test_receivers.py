from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from tallystick.accounts import tenancy
from tallystick.accounts.accounts import Account
from tallystick.accounts.organisations import Organisation, OrganisationMember
from tallystick.accounts.receivers import open_account, open_missing
from tallystick.accounts.websites import Website
from tallystick.people.models import User

pytestmark = pytest.mark.django_db


def test_a_new_client_gets_an_account_at_the_default_website(ours: Website) -> None:
    ours.make_default()
    ann = User.objects.create_user("ann")
    assert ann.account.website == ours


def test_the_website_in_hand_goes_before_the_default_one(ours: Website, theirs: Website) -> None:
    ours.make_default()
    with tenancy.of(theirs):
        ann = User.objects.create_user("ann")
    assert ann.account.website == theirs


def test_no_account_is_opened_for_staff_or_without_a_website(
    ours: Website, settings: Settings
) -> None:
    User.objects.create_user("early")
    ours.make_default()
    User.objects.create_user("staff", is_staff=True)
    User.objects.create_superuser("root")
    settings.ACCOUNTS_OPEN_ON_SIGNUP = False
    User.objects.create_user("ann")
    assert not Account.objects.everywhere().exists()


def test_who_was_missed_gets_one_later(ours: Website) -> None:
    early = User.objects.create_user("early")
    User.objects.create_user("staff", is_staff=True)
    User.objects.create_user("gone", is_active=False)
    member = User.objects.create_user("member")
    club = Organisation.objects.create(website=ours, name="Club")
    OrganisationMember.objects.create(user=member, organisation=club)
    assert open_missing() == 0
    ours.make_default()
    assert open_missing() == 1
    assert open_missing() == 0
    assert Account.objects.everywhere().get().user == early


def test_a_sign_up_takes_two_queries_more_and_a_save_none(
    ours: Website, django_assert_num_queries: Callable[[int], Any]
) -> None:
    ours.make_default()
    ann = User(username="ann")
    # Other apps listen to sign-ups too; ours are those on the tables of accounts.
    with CaptureQueriesContext(connection) as queries:
        ann.save()
    touched = re.findall(r'(?:FROM|INTO|UPDATE) "accounts_\w+"', str(queries.captured_queries))
    assert touched == ['FROM "accounts_website"', 'INTO "accounts_account"']
    with django_assert_num_queries(0):
        open_account(ann, created=False, raw=False)


def test_people_who_are_loaded_bring_their_accounts_along(ours: Website, tmp_path: Path) -> None:
    ours.make_default()
    User.objects.create_user("ann", allergies="nuts")
    dump = tmp_path / "dump.json"
    call_command("dumpdata", "people", "accounts", output=str(dump))
    assert "nuts" not in dump.read_text()
    Account.objects.everywhere().delete()
    User.objects.all().delete()
    call_command("loaddata", str(dump), stdout=StringIO())
    assert User.objects.get().allergies == "nuts"
    assert User.objects.get().account.website == ours
