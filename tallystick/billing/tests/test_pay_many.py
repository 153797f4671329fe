from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tallystick.accounts.models import Account
from tallystick.billing import documents, methods
from tallystick.billing.days import BadDay
from tallystick.billing.drafts import KeyReused
from tallystick.billing.emails import PAYMENT_RECEIVED, Email
from tallystick.billing.invoices import Invoice
from tallystick.billing.payments import (
    AlreadyPaid,
    BadAmount,
    BadShares,
    NotAllowed,
    Payment,
    TooMuch,
    WholeSumOnly,
    mark_paid,
    pay_many,
)
from tallystick.billing.tests import making
from tallystick.billing.tests.making import D, eur
from tallystick.billing.tests.test_payments import Slow
from tallystick.billing.wallets import InsufficientFunds, available
from tallystick.kit import clock
from tallystick.kit.clock import VirtualClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("healthy")]


@pytest.fixture
def invoices(account: Account) -> list[Invoice]:
    return [making.issued(account) for _ in range(3)]


@pytest.fixture
def slow() -> object:
    methods.register(Slow())
    yield
    del methods._methods["slow"]


def shares(invoices: list[Invoice], *amounts: str) -> list[tuple[Invoice, Decimal]]:
    return [(row, D(amount)) for row, amount in zip(invoices, amounts, strict=True)]


def many(invoices: list[Invoice], *amounts: str, **values: Any) -> Payment:
    asked: dict[str, Any] = {"method": "manual", "by": None}
    return pay_many(invoices[0].client, shares(invoices, *amounts), **(asked | values))


def paid(invoices: list[Invoice]) -> list[object]:
    for invoice in invoices:
        invoice.refresh_from_db()
    return [invoice.amount_paid for invoice in invoices]


def test_one_payment_pays_several(invoices: list[Invoice]) -> None:
    staff = making.staff(invoices[0].website)
    day = date(2026, 3, 1)
    payment = many(invoices, "119", "19", "119", by=staff, extra=D(43), received_on=day)
    assert paid(invoices) == [119, 19, 119]
    assert (payment.money, payment.allocated) == (eur("300.00"), eur("257.00"))
    assert (payment.received_on, payment.created_by, payment.invoice) == (day, staff, None)
    assert payment.about == invoices[0]
    assert available(payment.account, "EUR") == eur("43.00")
    assert Email.objects.filter(key=PAYMENT_RECEIVED).count() == 1
    assert documents.receipt_pdf(payment).startswith(b"%PDF")


def test_of_one_invoice_it_is_that_ones_payment(invoices: list[Invoice]) -> None:
    payment = many(invoices[:1], "19", extra=D(50))
    assert (payment.invoice, paid(invoices)) == (invoices[0], [19, 0, 0])


def test_it_is_all_or_nothing(invoices: list[Invoice]) -> None:
    mark_paid(invoices[2], by=None)
    with pytest.raises(AlreadyPaid):
        many(invoices, "119", "119", "119")
    with pytest.raises(TooMuch):
        many(invoices[:2], "119", "119.01")
    assert paid(invoices) == [0, 0, 119]
    with pytest.raises(InsufficientFunds):
        many(invoices[:2], "119", "119", method="wallet")
    assert Payment.objects.of(invoices[0].website).count() == 1


@pytest.mark.parametrize("amounts", [("0", "1"), ("-1", "1"), ("0.001", "1")])
def test_nonsense_is_refused(invoices: list[Invoice], amounts: tuple[str, str]) -> None:
    with pytest.raises(BadAmount):
        many(invoices[:2], *amounts)
    with pytest.raises(BadAmount):
        many(invoices[:2], "119", "119", extra=D(-1))


def test_shares_are_of_one_account_and_one_currency(invoices: list[Invoice]) -> None:
    account = invoices[0].client
    strange = making.issued(making.account(account.website))
    dollars = making.issued(account, currency="USD")
    for wrong in ([], [invoices[0], invoices[0]], [invoices[0], strange], [invoices[0], dollars]):
        with pytest.raises(BadShares):
            pay_many(account, [(row, D(1)) for row in wrong], method="manual", by=None)


def test_who_may_pay_one_may_not_pay_all(invoices: list[Invoice]) -> None:
    with pytest.raises(NotAllowed):
        many(invoices, "119", "119", "119", by=making.owner(invoices[0]))


def test_parts_by_clients_need_leave(invoices: list[Invoice]) -> None:
    making.funded(invoices[0].client, "500")
    with pytest.raises(WholeSumOnly):
        many(invoices[:2], "119", "100", method="wallet")


def test_a_repeat_of_a_key_is_the_first_payment(invoices: list[Invoice]) -> None:
    first = many(invoices[:2], "119", "119", key="k")
    assert many(invoices[:2], "119", "119", key="k") == first
    assert many(invoices[1::-1], "119", "119", key="k") == first
    for again in (("119", "118"), ("118", "119")):
        with pytest.raises(KeyReused):
            many(invoices[:2], *again, key="k")
    with pytest.raises(KeyReused):
        many(invoices, "119", "119", "119", key="k")
    with pytest.raises(KeyReused):
        many(invoices[:2], "119", "119", key="k", extra=D(1))


@pytest.mark.usefixtures("slow")
def test_the_shares_wait_with_the_payment(invoices: list[Invoice]) -> None:
    payment = many(invoices, "119", "119", "119", method="slow")
    assert (payment.status, paid(invoices)) == ("pending", [0, 0, 0])
    mark_paid(invoices[1], by=None)
    payment.succeed()
    assert paid(invoices) == [119, 119, 119]
    assert available(payment.account, "EUR") == eur("119.00")


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize(
    ("came", "given", "kept"), [("150", [119, 31, 0], "0"), ("400", [119, 119, 119], "43")]
)
def test_less_or_more_may_come(
    invoices: list[Invoice], came: str, given: list[int], kept: str
) -> None:
    payment = many(invoices, "119", "119", "119", method="slow")
    payment.succeed(money=eur(came))
    assert paid(invoices) == given
    assert available(payment.account, "EUR").amount == D(kept)
    assert (payment.money, payment.expected) == (eur(came), D(357))


@pytest.mark.parametrize("day", [date(1900, 1, 1), date(2016, 2, 27), date(2026, 3, 2)])
def test_the_day_it_came_on_lies_near(invoices: list[Invoice], day: date) -> None:
    with clock.use(VirtualClock(datetime(2026, 2, 28, 12, tzinfo=UTC))):
        with pytest.raises(BadDay, match="between 2016-02-28 and 2026-03-01"):
            many(invoices, "1", "1", "1", received_on=day)
        assert not Payment.objects.everywhere().exists()
        payment = many(invoices, "1", "1", "1", received_on=date(2026, 3, 1))
        assert payment.received_on == date(2026, 3, 1)
