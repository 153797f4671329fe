from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from tallystick.billing import methods
from tallystick.billing.credit_notes import issue_credit_note
from tallystick.billing.drafts import KeyReused
from tallystick.billing.emails import PAYMENT_REFUNDED, Email
from tallystick.billing.invoices import Invoice
from tallystick.billing.payments import (
    BadAmount,
    Payment,
    TooMuch,
    WrongCurrency,
    mark_paid,
    pay,
    pay_many,
    receive_external,
    receive_external_refund,
    refund,
)
from tallystick.billing.refunds import Refund
from tallystick.billing.refusals import MayNotRefund, NotRefundable, ReferenceReused
from tallystick.billing.tests import making
from tallystick.billing.tests.making import D, eur
from tallystick.billing.tests.test_payments import Slow
from tallystick.billing.wallets import InsufficientFunds, Wallet, WalletEntry, available
from tallystick.events.models import Event
from tallystick.kit.money import Money

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("healthy")]
DAY = date(2026, 3, 1)


@pytest.fixture
def slow() -> object:
    methods.register(Slow())
    yield
    del methods._methods["slow"]


@pytest.fixture
def paid_too_much(invoice: Invoice) -> Payment:
    """119.00 of it for the invoice, 31.00 in the wallet."""
    return receive_external(invoice, amount=D(150), reference="T1", date=DAY, method="xero")


def back(payment: Payment, amount: str = "", **values: Any) -> Refund:
    money = eur(amount) if amount else None
    asked: dict[str, Any] = {"by": None, "reason": "returned"}
    return refund(payment, money, **(asked | values))


def spend(payment: Payment, amount: str) -> None:
    payment.wallet().debit(eur(amount), WalletEntry.Reason.CORRECTION)


def told(payment: Payment, amount: str, reference: str = "R1") -> Refund:
    return receive_external_refund(payment, amount=D(amount), reference=reference, date=DAY)


def test_a_whole_refund_has_the_invoice_owed_again(invoice: Invoice) -> None:
    staff = making.staff(invoice.website)
    payment = mark_paid(invoice, by=None)
    row = back(payment, by=staff, reference="cash")
    invoice.refresh_from_db()
    assert (invoice.status, invoice.amount_paid, invoice.paid_at) == ("open", D(0), None)
    assert (payment.status, payment.amount_refunded) == ("refunded", D(119))
    assert (row.status, row.created_by, row.reference) == ("succeeded", staff, "cash")
    assert (invoice.payment, payment.allocated) == (None, eur("0.00"))
    mail = Email.objects.get(key=PAYMENT_REFUNDED)
    assert (mail.payment, mail.invoice) == (payment, invoice)
    event = Event.objects.of_subject(payment).first()
    assert event is not None
    assert (event.kind, '"amount":"119' in event.change) == ("payment.refunded", True)


def test_parts_go_back_one_after_the_other(invoice: Invoice) -> None:
    payment = mark_paid(invoice, by=None)
    back(payment, "19")
    invoice.refresh_from_db()
    assert (invoice.status, invoice.due) == ("partially_paid", eur("19.00"))
    assert (payment.status, payment.refundable) == ("succeeded", eur("100.00"))
    with pytest.raises(TooMuch, match=r"100\.01 EUR is more than can be refunded: 100\.00"):
        back(payment, "100.01")
    back(payment)
    assert (payment.status, payment.refundable) == ("refunded", eur("0.00"))
    with pytest.raises(NotRefundable):
        back(payment, "0.01")
    assert [row.amount for row in payment.allocations.all()] == [119, -19, -100]
    pay(invoice, eur("119"), method="manual", by=None)
    assert invoice.is_paid


def test_what_lies_in_the_wallet_goes_first(paid_too_much: Payment) -> None:
    back(paid_too_much, "30")
    assert available(paid_too_much.account, "EUR") == eur("1.00")
    assert paid_too_much.allocated == eur("119.00")
    back(paid_too_much, "2")
    assert available(paid_too_much.account, "EUR") == eur("0.00")
    assert paid_too_much.allocated == eur("118.00")


