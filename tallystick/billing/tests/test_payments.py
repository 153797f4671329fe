from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, IntegrityError, transaction

from tallystick.accounts.models import Account
from tallystick.accounts.standing import Person
from tallystick.billing import methods, payments
from tallystick.billing.drafts import BadKey, KeyReused
from tallystick.billing.emails import PAYMENT_RECEIVED, Email
from tallystick.billing.invoices import Invoice
from tallystick.billing.methods import PaymentMethod, UnknownMethod
from tallystick.billing.payment_rows import Allocation, MoneyIsKept, Payment
from tallystick.billing.payments import (
    AlreadyPaid,
    BadAmount,
    NotAllowed,
    NotPayable,
    TooMuch,
    WholeSumOnly,
    WrongCurrency,
    mark_paid,
    pay,
    receive_external,
)
from tallystick.billing.states import WrongState
from tallystick.billing.tests import making
from tallystick.billing.tests.making import D, eur
from tallystick.billing.wallets import InsufficientFunds, Wallet, available
from tallystick.events.models import Event
from tallystick.kit.money import BadAmount as AnyBadAmount
from tallystick.kit.money import Money

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("healthy")]
DAY = date(2026, 3, 1)


class Slow(PaymentMethod):
    """Waits for word from outside."""

    name = "slow"
    label = "Slow"

    def may_use(self, invoice: Invoice, user: object) -> bool:
        del invoice, user
        return True


@pytest.fixture
def slow() -> object:
    methods.register(Slow())
    yield
    del methods._methods["slow"]


def external(invoice: Invoice, amount: str, reference: str = "T1") -> Payment:
    return receive_external(invoice, amount=D(amount), reference=reference, date=DAY, method="xero")


def kinds(invoice: Invoice) -> list[str]:
    events = Event.objects.of(invoice.website).order_by("id")
    return list(events.values_list("kind", flat=True))


def allow_parts(invoice: Invoice) -> None:
    invoice.website.allow_part_payments = True
    invoice.website.save()


def test_staff_mark_an_invoice_paid(invoice: Invoice) -> None:
    staff = making.staff(invoice.website)
    payment = mark_paid(invoice, by=staff, reference="cash")
    invoice.refresh_from_db()
    assert (invoice.status, invoice.amount_paid, invoice.amount_due) == ("paid", D(119), D(0))
    assert invoice.payment == payment
    assert payment.created_by == staff
    assert (payment.reference, payment.method) == ("cash", "manual")
    assert payment.allocated == eur("119.00")
    assert Email.objects.filter(key=PAYMENT_RECEIVED, payment=payment).count() == 1
    assert kinds(invoice)[-2:] == ["payment.succeeded", "invoice.paid"]


def test_a_paid_invoice_is_not_paid_again(invoice: Invoice) -> None:
    mark_paid(invoice, by=None)
    with pytest.raises(AlreadyPaid):
        mark_paid(invoice, by=None)
    with pytest.raises(AlreadyPaid):
        pay(invoice, eur("119"), method="manual", by=None)
    assert Payment.objects.of(invoice.website).count() == 1


def test_a_repeat_of_a_key_is_the_first_payment(invoice: Invoice) -> None:
    making.funded(invoice.client, "500")
    first = pay(invoice, eur("119"), method="wallet", by=None, key="k1")
    assert pay(invoice, eur("119"), method="wallet", by=None, key="k1") == first
    assert available(invoice.client, "EUR") == eur("381.00")
    with pytest.raises(KeyReused):
        pay(invoice, eur("118"), method="wallet", by=None, key="k1")
    with pytest.raises(KeyReused):
        pay(invoice, eur("119"), method="manual", by=None, key="k1")
    with pytest.raises(KeyReused):
        pay(making.issued(invoice.client), eur("119"), method="wallet", by=None, key="k1")
    with pytest.raises(BadKey):
        pay(invoice, eur("1"), method="wallet", by=None, key="x" * 201)
    assert mark_paid(making.issued(invoice.client), by=None, key="m") == mark_paid(
        Invoice.objects.everywhere().latest("id"), by=None, key="m"
    )


