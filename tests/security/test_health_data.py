"""S11: no health or emergency field leaves, to whichever provider, unless it is allowed by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_django import Settings

from tallystick.accounts.models import Account, Website
from tallystick.integrations import sync
from tallystick.people.models import User
from tallystick.ports.records import SENSITIVE, Customer, Kind, Remote, fingerprint
from tallystick.ports.roles import Push, PushesCustomers
from tallystick.ports.sandboxing import transport
from tallystick.ports.testing import Recorder
from tests.providers import AnyCase, every

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("virtual_time")]

CANARY = "canary"


@pytest.fixture
def account() -> Account:
    Website.objects.create(
        name="Lindenhof", domain="lindenhof.example", currency="EUR", country="DE", is_default=True
    )
    health: dict[str, Any] = {name: f"{CANARY} {name}" for name in User.SENSITIVE_FIELDS}
    user = User.objects.create_user(
        "anna", "anna@example.org", first_name="Anna", last_name="Becker", **health
    )
    return Account.objects.everywhere().get(user=user)


def record_of(account: Account) -> Customer:
    told = sync.sync_of(Account._meta.label)
    record = told.to_record(told.load([str(account.pk)])[str(account.pk)])
    assert isinstance(record, Customer)
    return record


def test_the_fields_are_those_of_the_user_model() -> None:
    assert set(SENSITIVE) == set(User.SENSITIVE_FIELDS)


@every(PushesCustomers)
@pytest.mark.parametrize("allowed_by_site", [False, True])
def test_none_leaves(
    case: AnyCase, account: Account, settings: Settings, allowed_by_site: bool
) -> None:
    """Also where the site allows it: the connection has to, besides."""
    settings.INVOICE_NINJA_SEND_SENSITIVE_FIELDS = allowed_by_site
    stand = case.stand()
    network = Recorder(transport(stand))
    provider = case.connect(stand, network=network)
    record = record_of(account).told(case.provider.reads_with(provider.settings))
    (outcome,) = provider.push_customers([Push(record)], attempt="1")
    remote = outcome if isinstance(outcome, Remote) else Remote("abc")
    provider.push_customers([Push(record, remote)], attempt="2")
    sent = [
        f"{request.url} {request.headers} {request.content!r}" for request in network.requests()
    ]
    assert len(sent) >= 2
    assert CANARY not in " ".join(sent)


def test_a_change_of_them_is_none_to_the_outside(account: Account) -> None:
    before = fingerprint(record_of(account))
    user = User.objects.get(account=account)
    user.allergies = "other"
    user.save()
    assert fingerprint(record_of(account)) == before


@pytest.mark.parametrize("path", ["allergies", "self_and_more.allergies"])
def test_no_mapping_gets_around_it(account: Account, settings: Settings, path: str) -> None:
    settings.INVOICE_NINJA_USER_FIELDS = {"referral_code": path, "nickname": path}
    assert CANARY not in json.dumps(record_of(account).details)


def test_only_those_who_read_them_are_given_them(account: Account, settings: Settings) -> None:
    settings.INVOICE_NINJA_SEND_SENSITIVE_FIELDS = True
    from tallystick.integrations.registry import PROVIDERS

    readers = {
        provider.type for provider in PROVIDERS if provider.reads & set(User.SENSITIVE_FIELDS)
    }
    assert readers == {"INVOICE_NINJA_RELAY"}
    assert Kind.CUSTOMER in {told.kind for told in sync.registered()}