def test_what_was_used_from_the_wallet_is_not_refunded(paid_too_much: Payment) -> None:
    spend(paid_too_much, "20")
    assert paid_too_much.refundable == eur("130.00")
    with pytest.raises(InsufficientFunds, match=r"used since.*at most 130\.00 EUR"):
        back(paid_too_much, "150")
    assert not paid_too_much.refunds.exists()
    assert back(paid_too_much).money == eur("130.00")
    with pytest.raises(InsufficientFunds, match="has been used"):
        back(paid_too_much)
    assert available(paid_too_much.account, "EUR") == eur("0.00")


def test_other_money_in_the_wallet_is_not_touched(paid_too_much: Payment) -> None:
    making.funded(paid_too_much.account, "500")
    back(paid_too_much)
    assert available(paid_too_much.account, "EUR") == eur("500.00")


def test_the_newest_invoice_is_owed_again_first(invoice: Invoice) -> None:
    other = making.issued(invoice.client)
    payment = pay_many(
        invoice.client, [(other, D(119)), (invoice, D(119))], method="manual", by=None
    )
    back(payment, "150")
    invoice.refresh_from_db()
    other.refresh_from_db()
    assert (invoice.amount_paid, other.amount_paid) == (D(0), D(88))


def test_from_the_wallet_and_back_to_it(invoice: Invoice) -> None:
    making.funded(invoice.client, "200")
    payment = pay(invoice, invoice.due, method="wallet", by=None)
    back(payment, "19")
    assert available(invoice.client, "EUR") == eur("100.00")
    entry = Wallet.of(invoice.client, "EUR").entries.first()
    assert entry is not None
    assert (entry.reason, entry.amount, entry.payment) == ("refund", D(19), payment)


@pytest.mark.usefixtures("slow")
def test_a_refund_may_wait_for_word_from_outside(invoice: Invoice) -> None:
    payment = pay(invoice, invoice.due, method="slow", by=None)
    payment.succeed()
    row = back(payment, "100")
    invoice.refresh_from_db()
    assert (row.status, invoice.status) == ("pending", "paid")
    assert payment.refundable == eur("19.00")
    with pytest.raises(TooMuch):
        back(payment, "20")
    row.succeed(reference="re_1")
    row.succeed()
    invoice.refresh_from_db()
    assert (invoice.due, row.reference) == (eur("100.00"), "re_1")
    assert Email.objects.filter(key=PAYMENT_REFUNDED).count() == 1


@pytest.mark.usefixtures("slow")
def test_money_on_its_way_back_is_held(invoice: Invoice) -> None:
    payment = pay(invoice, invoice.due, method="slow", by=None)
    payment.succeed(money=eur("150"))
    row = back(payment, "40")
    wallet = payment.wallet()
    assert (wallet.held, wallet.available) == (D(31), eur("0.00"))
    with pytest.raises(InsufficientFunds):
        spend(payment, "1")
    row.fail("account closed")
    row.fail("account closed")
    wallet.refresh_from_db()
    assert (wallet.held, wallet.available, row.status) == (D(0), eur("31.00"), "failed")
    assert payment.refundable == eur("150.00")
    row.succeed()  # after all
    wallet.refresh_from_db()
    invoice.refresh_from_db()
    assert (wallet.balance, invoice.amount_paid) == (D(0), D(110))