@pytest.mark.parametrize(
    ("money", "error"),
    [
        (eur("119.01"), TooMuch),
        (eur("0"), BadAmount),
        (eur("-5"), BadAmount),
        (eur("5.001"), BadAmount),
        (Money(D(10) ** 20, "EUR"), BadAmount),
        (Money(D(119), "USD"), WrongCurrency),
        (eur("5"), WholeSumOnly),
    ],
)
def test_a_wrong_amount_is_refused_and_nothing_is_done(
    invoice: Invoice, money: Money, error: type[Exception]
) -> None:
    making.funded(invoice.client, "500")
    with pytest.raises(error) as caught:
        pay(invoice, money, method="wallet", by=None)
    assert str(caught.value)
    invoice.refresh_from_db()
    assert (invoice.status, invoice.amount_paid) == ("open", D(0))
    assert available(invoice.client, "EUR") == eur("500.00")
    assert not Payment.objects.of(invoice.website).exists()


def test_errors_have_words_and_codes() -> None:
    assert str(AlreadyPaid()) == "The invoice is paid already."
    assert AlreadyPaid().code == "already_paid"
    assert issubclass(BadAmount, AnyBadAmount)


def test_drafts_and_void_invoices_are_not_paid(draft: Invoice, invoice: Invoice) -> None:
    with pytest.raises(NotPayable, match="draft"):
        mark_paid(draft, by=None)
    invoice.void(reason="mistake")
    with pytest.raises(NotPayable, match="void"):
        mark_paid(invoice, by=None)


def test_part_payments_where_the_website_allows_them(invoice: Invoice) -> None:
    allow_parts(invoice)
    making.funded(invoice.client, "500")
    pay(invoice, eur("19"), method="wallet", by=None)
    assert (invoice.status, invoice.due) == ("partially_paid", eur("100.00"))
    with pytest.raises(TooMuch):
        pay(invoice, eur("100.01"), method="wallet", by=None)
    pay(invoice, eur("60"), method="wallet", by=None)
    pay(invoice, eur("40"), method="wallet", by=None)
    assert invoice.is_paid
    assert Email.objects.filter(key=PAYMENT_RECEIVED).count() == 3
    assert [a.amount for a in invoice.allocations.all()] == [D(19), D(60), D(40)]


def test_staff_may_record_a_part_in_any_case(invoice: Invoice) -> None:
    pay(invoice, eur("19"), method="manual", by=making.staff(invoice.website))
    assert invoice.status == "partially_paid"


def test_the_wallet_is_not_overdrawn(invoice: Invoice) -> None:
    making.funded(invoice.client, "118.99")
    with pytest.raises(InsufficientFunds, match=r"holds 118\.99 EUR, less than 119\.00 EUR"):
        pay(invoice, eur("119"), method="wallet", by=None)
    assert available(invoice.client, "EUR") == eur("118.99")
    assert not Payment.objects.of(invoice.website).exists()


def test_who_may_pay_how(invoice: Invoice) -> None:
    making.funded(invoice.client, "500")
    stranger, owner = making.user(), invoice.client.user
    elsewhere = making.staff(making.website())
    for who in (stranger, elsewhere, AnonymousUser()):
        for method in ("wallet", "manual"):
            with pytest.raises(NotAllowed):
                pay(invoice, invoice.due, method=method, by=who)
    with pytest.raises(NotAllowed):
        pay(invoice, invoice.due, method="manual", by=owner)
    with pytest.raises(NotAllowed):
        mark_paid(invoice, by=owner)
    with pytest.raises(UnknownMethod):
        pay(invoice, invoice.due, method="barter", by=owner)
    pay(invoice, invoice.due, method="wallet", by=owner)
    assert invoice.is_paid


def test_the_methods_on_offer(invoice: Invoice) -> None:
    def names(user: Person) -> list[str]:
        return [method.name for method in methods.for_invoice(invoice, user)]

    owner, staff = invoice.client.user, making.staff(invoice.website)
    assert owner is not None
    assert (names(owner), names(staff), names(AnonymousUser())) == ([], ["manual"], [])
    making.funded(invoice.client, "1")
    assert (names(owner), names(staff)) == (["wallet"], ["wallet", "manual"])
    mark_paid(invoice, by=None)
    assert names(staff) == []


def test_members_of_an_organisation_pay_from_its_wallet(invoice: Invoice) -> None:
    club = making.organisation(invoice.website)
    account = Account.open_for_organisation(club)
    member = making.user()
    club.organisationmember_set.create(user=member)
    making.funded(account, "500")
    bill = making.issued(account)
    pay(bill, bill.due, method="wallet", by=member)
    assert bill.is_paid


