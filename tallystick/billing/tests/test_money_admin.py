"""What staff do with payments, refunds and wallets in the admin."""

from __future__ import annotations

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from tallystick.billing import methods
from tallystick.billing.holds import WalletHold
from tallystick.billing.invoices import Invoice
from tallystick.billing.payments import mark_paid, pay
from tallystick.billing.refunds import Refund
from tallystick.billing.tests import making
from tallystick.billing.tests.making import D, eur
from tallystick.billing.tests.test_admin import act, url
from tallystick.billing.tests.test_payments import Slow
from tallystick.events.models import Event
from tallystick.people.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(invoice: Invoice) -> User:
    return making.staff(invoice.website)


@pytest.fixture
def browser(client: Client, staff: User) -> Client:
    client.force_login(staff)
    return client


@pytest.fixture
def slow() -> object:
    methods.register(Slow())
    yield
    del methods._methods["slow"]


def offered(browser: Client, row: Model) -> list[str]:
    """The acts on the page of `row`."""
    return [each["url"].split("/")[-2] for each in browser.get(url(row)).context["acts"]]


def test_a_part_is_refunded_once(browser: Client, staff: User, invoice: Invoice) -> None:
    payment = mark_paid(invoice, by=None)
    assert offered(browser, payment) == ["refund", "dispute"]
    answers = {"amount": "19", "reason": "returned", "key": "form-1"}
    for _ in range(2):
        act(browser, payment, "refund", **answers)
    payment.refresh_from_db()
    assert payment.amount_refunded == D(19)
    assert payment.refunds.get().created_by == staff
    event = Event.objects.of_subject(payment).first()
    assert event is not None
    assert (event.kind, event.actor_id) == ("payment.refunded", str(staff.pk))


def test_what_is_refused_is_said(browser: Client, invoice: Invoice) -> None:
    payment = mark_paid(invoice, by=None)
    for amount in ("119.01", "1.001", "much"):
        page = act(browser, payment, "refund", amount=amount, reason="x", key="k")
        assert page.context["form"].non_field_errors()
    assert not payment.refunds.exists()


def test_disputes_are_opened_and_decided(browser: Client, invoice: Invoice) -> None:
    payment = mark_paid(invoice, by=None)
    act(browser, payment, "dispute", reason="fraudulent")
    assert offered(browser, payment) == ["won", "lost"]
    act(browser, payment, "won")
    payment.refresh_from_db()
    assert payment.status == "succeeded"
    act(browser, payment, "dispute", reason="fraudulent")
    act(browser, payment, "lost")
    payment.refresh_from_db()
    assert (payment.status, offered(browser, payment)) == ("refunded", [])


@pytest.mark.usefixtures("slow")
def test_refunds_on_their_way_are_decided(browser: Client, invoice: Invoice) -> None:
    waiting = pay(invoice, invoice.due, method="slow", by=None)
    assert offered(browser, waiting) == ["cancel"]
    waiting.succeed()
    act(browser, waiting, "refund", reason="returned", key="k1", amount="100")
    row = Refund.objects.of(invoice.website).get()
    assert offered(browser, row) == ["refunded", "not-refunded"]
    act(browser, row, "not-refunded", reason="account closed")
    act(browser, waiting, "refund", reason="returned", key="k2", amount="")
    other = Refund.objects.of(invoice.website).latest("id")
    act(browser, other, "refunded", reference="SEPA 1")
    row.refresh_from_db()
    other.refresh_from_db()
    assert (row.status, other.status, other.reference) == ("failed", "succeeded", "SEPA 1")
    assert browser.get(reverse("admin:billing_refund_changelist")).status_code == 200


def test_money_of_a_wallet_is_set_aside_and_taken(browser: Client, invoice: Invoice) -> None:
    wallet = making.funded(invoice.client, "100")
    act(browser, wallet, "hold", amount="60", note="Booking", key="k1", days="3")
    act(browser, wallet, "hold", amount="30", note="Booking", key="k2", days="")
    first, second = WalletHold.objects.order_by("id")
    assert first.expires_at is not None
    assert browser.get(url(wallet)).status_code == 200
    assert offered(browser, first) == ["capture", "release"]
    act(browser, first, "capture", amount="50")
    act(browser, second, "release")
    wallet.refresh_from_db()
    assert (wallet.balance, wallet.available) == (D(50), eur("50.00"))
    assert offered(browser, first) == []
    assert browser.get(reverse("admin:billing_wallethold_changelist")).status_code == 200


def test_others_see_and_do_nothing(client: Client, invoice: Invoice) -> None:
    payment = mark_paid(invoice, by=None)
    hold = making.funded(invoice.client, "9").hold(eur("5"), reason="Booking", key="k")
    client.force_login(making.staff(making.website()))
    assert act(client, payment, "refund", reason="x", key="k").status_code == 404
    assert act(client, hold, "release").status_code == 404
    hold.refresh_from_db()
    assert hold.is_held


def test_nobody_edits_or_deletes_them(browser: Client, invoice: Invoice) -> None:
    payment = mark_paid(invoice, by=None)
    assert browser.post(url(payment), {"status": "failed"}).status_code == 403
    assert browser.post(url(payment, "delete"), {"post": "yes"}).status_code == 403
