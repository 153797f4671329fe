"""Whatever is done with invoices, payments and wallets, in whatever order: the books balance."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tallystick.accounts.models import Account
from tallystick.billing import methods, payments
from tallystick.billing.emails import PAYMENT_RECEIVED, Email
from tallystick.billing.errors import BillingError
from tallystick.billing.invoices import Invoice
from tallystick.billing.payment_rows import Allocation, Payment
from tallystick.billing.tests import making
from tallystick.billing.tests.test_payments import Slow
from tallystick.billing.wallets import Wallet, WalletEntry
from tallystick.kit.money import Money

AMOUNTS = st.decimals("0.01", "300", places=2)
PICK = st.integers(0, 30)


class Books(RuleBasedStateMachine):
    """Refusals are part of the game; what is done after them must be as if they had not been."""

    account: Account

    @initialize()
    def open(self) -> None:
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        website = making.website(allow_part_payments=True)
        self.account = making.account(website)
        self.credited = Decimal(0)
        self.references = itertools.count()

    def teardown(self) -> None:
        if hasattr(self, "atomic"):
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    @rule(prices=st.lists(st.decimals("-20", "200", places=2), max_size=4))
    def draft(self, prices: list[Decimal]) -> None:
        rate = making.tax(self.account.website)
        lines = [making.line(str(price), tax_rate=rate) for price in prices]
        Invoice.objects.draft(account=self.account, lines=lines)

    @rule(pick=PICK)
    def issue(self, pick: int) -> None:
        self.attempt(lambda: self.invoice(pick).issue())

    @rule(pick=PICK, amount=AMOUNTS, method=st.sampled_from(["wallet", "manual", "slow"]))
    def pay(self, pick: int, amount: Decimal, method: str) -> None:
        money = Money(amount, "EUR")
        self.attempt(lambda: payments.pay(self.invoice(pick), money, method=method, by=None))

    @rule(pick=PICK)
    def mark_paid(self, pick: int) -> None:
        self.attempt(lambda: payments.mark_paid(self.invoice(pick), by=None))

    @rule(pick=PICK, amount=AMOUNTS, again=st.booleans())
    def told_from_outside(self, pick: int, amount: Decimal, again: bool) -> None:
        reference = f"T{0 if again else next(self.references)}"
        self.attempt(
            lambda: payments.receive_external(
                self.invoice(pick),
                amount=amount,
                reference=reference,
                date=date(2026, 1, 1),
                method="xero",
            )
        )

    @rule(pick=PICK, comes=st.booleans())
    def word_of_a_payment(self, pick: int, comes: bool) -> None:
        rows = list(Payment.objects.of(self.account.website).order_by("id"))
        if rows:
            payment = rows[pick % len(rows)]
            self.attempt(payment.succeed if comes else lambda: payment.fail("declined"))

    @rule(pick=PICK)
    def void(self, pick: int) -> None:
        self.attempt(lambda: self.invoice(pick).void(reason="mistake"))

    @rule(pick=PICK)
    def write_off(self, pick: int) -> None:
        self.attempt(lambda: self.invoice(pick).write_off(reason="bankrupt"))

    @rule(amount=AMOUNTS)
    def credit(self, amount: Decimal) -> None:
        wallet = Wallet.of(self.account, "EUR")
        wallet.credit(Money(amount, "EUR"), WalletEntry.Reason.CREDIT)
        self.credited += amount

    @invariant()
    def lines_are_totals(self) -> None:
        for invoice in self.invoices():
            parts = invoice.breakdown()
            assert invoice.subtotal + invoice.tax == invoice.amount
            assert sum((part.gross for part in parts), Decimal(0)) == invoice.amount

    @invariant()
    def nothing_is_overpaid(self) -> None:
        for invoice in self.invoices():
            given = sum((each.amount for each in invoice.allocations.all()), Decimal(0))
            assert given == invoice.amount_paid
            assert invoice.amount_due >= 0
            assert invoice.is_paid == (not invoice.is_draft and self.is_settled(invoice))

    @invariant()
    def every_cent_is_somewhere(self) -> None:
        came = [p for p in self.payments() if p.status == "succeeded" and p.method != "wallet"]
        arrived = sum((payment.amount for payment in came), self.credited)
        on_invoices = sum((each.amount for each in self.allocations()), Decimal(0))
        wallet = Wallet.objects.of(self.account.website).first()
        held = wallet.balance if wallet else Decimal(0)
        assert arrived == on_invoices + held
        if wallet:
            assert held == sum((entry.amount for entry in wallet.entries.all()), Decimal(0)) >= 0

    @invariant()
    def numbers_have_no_gap(self) -> None:
        numbers = sorted(int(i.number[-5:]) for i in self.invoices() if i.number)
        assert numbers == list(range(1, len(numbers) + 1))

    @invariant()
    def each_allocation_has_its_receipt(self) -> None:
        receipts = Email.objects.filter(key=PAYMENT_RECEIVED, website=self.account.website)
        assert receipts.count() == len(self.allocations())

    def attempt(self, act: Callable[[], object]) -> None:
        with contextlib.suppress(BillingError, IndexError):
            act()

    def invoices(self) -> list[Invoice]:
        return list(Invoice.objects.of(self.account.website).order_by("id"))

    def payments(self) -> list[Payment]:
        return list(Payment.objects.of(self.account.website))

    def allocations(self) -> list[Allocation]:
        return list(Allocation.objects.filter(invoice__website=self.account.website))

    def invoice(self, pick: int) -> Invoice:
        """One of those there are; `IndexError` without any."""
        rows = self.invoices()
        return rows[pick % len(rows) if rows else 0]

    def is_settled(self, invoice: Invoice) -> bool:
        return invoice.amount_paid == invoice.amount and invoice.status != Invoice.Status.VOID


@pytest.mark.django_db
def test_the_books_balance(request: pytest.FixtureRequest) -> None:
    methods.register(Slow())
    request.addfinalizer(lambda: methods._methods.pop("slow"))
    run_state_machine_as_test(
        Books, settings=settings(max_examples=15, stateful_step_count=30, deadline=None)
    )