def test_what_is_paid_outside_is_taken_over_once(invoice: Invoice) -> None:
    payment = external(invoice, "119")
    assert external(invoice, "119") == payment
    assert (payment.received_on, payment.reference) == (DAY, "T1")
    assert invoice.is_paid
    assert available(invoice.client, "EUR") == eur("0.00")
    assert Email.objects.filter(key=PAYMENT_RECEIVED).count() == 1


def test_too_much_from_outside_becomes_credit(invoice: Invoice) -> None:
    payment = external(invoice, "150")
    assert (invoice.status, invoice.amount_paid) == ("paid", D(119))
    assert payment.allocated == eur("119.00")
    assert available(invoice.client, "EUR") == eur("31.00")
    entry = Wallet.of(invoice.client, "EUR").entries.get()
    assert (entry.reason, entry.payment) == ("surplus", payment)


def test_twice_from_outside_becomes_credit(invoice: Invoice) -> None:
    mark_paid(invoice, by=None)
    external(invoice, "119")
    external(invoice, "119")
    external(invoice, "119", "T2")
    assert available(invoice.client, "EUR") == eur("238.00")
    told = Email.objects.filter(key=PAYMENT_RECEIVED, invoice=invoice)
    assert told.count() == Payment.objects.of(invoice.website).count() == 3


def test_money_for_a_void_invoice_becomes_credit(invoice: Invoice) -> None:
    invoice.void(reason="mistake")
    external(invoice, "119")
    assert (invoice.status, available(invoice.client, "EUR")) == ("void", eur("119.00"))


def test_part_payments_from_outside_need_no_leave(invoice: Invoice) -> None:
    external(invoice, "19")
    assert (invoice.status, invoice.due) == ("partially_paid", eur("100.00"))


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "99999999999999999999"])
def test_nonsense_from_outside_is_refused(invoice: Invoice, amount: str) -> None:
    with pytest.raises(BadAmount):
        external(invoice, amount)
    with pytest.raises(BadAmount):
        external(invoice, "1", reference="")


def test_another_amount_under_a_known_reference_changes_nothing(
    invoice: Invoice, caplog: pytest.LogCaptureFixture
) -> None:
    payment = external(invoice, "19")
    assert external(invoice, "20") == payment
    assert "now 20.00 EUR there, 19.00 EUR here" in caplog.text


@pytest.mark.usefixtures("slow")
def test_a_payment_may_wait_for_word_from_outside(invoice: Invoice) -> None:
    payment = pay(invoice, invoice.due, method="slow", by=AnonymousUser())
    assert (payment.status, payment.created_by, invoice.status) == ("pending", None, "open")
    payment.succeed(reference="ch_1")
    payment.succeed()
    invoice.refresh_from_db()
    assert (invoice.is_paid, payment.reference) == (True, "ch_1")
    assert Email.objects.filter(key=PAYMENT_RECEIVED).count() == 1


@pytest.mark.usefixtures("slow")
def test_two_that_waited_pay_once_and_credit_the_rest(invoice: Invoice) -> None:
    first, second = (pay(invoice, invoice.due, method="slow", by=None) for _ in range(2))
    first.succeed()
    second.succeed()
    assert available(invoice.client, "EUR") == eur("119.00")
    assert second.allocated == eur("0.00")


@pytest.mark.usefixtures("slow")
def test_a_payment_may_fail_and_come_after_all(invoice: Invoice) -> None:
    payment = pay(invoice, invoice.due, method="slow", by=None)
    payment.fail("card declined")
    assert kinds(invoice)[-1] == "payment.failed"
    assert (payment.status, payment.failure) == ("failed", "card declined")
    payment.succeed()
    assert payment.failure == ""
    with pytest.raises(WrongState, match="succeeded"):
        payment.fail("no")
    with pytest.raises(WrongState):
        payment.cancel()
    other = pay(making.issued(invoice.client), eur("119"), method="slow", by=None)
    other.cancel()
    assert other.status == "cancelled"


def test_payments_are_kept(invoice: Invoice) -> None:
    payment = mark_paid(invoice, by=None)
    with pytest.raises(MoneyIsKept):
        payment.delete()


