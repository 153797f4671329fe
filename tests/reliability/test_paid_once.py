"""R7: a thousand pay one invoice at once, from two processes of many threads each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest
from django.conf import settings

from tallystick.accounts.models import Account
from tallystick.billing import methods
from tallystick.billing.emails import PAYMENT_RECEIVED, Email
from tallystick.billing.invoices import Invoice
from tallystick.billing.payments import Allocation, Payment, pay
from tallystick.billing.tests import making
from tallystick.billing.tests.test_payments import Slow
from tallystick.billing.wallets import Wallet
from tallystick.events.models import Event
from tallystick.queue.tests.processes import database_url
from tests.reliability.payers import Plan, as_argument

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
PROCESSES, THREADS = 2, 12
FUNDS = Decimal(2000)
ZERO = Decimal(0)


class Told(NamedTuple):
    outcomes: Counter[str]
    unexpected: list[str]


@pytest.fixture
def account(db: None) -> Account:
    account = making.account(making.website(allow_part_payments=True))
    making.funded(account, str(FUNDS))
    return account


def race(invoice: Invoice, count: int, *, part: str = "", without: str = "") -> Told:
    """`count` attempts in all, half of them by each process."""
    each = count // PROCESSES
    waiting = awaited(invoice, part)
    plans = [
        Plan(invoice.pk, n * each, each, THREADS, waiting, part, without) for n in range(PROCESSES)
    ]
    payers = [_started(plan) for plan in plans]
    for payer in payers:
        assert payer.stdout is not None
        assert payer.stdout.readline() == "ready\n"
    answers = []
    for payer in payers:
        assert payer.stdin is not None
        payer.stdin.write("\n")
        payer.stdin.flush()
    for payer in payers:
        said, _nothing = payer.communicate(timeout=600)
        assert payer.returncode == 0
        answers.append(json.loads(said))
    outcomes = sum((Counter(answer["outcomes"]) for answer in answers), Counter[str]())
    return Told(outcomes, [error for answer in answers for error in answer["unexpected"]])


def awaited(invoice: Invoice, part: str) -> list[int]:
    """Ten payments that were begun before anything was paid."""
    methods.register(Slow())
    try:
        money = making.eur(part) if part else invoice.due
        return [pay(invoice, money, method="slow", by=None).pk for _ in range(10)]
    finally:
        methods._methods.pop("slow")


def _started(plan: Plan) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.reliability.payers", as_argument(plan)],
        cwd=Path(settings.BASE_DIR),
        env={
            **os.environ,
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "LOG_LEVEL": "CRITICAL",
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def check_books(invoice: Invoice) -> None:
    """Every cent that came pays the invoice or is in the wallet; no payment says otherwise; each has
    its receipt, once."""
    invoice.refresh_from_db()
    rows = list(Allocation.objects.filter(invoice=invoice))
    assert sum((row.amount for row in rows), ZERO) == invoice.amount_paid <= invoice.amount
    came = list(Payment.objects.of(invoice.website).filter(status="succeeded"))
    for payment in came:
        assert payment.allocated + payment.in_wallet == payment.money
    from_outside = sum((payment.amount for payment in came if payment.method != "wallet"), ZERO)
    wallet = Wallet.of(invoice.client, invoice.currency)
    assert wallet.balance == FUNDS + from_outside - invoice.amount_paid
    running = ZERO
    for entry in wallet.entries.order_by("id"):
        running += entry.amount
        assert entry.balance_after == running >= 0
    assert wallet.balance == running
    receipts = Email.objects.filter(key=PAYMENT_RECEIVED).values_list("payment", flat=True)
    assert Counter(receipts) == Counter({payment.pk for payment in came})


def check_paid_once(invoice: Invoice, told: Told) -> None:
    assert told.unexpected == []
    assert told.outcomes.total() == 1000
    check_books(invoice)
    assert invoice.is_paid
    assert Allocation.objects.filter(invoice=invoice).count() == 1
    told_of = Email.objects.filter(key=PAYMENT_RECEIVED)
    # One receipt; of the others each is told once that it is kept as credit.
    assert told_of.filter(payment__allocations__invoice=invoice).count() == 1
    assert told_of.values("payment").distinct().count() == told_of.count()
    paid = Event.objects.of(invoice.website).filter(kind="invoice.paid")
    assert paid.count() == 1


def test_an_invoice_is_paid_once_by_a_thousand(account: Account) -> None:
    invoice = making.issued(account)
    check_paid_once(invoice, race(invoice, 1000))


def test_two_hundred_parts_add_up(account: Account) -> None:
    invoice = making.issued(account)
    told = race(invoice, 200, part="1.75")
    assert told.unexpected == []
    assert told.outcomes.total() == 200
    check_books(invoice)
    # 68 of them fill it; the last is cut, or refused where its method knows no surplus.
    assert invoice.amount_due < Decimal("1.75")
    assert Event.objects.of(invoice.website).filter(kind="invoice.paid").count() <= 1


def test_control_without_its_lock_it_is_not(account: Account) -> None:
    """On SQLite the lock is that a transaction begins by writing."""
    invoice = making.issued(account)
    told = race(invoice, 1000, without="locks")
    with pytest.raises(AssertionError):
        check_paid_once(invoice, told)
