from __future__ import annotations

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from tallystick.accounts.models import Account
from tallystick.billing.tests import making
from tallystick.billing.tests.making import D, eur
from tallystick.billing.totals import TooLarge
from tallystick.billing.wallets import (
    BadMovement,
    InsufficientFunds,
    LedgerIsFixed,
    Wallet,
    WalletEntry,
    WrongWallet,
    available,
)
from tallystick.kit.money import Money

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("healthy")]
Reason = WalletEntry.Reason


@pytest.fixture
def wallet(account: Account) -> Wallet:
    return making.funded(account, "100")


def test_the_balance_is_the_sum_of_the_entries(wallet: Wallet) -> None:
    wallet.debit(eur("30.50"), Reason.CORRECTION, note="typo")
    wallet.credit(eur("0.01"), Reason.REFUND)
    wallet.refresh_from_db()
    entries = list(wallet.entries.order_by("id"))
    assert [entry.amount for entry in entries] == [D(100), D("-30.5"), D("0.01")]
    assert [entry.balance_after for entry in entries] == [D(100), D("69.5"), D("69.51")]
    assert wallet.money == eur("69.51")


def test_it_never_goes_below_zero(wallet: Wallet) -> None:
    with pytest.raises(InsufficientFunds):
        wallet.debit(eur("100.01"), Reason.PAYMENT)
    with pytest.raises(IntegrityError), transaction.atomic():
        Wallet.objects.everywhere().update(balance=D(-1))
    wallet.refresh_from_db()
    assert wallet.money == eur("100.00")


@pytest.mark.parametrize(
    ("money", "error"),
    [
        (eur("0"), BadMovement),
        (eur("-1"), BadMovement),
        (eur("0.001"), BadMovement),
        (Money(D(1), "USD"), WrongWallet),
        (Money(D(10) ** 13, "EUR"), TooLarge),
        (Money(D(10) ** 13 - 1, "EUR"), TooLarge),
    ],
)
def test_nonsense_does_not_move_it(wallet: Wallet, money: Money, error: type[Exception]) -> None:
    with pytest.raises(error):
        wallet.credit(money, Reason.CREDIT)
    assert wallet.entries.count() == 1


def test_a_repeat_moves_nothing(wallet: Wallet) -> None:
    first = wallet.credit(eur("5"), Reason.CREDIT, key="form-1")
    assert wallet.credit(eur("5"), Reason.CREDIT, key="form-1") == first
    assert wallet.money == eur("105.00")


def test_entries_are_only_added(wallet: Wallet) -> None:
    entry = wallet.entries.get()
    with pytest.raises(LedgerIsFixed):
        entry.save()
    with pytest.raises(LedgerIsFixed):
        entry.delete()
    with pytest.raises(DatabaseError, match="only added to"), transaction.atomic():
        WalletEntry.objects.update(amount=D(1))


def test_there_is_one_per_currency(account: Account) -> None:
    making.funded(account, "1")
    making.funded(account, "1000", "JPY")
    assert Wallet.objects.of(account.website).count() == 2
    assert str(available(account, "JPY")) == "1000 JPY"
    assert available(account, "USD").amount == 0
    assert Wallet.objects.of(account.website).count() == 2