def test_the_database_keeps_payments_straight(invoice: Invoice) -> None:
    mark_paid(invoice, by=None)
    rows = Invoice.objects.everywhere().filter(pk=invoice.pk)
    for change in (
        {"amount_paid": D(120)},
        {"amount_paid": D(-1)},
        {"paid_at": None},
        {"status": "x"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**change)
    with pytest.raises(DatabaseError, match="does not change"), transaction.atomic():
        Allocation.objects.update(amount=Decimal(1))


def test_clients_see_their_own_payments(invoice: Invoice) -> None:
    payment = mark_paid(invoice, by=None)
    mark_paid(making.issued(making.account(invoice.website)), by=None)
    assert list(Payment.objects.visible_to(making.owner(invoice))) == [payment]


def test_it_is_all_or_nothing(invoice: Invoice, monkeypatch: pytest.MonkeyPatch) -> None:
    making.funded(invoice.client, "500")

    def broken(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(payments.Payment, "settle", broken)
    with pytest.raises(ZeroDivisionError):
        pay(invoice, invoice.due, method="wallet", by=None)
    assert available(invoice.client, "EUR") == eur("500.00")
    assert not Payment.objects.of(invoice.website).exists()


@pytest.mark.usefixtures("slow")
def test_words_come_in_any_order_and_twice(invoice: Invoice) -> None:
    payment = pay(invoice, invoice.due, method="slow", by=None)
    assert kinds(invoice)[-1] == "payment.pending"
    payment.process(reference="pi_1")
    payment.process()
    assert (payment.status, payment.reference) == ("processing", "pi_1")
    payment.fail("declined")
    payment.fail("declined")
    payment.process()
    payment.cancel()
    assert payment.status == "failed"
    payment.succeed()
    payment.process()
    payment.succeed()
    assert payment.status == "succeeded"
    said = Event.objects.of_subject(payment).values_list("kind", flat=True)
    assert list(said)[::-1] == [
        "payment.pending",
        "payment.processing",
        "payment.failed",
        "payment.succeeded",
    ]


@pytest.mark.usefixtures("slow")
def test_word_of_success_after_a_refund_changes_nothing(invoice: Invoice) -> None:
    payment = pay(invoice, invoice.due, method="slow", by=None)
    payment.succeed()
    payments.refund(payment, by=None, reason="returned").succeed()
    payment.refresh_from_db()
    payment.succeed()
    invoice.refresh_from_db()
    assert (payment.status, invoice.status) == ("refunded", "open")


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize(("came", "paid", "kept"), [("100", "100", "0"), ("120", "119", "1")])
def test_what_really_came_is_what_counts(invoice: Invoice, came: str, paid: str, kept: str) -> None:
    payment = pay(invoice, invoice.due, method="slow", by=None, key="k")
    payment.succeed(money=eur(came))
    invoice.refresh_from_db()
    assert (payment.amount, payment.expected) == (D(came), D(119))
    assert (invoice.amount_paid, available(invoice.client, "EUR").amount) == (D(paid), D(kept))
    event = Event.objects.of_subject(payment).first()
    assert event is not None
    assert '"expected":"119' in event.change
    assert pay(invoice, eur("119"), method="slow", by=None, key="k") == payment


@pytest.mark.usefixtures("slow")
def test_another_currency_or_no_amount_does_not_settle(
    invoice: Invoice, caplog: pytest.LogCaptureFixture
) -> None:
    payment = pay(invoice, invoice.due, method="slow", by=None)
    with pytest.raises(WrongCurrency):
        payment.succeed(money=Money(D(119), "USD"))
    with pytest.raises(BadAmount):
        payment.succeed(money=eur("0"))
    payment.refresh_from_db()
    assert payment.status == "pending"
    payment.succeed(money=eur("119"))
    payment.succeed(money=eur("19"))
    assert payment.amount == D(119)
    assert "now 19.00 EUR there, 119.00 EUR here" in caplog.text


def test_the_payment_that_settles_is_one_that_still_pays(invoice: Invoice) -> None:
    allow_parts(invoice)
    first = pay(invoice, eur("50"), method="manual", by=None)
    second = pay(invoice, eur("69"), method="manual", by=None)
    assert [second] == [invoice.payment]
    payments.refund(second, by=None, reason="returned")
    invoice.refresh_from_db()
    assert not invoice.payment
    assert invoice.paid_by == [(first, D(50))]
    third = pay(invoice, eur("69"), method="manual", by=None)
    assert invoice.payment == third
