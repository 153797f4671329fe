from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from tallystick.accounts.accounts import Account
from tallystick.accounts.organisations import Organisation, OrganisationMember
from tallystick.accounts.websites import Website
from tallystick.people.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    return User.objects.create_user(
        "ann", "ann@example.org", first_name="Ann", last_name="Lee", phone_number="+44 1"
    )


@pytest.fixture
def club(ours: Website) -> Organisation:
    return Organisation.objects.create(
        website=ours, name="Club", email="club@example.org", phone_number="+44 2", tax_number="GB1"
    )


def test_an_account_is_of_exactly_one_owner(ours: Website, ann: User, club: Organisation) -> None:
    for account in (Account(website=ours), Account(website=ours, user=ann, organisation=club)):
        with pytest.raises(ValidationError, match="choose exactly one"):
            account.full_clean()
        with transaction.atomic(), pytest.raises(IntegrityError):
            account.save()


def test_the_organisation_is_of_the_same_website(theirs: Website, club: Organisation) -> None:
    with pytest.raises(ValidationError, match="another website"):
        Account(website=theirs, organisation=club).full_clean()


def test_opening_twice_opens_one(
    ours: Website, theirs: Website, ann: User, club: Organisation
) -> None:
    account = Account.open_for_user(ann, ours)
    assert Account.open_for_user(ann, theirs) == account
    assert ann.account == account
    clubs = Account.open_for_organisation(club)
    assert Account.open_for_organisation(club) == clubs
    assert clubs.website == ours


def test_what_an_account_is_called(ours: Website, ann: User, club: Organisation) -> None:
    personal, corporate = Account.open_for_user(ann, ours), Account.open_for_organisation(club)
    assert (personal.name, personal.email, personal.phone) == (
        "Ann Lee",
        "ann@example.org",
        "+44 1",
    )
    assert (corporate.name, corporate.email, corporate.phone) == (
        "Club",
        "club@example.org",
        "+44 2",
    )
    assert personal.customer_key == f"c-{personal.uid.hex}"
    ann.first_name = ann.last_name = ""
    assert personal.name == "ann"
    assert str(corporate) == "Club"
    assert Account(website=ours).name == Account(website=ours).email == ""


def test_what_is_empty_is_the_websites(ours: Website, ann: User) -> None:
    ours.currency, ours.language = "USD", "es"
    account = Account.open_for_user(ann, ours)
    assert (account.billing_currency, account.billing_language) == ("USD", "es")
    account.currency, account.language = "JPY", "de"
    assert (account.billing_currency, account.billing_language) == ("JPY", "de")


def test_the_parties_of_a_document(ours: Website, club: Organisation) -> None:
    account = Account.open_for_organisation(club)
    account.line1, account.country = "1 High St", "GB"
    assert account.as_party() == {
        "key": account.customer_key,
        "name": "Club",
        "email": "club@example.org",
        "phone": "+44 2",
        "line1": "1 High St",
        "line2": "",
        "city": "",
        "region": "",
        "postal_code": "",
        "country": "GB",
        "tax_number": "GB1",
    }
    ours.legal_name, ours.iban = "Ours Ltd", "GB00"
    seller = ours.as_party()
    assert (seller["name"], seller["iban"]) == ("Ours Ltd", "GB00")
    assert account.as_party().keys() - {"phone"} == seller.keys() - {"bank_name", "iban", "bic"}


def test_people_see_their_own_and_their_organisations(
    ours: Website, ann: User, club: Organisation
) -> None:
    accounts = {Account.open_for_user(ann, ours), Account.open_for_organisation(club)}
    stranger = User.objects.create_user("bob")
    OrganisationMember.objects.create(organisation=club, user=ann)
    assert set(Account.objects.visible_to(ann)) == accounts
    assert not Account.objects.visible_to(stranger)


def test_who_is_billed_is_not_deleted_with_its_account(ours: Website, ann: User) -> None:
    account = Account.open_for_user(ann, ours)
    for owner in (ann, ours):
        with pytest.raises(IntegrityError):
            owner.delete()
    account.delete()
    ann.delete()
