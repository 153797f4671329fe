"""R2: web processes killed under events and invoices. Its full size: `R2=full make test-slow`."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from tallystick.accounts.models import ApiKey, Membership, Website
from tallystick.accounts.standing import Role
from tallystick.billing.emails import INVOICE_GENERATED, Email
from tallystick.billing.models import Invoice
from tallystick.integrations.connections import Connection
from tallystick.integrations.inbound import InboundEvent
from tallystick.people.models import User
from tallystick.providers.xero import Xero
from tests.reliability import seeding
from tests.reliability.site import new_website
from tests.reliability.web import Callers, besiege, web

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

POSTS, EVENTS, KILLS = (2000, 10_000, 100) if os.environ.get("R2") == "full" else (100, 300, 8)


@pytest.fixture
def website(db: None) -> Website:
    return new_website()


@pytest.fixture
def callers(website: Website) -> Callers:
    staff = User.objects.create_user("staff", "staff@lindenhof.example")
    Membership.objects.create(user=staff, website=website, role=Role.ADMIN)
    scopes = ["read", "invoices"]
    _, text = ApiKey.issue(website=website, user=staff, name="R2", scopes=scopes)
    (account,) = seeding.customers(website, 1)
    tenant = "3c1c1a9e-0d3c-4f1e-9e0f-4d3f1c1a9e0d"
    connection = Connection.objects.create(
        website=website,
        type=Xero.type,
        name="Books",
        account=tenant,
        credentials={"client_secret": "s" * 40, "webhook_key": "w" * 60},
        custom_data={
            "client_id": "c" * 32,
            "tenant_id": tenant,
            "account_code": "200",
            "currency_code": "EUR",
        },
    )
    return Callers("", text, str(account.uid), connection)


def test_what_is_answered_is_stored_and_nothing_twice(website: Website, callers: Callers) -> None:
    with web() as process:
        callers.url = process.url
        besiege(process, callers, posts=POSTS, events=EVENTS, kills=KILLS)
    outcome = callers.outcome
    assert outcome.kills >= min(KILLS, 3)
    assert not outcome.odd, Counter(outcome.odd)
    assert len(outcome.invoices) == POSTS
    assert len(outcome.events) == EVENTS
    _require_each_once(website, outcome.invoices)
    kept = set(InboundEvent.objects.values_list("remote_id", flat=True))
    assert kept == outcome.events


def test_without_keys_invoices_are_made_twice(website: Website, callers: Callers) -> None:
    """The control: an answer that a kill swallowed is asked for again, and made again."""
    callers.keys = False
    with web() as process:
        callers.url = process.url
        besiege(process, callers, posts=POSTS, events=0, kills=KILLS * 2)
    made = Invoice.objects.of(website).count()
    assert len(callers.outcome.invoices) == POSTS
    assert made > POSTS


def _require_each_once(website: Website, answered: dict[str, str]) -> None:
    invoices = list(Invoice.objects.of(website).prefetch_related("lines"))
    assert {str(invoice.uid) for invoice in invoices} == set(answered.values())
    assert len(invoices) == len(answered)
    for invoice in invoices:
        (line,) = invoice.lines.all()
        assert answered[line.description] == str(invoice.uid)
    numbers = sorted(int(invoice.number.rpartition("-")[2]) for invoice in invoices)
    assert numbers == list(range(1, len(invoices) + 1))
    mails = Email.objects.filter(website=website, key=INVOICE_GENERATED)
    assert Counter(mails.values_list("invoice__uid", flat=True)) == Counter(
        invoice.uid for invoice in invoices
    )
