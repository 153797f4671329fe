from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from tallystick.accounts.models import Account
from tallystick.billing.holds import NotHeld, TooMuchCaptured, WalletHold, release_expired
from tallystick.billing.tests import making
from tallystick.billing.tests.making import D, eur
from tallystick.billing.wallets import InsufficientFunds, Wallet, WalletEntry, available
from tallystick.events.models import Event
from tallystick.kit import clock
from tallystick.kit.clock import VirtualClock
from tallystick.queue.schedules import routines

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("healthy")]


@pytest.fixture
def wallet(account: Account) -> Wallet:
    return making.funded(account, "100")


def hold(wallet: Wallet, amount: str, key: str = "k", until: datetime | None = None) -> WalletHold:
    return wallet.hold(eur(amount), reason="Booking", key=key, expires_at=until)


def figures(wallet: Wallet) -> tuple[object, ...]:
    wallet.refresh_from_db()
    return wallet.balance, wallet.held


def test_what_is_held_is_there_and_not_to_be_used(wallet: Wallet) -> None:
    hold(wallet, "60")
    assert figures(wallet) == (100, 60)
    assert wallet.available == available(wallet.account, "EUR") == eur("40.00")
    with pytest.raises(InsufficientFunds, match=r"40\.00 EUR that is not set aside"):
        wallet.debit(eur("40.01"), WalletEntry.Reason.CORRECTION)
    with pytest.raises(InsufficientFunds):
        hold(wallet, "40.01", "other")
    wallet.debit(eur("40"), WalletEntry.Reason.CORRECTION)
    assert figures(wallet) == (60, 60)


def test_a_repeat_holds_nothing(wallet: Wallet) -> None:
    assert hold(wallet, "60") == hold(wallet, "60")
    assert figures(wallet) == (100, 60)


def test_it_is_taken_once(wallet: Wallet) -> None:
    row = hold(wallet, "60")
    entry = row.capture()
    assert row.capture() == entry
    assert (entry.amount, row.state, row.captured) == (-D(60), "captured", D(60))
    assert figures(wallet) == (40, 0)
    with pytest.raises(NotHeld):
        row.release()


def test_a_part_is_taken_and_the_rest_is_free(wallet: Wallet) -> None:
    row = hold(wallet, "60")
    with pytest.raises(TooMuchCaptured):
        row.capture(eur("60.01"))
    row.capture(eur("20"))
    assert figures(wallet) == (80, 0)


def test_it_is_released_once(wallet: Wallet) -> None:
    row = hold(wallet, "60")
    row.release()
    row.release()
    assert figures(wallet) == (100, 0)
    with pytest.raises(NotHeld):
        row.capture()
    kinds = Event.objects.of_subject(wallet).values_list("kind", flat=True)
    assert list(kinds)[:2] == ["wallet.hold_released", "wallet.held"]


def test_what_expires_is_released(wallet: Wallet) -> None:
    with clock.use(VirtualClock()) as time:
        row = hold(wallet, "60", until=time.now() + timedelta(minutes=10))
        kept = hold(wallet, "10", "other")
        assert release_expired() == 0
        time.advance(timedelta(minutes=10))
        with pytest.raises(NotHeld):
            row.capture()
        assert (release_expired(), release_expired()) == (1, 0)
    row.refresh_from_db()
    kept.refresh_from_db()
    assert (row.state, kept.state) == ("released", "held")
    assert figures(wallet) == (100, 10)
    assert routines()["wallet_holds"].run is release_expired


def test_what_has_expired_is_no_obstacle(wallet: Wallet) -> None:
    with clock.use(VirtualClock()) as time:
        hold(wallet, "60", until=time.now() + timedelta(minutes=10))
        time.advance(timedelta(minutes=10))
        wallet.debit(eur("100"), WalletEntry.Reason.CORRECTION)
    assert figures(wallet) == (0, 0)


def test_the_database_keeps_what_is_held_there(wallet: Wallet) -> None:
    row = hold(wallet, "60")
    wallets = Wallet.objects.everywhere().filter(pk=wallet.pk)
    for change in ({"held": D("100.01")}, {"held": D(-1)}, {"balance": D(59)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            wallets.update(**change)
    rows = WalletHold.objects.filter(pk=row.pk)
    with pytest.raises(DatabaseError, match="does not change"), transaction.atomic():
        rows.update(amount=D(1))