@pytest.mark.usefixtures("slow")
def test_a_credit_note_leaves_what_is_on_its_way_back(invoice: Invoice) -> None:
    """What it frees is held for the refund that counts on it."""
    payment = pay(invoice, invoice.due, method="slow", by=None)
    payment.succeed()
    row = back(payment, "100")
    issue_credit_note(invoice, reason="mistake", by=None)
    wallet = payment.wallet()
    assert (wallet.balance, wallet.held) == (D(119), D(100))
    row.succeed()
    wallet.refresh_from_db()
    invoice.refresh_from_db()
    assert (wallet.balance, wallet.held, invoice.status) == (D(19), D(0), "paid")


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize(("spent", "most"), [("0", "50"), ("31", "19")])
def test_a_credit_note_refunds_what_is_not_on_its_way_back(
    invoice: Invoice, monkeypatch: pytest.MonkeyPatch, spent: str, most: str
) -> None:
    """And locks no invoices for it, which would be out of order by then."""
    payment = pay(invoice, invoice.due, method="slow", by=None)
    payment.succeed(money=eur("150"))
    if D(spent):
        spend(payment, spent)
    first = back(payment, "100")
    monkeypatch.delattr(Payment, "lock")
    issue_credit_note(invoice, reason="mistake", by=None, refund=True)
    monkeypatch.undo()
    second = payment.refunds.exclude(pk=first.pk).get()
    assert (first.money, second.money) == (eur("100.00"), eur(most))
    wallet = payment.wallet()
    assert (wallet.balance, wallet.held) == (D(150) - D(spent), D(150) - D(spent))
    for row in (first, second):
        row.refresh_from_db()
        row.succeed()
    wallet.refresh_from_db()
    assert (wallet.balance, wallet.held) == (D(0), D(0))


@pytest.mark.usefixtures("slow")
def test_a_credit_note_refunds_nothing_where_all_is_on_its_way_back(invoice: Invoice) -> None:
    payment = pay(invoice, invoice.due, method="slow", by=None)
    payment.succeed()
    row = back(payment)
    note = issue_credit_note(invoice, reason="mistake", by=None, refund=True)
    assert (note.released, list(payment.refunds.all())) == (D(119), [row])


@pytest.mark.usefixtures("slow")
def test_a_refund_that_did_not_arrive_comes_back(invoice: Invoice) -> None:
    payment = pay(invoice, invoice.due, method="slow", by=None)
    payment.succeed()
    row = back(payment)
    row.succeed()
    assert payment.status == "refunded"
    row.fail("account closed")
    payment.refresh_from_db()
    assert (payment.status, payment.amount_refunded) == ("succeeded", D(0))
    assert available(payment.account, "EUR") == eur("119.00")
    assert payment.refundable == eur("119.00")


def test_a_repeat_of_a_key_is_the_first_refund(invoice: Invoice) -> None:
    payment = mark_paid(invoice, by=None)
    first = back(payment, "19", key="k")
    assert back(payment, "19", key="k") == first
    with pytest.raises(KeyReused):
        back(payment, "20", key="k")
    other = mark_paid(making.issued(invoice.client), by=None)
    with pytest.raises(KeyReused):
        back(other, "19", key="k")
    assert Refund.objects.of(invoice.website).count() == 1


def test_nonsense_is_refused(invoice: Invoice) -> None:
    payment = mark_paid(invoice, by=None)
    for amount in ("0", "-1", "0.001"):
        with pytest.raises(BadAmount):
            back(payment, amount)
    with pytest.raises(WrongCurrency):
        refund(payment, Money(D(1), "USD"), by=None, reason="")
    with pytest.raises(MayNotRefund):
        back(payment, by=making.owner(invoice))
    with pytest.raises(MayNotRefund):
        back(payment, by=making.staff(making.website()))
    assert payment.refundable == eur("119.00")


@pytest.mark.usefixtures("slow")
def test_what_has_not_come_is_not_refunded(invoice: Invoice) -> None:
    payment = pay(invoice, invoice.due, method="slow", by=None)
    assert payment.refundable == eur("0.00")
    with pytest.raises(NotRefundable, match="pending"):
        back(payment)
    with pytest.raises(NotRefundable):
        told(payment, "1")


