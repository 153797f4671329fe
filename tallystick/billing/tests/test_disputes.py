from __future__ import annotations

import pytest

from tallystick.billing import methods
from tallystick.billing.invoices import Invoice
from tallystick.billing.payments import Payment, mark_paid, pay, receive_external_refund, refund
from tallystick.billing.refusals import NotRefundable
from tallystick.billing.states import WrongState
from tallystick.billing.tests.making import D, eur
from tallystick.billing.tests.test_payments import DAY, Slow, kinds
from tallystick.billing.wallets import InsufficientFunds, WalletEntry, available

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("healthy")]


@pytest.fixture(autouse=True)
def slow() -> object:
    methods.register(Slow())
    yield
    del methods._methods["slow"]


@pytest.fixture
def payment(invoice: Invoice) -> Payment:
    """119.00 of it for the invoice, 31.00 in the wallet."""
    payment = pay(invoice, invoice.due, method="slow", by=None)
    payment.succeed(money=eur("150"))
    return payment


def now(payment: Payment) -> Invoice:
    payment.refresh_from_db()
    assert payment.invoice is not None
    return Invoice.objects.everywhere().get(pk=payment.invoice.pk)


def spend(payment: Payment, amount: str) -> None:
    payment.wallet().debit(eur(amount), WalletEntry.Reason.CORRECTION)


def test_what_is_disputed_is_owed_again_and_held(payment: Payment) -> None:
    payment.dispute("fraudulent", "dp_1")
    invoice = now(payment)
    assert (payment.status, invoice.status, invoice.due) == ("disputed", "open", eur("119.00"))
    wallet = payment.wallet()
    assert (wallet.balance, wallet.available, payment.shortfall) == (D(31), eur("0.00"), D(0))
    with pytest.raises(InsufficientFunds):
        spend(payment, "1")
    with pytest.raises(NotRefundable):
        refund(payment, eur("1"), by=None, reason="")
    assert "payment.disputed" in kinds(invoice)


def test_said_twice_it_is_disputed_once(payment: Payment) -> None:
    payment.dispute("fraudulent", "dp_1")
    payment.dispute("fraudulent", "dp_1")
    payment.win_dispute()
    payment.win_dispute()
    payment.dispute("fraudulent", "dp_1")
    assert (payment.status, payment.disputes.count()) == ("succeeded", 1)
    payment.dispute("fraudulent", "dp_2")
    assert (payment.status, payment.disputes.count()) == ("disputed", 2)


def test_won_everything_is_as_before(payment: Payment) -> None:
    payment.dispute("fraudulent")
    payment.win_dispute()
    invoice = now(payment)
    assert (payment.status, invoice.status) == ("succeeded", "paid")
    assert available(payment.account, "EUR") == eur("31.00")
    assert [row.amount for row in payment.allocations.all()] == [119, -119, 119]


def test_won_when_the_invoice_was_paid_again_it_is_credit(payment: Payment) -> None:
    payment.dispute("fraudulent")
    mark_paid(now(payment), by=None)
    payment.win_dispute()
    assert available(payment.account, "EUR") == eur("150.00")
    assert now(payment).amount_paid == D(119)


def test_lost_it_is_refunded(payment: Payment) -> None:
    payment.dispute("fraudulent")
    payment.lose_dispute()
    payment.lose_dispute()
    invoice = now(payment)
    assert (payment.status, payment.amount_refunded, payment.shortfall) == (
        "refunded",
        D(150),
        D(0),
    )
    assert (invoice.status, available(payment.account, "EUR")) == ("open", eur("0.00"))
    with pytest.raises(WrongState):
        payment.win_dispute()


def test_what_had_been_used_is_missing(payment: Payment) -> None:
    spend(payment, "20")
    payment.dispute("fraudulent")
    assert (payment.shortfall, payment.wallet().held) == (D(20), D(11))
    payment.win_dispute()
    assert (payment.shortfall, payment.wallet().held) == (D(0), D(0))
    payment.dispute("fraudulent")
    payment.lose_dispute()
    assert (payment.shortfall, payment.wallet().balance) == (D(20), D(0))


def test_a_refund_on_its_way_fails_when_it_is_lost(payment: Payment) -> None:
    row = refund(payment, eur("40"), by=None, reason="returned")
    payment.dispute("fraudulent")
    payment.lose_dispute()
    row.refresh_from_db()
    assert (row.status, payment.amount_refunded) == ("failed", D(150))
    assert payment.wallet().balance == 0
    with pytest.raises(NotRefundable):
        row.succeed()


def test_a_refund_that_came_back_during_a_dispute_is_won_too(payment: Payment) -> None:
    spend(payment, "31")
    row = receive_external_refund(payment, amount=D(30), reference="R1", date=DAY)
    payment.dispute("fraudulent")
    assert payment.shortfall == D(31)
    row.fail("came back")
    payment.refresh_from_db()
    assert payment.shortfall == D(31)
    payment.win_dispute()
    invoice = now(payment)
    assert (payment.status, payment.shortfall, payment.amount_refunded) == ("succeeded", D(0), D(0))
    assert (invoice.due, available(payment.account, "EUR")) == (eur("30.00"), eur("30.00"))


def test_what_came_back_makes_good_an_older_shortfall_first(payment: Payment) -> None:
    spend(payment, "31")
    receive_external_refund(payment, amount=D(119), reference="R1", date=DAY)
    row = receive_external_refund(payment, amount=D(20), reference="R2", date=DAY)
    payment.dispute("fraudulent")
    row.fail("came back")
    payment.refresh_from_db()
    assert (payment.shortfall, payment.amount_refunded) == (D(31), D(119))
    payment.win_dispute()
    assert (now(payment).amount_paid, payment.shortfall) == (D(0), D(0))


def test_a_refund_may_arrive_while_the_bank_decides(payment: Payment) -> None:
    row = refund(payment, eur("40"), by=None, reason="returned")
    payment.dispute("fraudulent")
    row.succeed()
    payment.refresh_from_db()
    assert (payment.status, payment.amount_refunded) == ("disputed", D(40))
    payment.win_dispute()
    assert (payment.allocated, payment.wallet().balance) == (eur("110.00"), D(0))


def test_all_of_it_may_go_back_elsewhere_while_the_bank_decides(payment: Payment) -> None:
    payment.dispute("fraudulent")
    receive_external_refund(payment, amount=D(150), reference="R1", date=DAY)
    assert (payment.status, payment.shortfall) == ("disputed", D(0))
    assert payment.wallet().balance == 0
    payment.win_dispute()
    assert payment.status == "refunded"


def test_only_what_came_is_disputed(invoice: Invoice) -> None:
    waiting = pay(invoice, invoice.due, method="slow", by=None)
    with pytest.raises(WrongState):
        waiting.dispute("fraudulent")
    for decide in (waiting.win_dispute, waiting.lose_dispute):
        with pytest.raises(WrongState):
            decide()
    assert waiting.status == "pending"


def test_a_part_that_was_refunded_is_not_disputed(invoice: Invoice) -> None:
    payment = pay(invoice, invoice.due, method="slow", by=None)
    payment.succeed()
    refund(payment, eur("19"), by=None, reason="").succeed()
    payment.refresh_from_db()
    payment.dispute("fraudulent")
    assert payment.disputes.get().amount == 100
    payment.win_dispute()
    assert payment.allocated == eur("100.00")
    assert now(payment).amount_paid == D(100)
