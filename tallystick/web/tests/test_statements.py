"""Statements of account: the client's own file, and the page that staff see."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from tallystick.accounts.models import Account, Membership, Website
from tallystick.accounts.standing import Role
from tallystick.billing import payments, refunds
from tallystick.billing.invoices import Invoice
from tallystick.billing.tests import making, samples
from tallystick.kit import clock
from tallystick.kit.clock import VirtualClock
from tallystick.kit.money import Money

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> Iterator[VirtualClock]:
    with clock.use(VirtualClock(datetime(2026, 6, 10, 12, tzinfo=UTC))) as virtual:
        yield virtual


@pytest.fixture
def signed_in(client: Client, account: Account) -> Client:
    assert account.user is not None
    client.force_login(account.user)
    return client


@pytest.fixture
def staff(client: Client, website: Website) -> Client:
    user = get_user_model().objects.create_user("desk", password=samples.PASSWORD)
    Membership.objects.create(user=user, website=website, role=Role.ADMIN)
    client.force_login(user)
    return client


def rows(client: Client) -> list[list[str]]:
    """Without the heading."""
    text = client.get("/portal/statement.csv").content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))[1:]


def test_every_day_is_the_websites(signed_in: Client, account: Account, now: VirtualClock) -> None:
    Website.objects.filter(pk=account.website_id).update(time_zone="Pacific/Kiritimati")
    account.website.refresh_from_db()
    paid, gone = samples.invoice(account), samples.invoice(account)
    payment = payments.mark_paid(paid, by=None)
    now.advance(timedelta(minutes=1))
    gone.void(reason="Twice")
    payment.dispute("Not me")
    assert {row[0] for row in rows(signed_in)} == {"2026-06-11"}


def test_what_is_open_after_a_line_was_owed_then(
    signed_in: Client, account: Account, now: VirtualClock
) -> None:
    first = making.issued(account, making.line("100"))
    now.advance(timedelta(minutes=1))
    payment = payments.mark_paid(first, by=None)
    now.advance(timedelta(minutes=1))
    payment.dispute("Not me")
    now.advance(timedelta(minutes=1))
    second = making.issued(account, making.line("7"))
    now.advance(timedelta(minutes=1))
    payments.pay(second, Money.parse("2", "EUR"), method="manual", by=None)
    found = [(row[1], row[2], row[3], row[5]) for row in rows(signed_in)]
    assert found == [
        ("Invoice", first.number, "100.00", "100.00"),
        ("Payment", first.number, "-100.00", "0.00"),
        ("Taken back", first.number, "100.00", "100.00"),
        ("Invoice", second.number, "7.00", "107.00"),
        ("Payment", second.number, "-2.00", "105.00"),
    ]


def test_what_happens_in_one_moment_keeps_its_order(
    signed_in: Client, account: Account, now: VirtualClock
) -> None:
    made = [making.issued(account, making.line(price)) for price in ("1", "2", "3")]
    assert [row[2] for row in rows(signed_in)] == [invoice.number for invoice in made]


def test_a_movement_is_a_noun(staff: Client, invoice: Invoice) -> None:
    """What is done is called otherwise: "Erstatten" stands on the button alone."""
    payment = payments.mark_paid(invoice, by=None)
    refunds.refund(payment, making.eur("5"), by=None, reason="Goodwill")
    address = f"/staff/clients/{invoice.client.uid}/statement/"
    page = staff.get(address, headers={"accept-language": "de"})
    assert ">Erstattung</a>" in page.content.decode()


@pytest.mark.parametrize(
    "asked",
    ["end=0001-01-01", "start=0001-01-01", "end=9999-12-31", "start=9999-12-31", "end=2026-13-01"],
)
def test_days_out_of_reach_are_not_asked_for(staff: Client, invoice: Invoice, asked: str) -> None:
    address = f"/staff/clients/{invoice.client.uid}/statement/?{asked}"
    assert invoice.number in staff.get(address).content.decode()
    assert staff.get(f"{address}&as=csv").status_code == 200