def test_a_refund_made_elsewhere_is_taken_over_once(paid_too_much: Payment) -> None:
    row = told(paid_too_much, "40")
    assert told(paid_too_much, "40") == row
    assert (row.refunded_on, paid_too_much.amount_refunded) == (DAY, D(40))
    assert paid_too_much.allocated == eur("110.00")
    with pytest.raises(TooMuch):
        told(paid_too_much, "110.01", "R2")
    for amount, reference in (("0", "R3"), ("0.001", "R3"), ("1", "")):
        with pytest.raises(BadAmount):
            told(paid_too_much, amount, reference)
    told(paid_too_much, "110", "R2")
    assert paid_too_much.status == "refunded"


def test_a_known_reference_with_another_amount_is_refused(
    paid_too_much: Payment, caplog: pytest.LogCaptureFixture
) -> None:
    first = told(paid_too_much, "10", "same")
    with pytest.raises(ReferenceReused):
        told(paid_too_much, "90", "same")
    assert "now 90.00 EUR refunded there, 10.00 EUR here" in caplog.text
    assert told(paid_too_much, "10", "same") == first
    paid_too_much.refresh_from_db()
    assert paid_too_much.amount_refunded == D(10)


def test_of_two_with_one_reference_the_amount_decides(invoice: Invoice) -> None:
    payment = mark_paid(invoice, by=None)
    back(payment, "10", reference="cash")
    second = back(payment, "20", reference="cash")
    back(payment, "30", reference="cash")
    assert told(payment, "20", "cash") == second


def test_what_went_back_elsewhere_and_had_been_used_is_a_shortfall(paid_too_much: Payment) -> None:
    spend(paid_too_much, "31")
    told(paid_too_much, "150")
    assert (paid_too_much.status, paid_too_much.shortfall) == ("refunded", D(31))
    assert available(paid_too_much.account, "EUR") == eur("0.00")


@pytest.mark.usefixtures("slow")
def test_word_from_elsewhere_of_our_own_refund(invoice: Invoice) -> None:
    payment = pay(invoice, invoice.due, method="slow", by=None)
    payment.succeed()
    row = back(payment, reference="re_1")
    assert told(payment, "119", "re_1") == row
    row.refresh_from_db()
    assert (row.status, payment.refunds.count()) == ("succeeded", 1)


@pytest.mark.usefixtures("slow")
def test_a_refund_made_elsewhere_leaves_nothing_for_another(invoice: Invoice) -> None:
    payment = pay(invoice, invoice.due, method="slow", by=None)
    payment.succeed()
    row = back(payment, "100")
    told(payment, "20")
    row.refresh_from_db()
    assert (row.status, payment.amount_refunded) == ("failed", D(20))
    told(payment, "99", "R2")
    with pytest.raises(NotRefundable):
        row.succeed()


def test_the_credit_notes_money_goes_back_the_way_it_came(invoice: Invoice) -> None:
    payment = mark_paid(invoice, by=None)
    issue_credit_note(invoice, reason="mistake", by=None, refund=True)
    payment.refresh_from_db()
    invoice.refresh_from_db()
    assert (payment.status, invoice.status, invoice.amount_credited) == ("refunded", "paid", D(119))
    assert available(invoice.client, "EUR") == eur("0.00")


def test_the_database_keeps_refunds(invoice: Invoice) -> None:
    payment = mark_paid(invoice, by=None)
    row = back(payment, "19")
    rows = Refund.objects.everywhere().filter(pk=row.pk)
    with pytest.raises(DatabaseError, match="does not change"), transaction.atomic():
        rows.update(amount=D(1))
    payments = Payment.objects.everywhere().filter(pk=payment.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        payments.update(amount_refunded=D(120))
    with pytest.raises(DatabaseError, match="came does not change"), transaction.atomic():
        payments.update(amount=D(1))


def test_clients_see_their_own_refunds(invoice: Invoice) -> None:
    row = back(mark_paid(invoice, by=None))
    back(mark_paid(making.issued(making.account(invoice.website)), by=None))
    assert list(Refund.objects.visible_to(making.owner(invoice))) == [row]


def test_nothing_is_no_refund(paid_too_much: Payment) -> None:
    with pytest.raises(BadAmount, match="A refund is more than zero"):
        back(paid_too_much, "0")
