"""What is refused is said to staff in their own language, and its figures as their country has them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import translation

from tallystick.accounts.models import Membership, Website
from tallystick.accounts.standing import Role
from tallystick.billing import mailing, paylinks, reminders
from tallystick.billing.credit_notes import issue_credit_note
from tallystick.billing.emails import Email
from tallystick.billing.invoices import Invoice
from tallystick.billing.tests import making, samples

pytestmark = pytest.mark.django_db

LANGUAGES = ("de", "es", "fr", "tr")


@pytest.fixture
def staff(client: Client, website: Website) -> Client:
    Website.objects.filter(pk=website.pk).update(country="DE", language="de")
    user = get_user_model().objects.create_user("desk", password=samples.PASSWORD)
    Membership.objects.create(user=user, website=website, role=Role.ADMIN)
    client.force_login(user)
    return client


def act(staff: Client, invoice: Invoice, name: str, **sent: Any) -> str:
    """The page that says why not, in German."""
    address = f"/staff/invoices/{invoice.uid}/{name}/"
    german = {"accept-language": "de"}
    answer = staff.post(address, {"key": "k" * 30, **sent}, headers=german)
    assert answer.status_code == 422, answer.status_code
    return answer.content.decode()


def test_a_reminder_that_is_not_sent(staff: Client, invoice: Invoice) -> None:
    reminders.pause(invoice)
    assert "Erinnerungen an die Rechnung sind ausgesetzt." in act(staff, invoice, "remind")


def test_a_reminder_that_was_not_sent(staff: Client, invoice: Invoice) -> None:
    Email.objects.filter(invoice=invoice).delete()  # nobody has written of it today
    email = reminders.remind(invoice)
    reminders.pause(invoice)
    mailing.deliver(email)
    assert email.note == "Reminders of the invoice are paused."
    for path in ("", f"{email.uid}/"):
        page = staff.get(f"/staff/mail/{path}", headers={"accept-language": "de"})
        assert "Erinnerungen an die Rechnung sind ausgesetzt." in page.content.decode()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_words(language: str) -> None:
    with translation.override("en"):
        english = [str(words) for words in reminders.STOPS.values()]
    with translation.override(language):
        theirs = [str(words) for words in reminders.STOPS.values()]
    assert not set(english) & set(theirs)


def test_more_than_is_left(staff: Client, invoice: Invoice) -> None:
    page = act(staff, invoice, "credit", what="amount", amount="6000", reason="x", goes="wallet")
    assert "Mehr als 0 und höchstens 5.255,73 EUR können gutgeschrieben werden." in page
    line = invoice.lines.get(position=2)
    asked = {"quantity-2": "9", "reason": "x", "goes": "wallet"}
    page = act(staff, invoice, "credit", what="lines", **asked)
    assert f"Von „{line.description}“ können zwischen 0 und 2,25 gutgeschrieben werden." in page


def test_more_than_is_left_at_a_rate(staff: Client, invoice: Invoice) -> None:
    issue_credit_note(invoice, reason="x", by=None, amount=making.eur("5000"))
    asked = {"quantity-1": "1", "reason": "x", "goes": "wallet"}
    assert "noch 2" in (page := act(staff, invoice, "credit", what="lines", **asked))
    assert " EUR gutgeschrieben werden." in page
    assert ".05 EUR" not in page


@pytest.mark.parametrize("typed", ["abc", "1,2345", "-1,00", "1e3", "1234567890123456789,00"])
def test_what_is_no_amount(staff: Client, invoice: Invoice, typed: str) -> None:
    page = act(staff, invoice, "paid", amount=typed, method="manual", shown="5255.73")
    for english in ("decimal places", "write it", "An amount", "at most"):
        assert english not in page


def test_what_cannot_be_voided_or_sent(staff: Client, invoice: Invoice) -> None:
    paylinks.revoke(invoice)
    assert "Zahlungslink ist widerrufen" in act(staff, invoice, "send")
    issue_credit_note(invoice, reason="x", by=None, amount=making.eur("5"))
    assert "hat eine Gutschrift" in act(staff, invoice, "void", reason="x")


def test_what_is_recorded_is_spelled(staff: Client, invoice: Invoice) -> None:
    address, german = f"/staff/invoices/{invoice.uid}/paid/", {"accept-language": "de"}
    sent = {"key": "k" * 30, "amount": "1.234,50", "method": "manual", "shown": "5255.73"}
    staff.post(address, sent, headers=german)
    payment = invoice.payments.get()
    sent = {
        "key": "r" * 30,
        "amount": "1.200,00",
        "reason": "x",
        "shown": "1234.50",
        "goes": "back",
    }
    refunded = staff.post(f"/staff/payments/{payment.uid}/refund/", sent, headers=german)
    assert refunded.status_code == 303, refunded.content.decode()
    page = staff.get(f"/staff/payments/{payment.uid}/", headers=german).content.decode()
    assert "1.200,00 EUR" in page
    assert "1200.00 EUR" not in page
