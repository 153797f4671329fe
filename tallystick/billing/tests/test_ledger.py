"""Whatever is done with invoices, payments and wallets, in whatever order: the books balance (R8).

`LEDGER_STEPS=200000` in the environment has as many steps done as that says.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from typing import TypeVar

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, settings
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
from tallystick.billing.credit_notes import Ask, CreditNote, issue_credit_note
from tallystick.billing.disputes import Dispute
from tallystick.billing.doctoring import examine
from tallystick.billing.emails import PAYMENT_RECEIVED, PAYMENT_REFUNDED, Email
from tallystick.billing.errors import BillingError
from tallystick.billing.holds import WalletHold, release_expired
from tallystick.billing.invoices import Invoice
from tallystick.billing.payment_rows import Allocation, Payment
from tallystick.billing.refunds import Refund
from tallystick.billing.tests import making
from tallystick.billing.tests.test_payments import Slow
from tallystick.billing.wallets import Wallet, WalletEntry
from tallystick.events import chain
from tallystick.kit import clock
from tallystick.kit.clock import VirtualClock
from tallystick.kit.money import Money, MoneyError

AMOUNTS = st.decimals("0.01", "300", places=2)
PICK = st.integers(0, 30)
METHODS = st.sampled_from(["wallet", "manual", "slow"])
DAY = date(2026, 1, 1)
STEPS = 50
# Making a failing example smaller takes minutes: by option.
PHASES = [phase for phase in Phase if phase != Phase.shrink or os.environ.get("LEDGER_SHRINK")]
CAME = {"succeeded", "refunded", "disputed"}
ZERO = Decimal(0)

steps_done = itertools.count()


class Books(RuleBasedStateMachine):
    """Refusals are part of the game; what is done after them must be as if they had not been."""

    account: Account

    @initialize()
    def open(self) -> None:
        self.stack = contextlib.ExitStack()
        self.clock = self.stack.enter_context(clock.use(VirtualClock()))
        self.stack.enter_context(_undone())
        website = making.website(allow_part_payments=True)
        self.account = making.account(website)
        self.credited = ZERO
        self.changes = -1
        self.ids = itertools.count(1)

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            with self.stack:
                if not connection.needs_rollback:
                    self.journal_verifies()
                    self.is_healthy()

    # What happens to invoices.

    @rule(prices=st.lists(st.decimals("-20", "200", places=2), max_size=4))
    def draft(self, prices: list[Decimal]) -> None:
        rate = making.tax(self.account.website)
        lines = [making.line(str(price), tax_rate=rate) for price in prices]
        Invoice.objects.draft(account=self.account, lines=lines)

    @rule(price=st.decimals("1", "200", places=2))
    def issue_new(self, price: Decimal) -> None:
        rate = making.tax(self.account.website)
        making.issued(self.account, making.line(str(price), tax_rate=rate))

    @rule(pick=PICK)
    def issue(self, pick: int) -> None:
        self.attempt(lambda: self.invoice(pick).issue())

    @rule(pick=PICK)
    def void(self, pick: int) -> None:
        self.attempt(lambda: self.invoice(pick).void(reason="mistake"))

    @rule(pick=PICK)
    def write_off(self, pick: int) -> None:
        self.attempt(lambda: self.invoice(pick).write_off(reason="bankrupt"))

    @rule(pick=PICK, amount=st.none() | AMOUNTS, refund=st.booleans())
    def credit(self, pick: int, amount: Decimal | None, refund: bool) -> None:
        ask: Ask = {"refund": refund}
        if amount is not None:
            ask["amount"] = Money(amount, "EUR")
        self.attempt(
            lambda: issue_credit_note(self.invoice(pick), reason="returned", by=None, **ask)
        )

    # What happens to payments.

    @rule(pick=PICK, amount=AMOUNTS, method=METHODS)
    def pay(self, pick: int, amount: Decimal, method: str) -> None:
        money = Money(amount, "EUR")
        self.attempt(lambda: payments.pay(self.invoice(pick), money, method=method, by=None))

    @rule(pick=PICK, method=METHODS)
    def pay_whole(self, pick: int, method: str) -> None:
        def pay() -> None:
            invoice = self.invoice(pick)
            payments.pay(invoice, invoice.due, method=method, by=None)

        self.attempt(pay)

    @rule(
        picks=st.lists(PICK, min_size=1, max_size=4),
        parts=st.lists(st.integers(1, 4), min_size=4, max_size=4),
        extra=st.just(ZERO) | AMOUNTS,
        method=METHODS,
    )
    def pay_many(self, picks: list[int], parts: list[int], extra: Decimal, method: str) -> None:
        rows = [invoice for invoice in self.invoices() if invoice.amount_due > 0]
        chosen = {rows[pick % len(rows)].pk: rows[pick % len(rows)] for pick in picks if rows}
        shares = [
            (row, row.money(row.amount_due / part).amount)
            for row, part in zip(chosen.values(), parts, strict=False)
        ]
        self.attempt(
            lambda: payments.pay_many(self.account, shares, method=method, by=None, extra=extra)
        )

    @rule(pick=PICK, amount=AMOUNTS, again=st.booleans())
    def told_from_outside(self, pick: int, amount: Decimal, again: bool) -> None:
        reference = f"T{0 if again else next(self.ids)}"
        self.attempt(
            lambda: payments.receive_external(
                self.invoice(pick), amount=amount, reference=reference, date=DAY, method="xero"
            )
        )

    @rule(pick=PICK, came=st.none() | AMOUNTS)
    def succeeds(self, pick: int, came: Decimal | None) -> None:
        money = None if came is None else Money(came, "EUR")
        self.attempt(lambda: self.payment(pick).succeed(money=money))

    @rule(pick=PICK, word=st.sampled_from(["process", "fail", "cancel"]))
    def word_of_a_payment(self, pick: int, word: str) -> None:
        def say() -> None:
            payment = self.payment(pick)
            payment.fail("no") if word == "fail" else getattr(payment, word)()

        self.attempt(say)

    @rule(pick=PICK, amount=st.none() | AMOUNTS)
    def refund(self, pick: int, amount: Decimal | None) -> None:
        money = None if amount is None else Money(amount, "EUR")
        self.attempt(lambda: payments.refund(self.payment(pick), money, by=None, reason="returned"))

    @rule(pick=PICK, amount=AMOUNTS, again=st.booleans())
    def refunded_outside(self, pick: int, amount: Decimal, again: bool) -> None:
        reference = f"R{0 if again else next(self.ids)}"
        self.attempt(
            lambda: payments.receive_external_refund(
                self.payment(pick), amount=amount, reference=reference, date=DAY
            )
        )

    @rule(pick=PICK, arrives=st.booleans())
    def word_of_a_refund(self, pick: int, arrives: bool) -> None:
        rows = list(Refund.objects.of(self.account.website).order_by("id"))
        if rows:
            row = rows[pick % len(rows)]
            self.attempt(row.succeed if arrives else lambda: row.fail("account closed"))

    @rule(pick=PICK)
    def dispute(self, pick: int) -> None:
        self.attempt(lambda: self.payment(pick).dispute("fraudulent"))

    @rule(pick=PICK, won=st.booleans())
    def decide(self, pick: int, won: bool) -> None:
        rows = [payment for payment in self.payments() if payment.status == "disputed"]
        rows = rows or self.payments()
        if rows:
            row = rows[pick % len(rows)]
            self.attempt(row.win_dispute if won else row.lose_dispute)

    # What happens to the wallet.

    @rule(amount=AMOUNTS)
    def fund(self, amount: Decimal) -> None:
        self.wallet().credit(Money(amount, "EUR"), WalletEntry.Reason.CREDIT)
        self.credited += amount

    @rule(amount=AMOUNTS, expires=st.booleans())
    def hold(self, amount: Decimal, expires: bool) -> None:
        until = clock.now() + timedelta(hours=1) if expires else None
        key = f"h{next(self.ids)}"
        self.attempt(
            lambda: self.wallet().hold(
                Money(amount, "EUR"), reason="booking", key=key, expires_at=until
            )
        )

    @rule(pick=PICK, amount=st.none() | AMOUNTS)
    def capture(self, pick: int, amount: Decimal | None) -> None:
        rows = list(WalletHold.objects.filter(wallet__account=self.account, cause="", state="held"))
        if rows:
            row = rows[pick % len(rows)]
            money = None if amount is None else Money(amount, "EUR")

            def take() -> None:
                self.credited += row.capture(money).amount

            self.attempt(take)

    @rule(pick=PICK)
    def release(self, pick: int) -> None:
        rows = list(WalletHold.objects.filter(wallet__account=self.account, cause=""))
        if rows:
            self.attempt(rows[pick % len(rows)].release)

    @rule()
    def time_passes(self) -> None:
        self.clock.advance(timedelta(hours=2))
        release_expired()

    @invariant()
    def the_books_balance(self) -> None:
        next(steps_done)
        if self.nothing_was_written():
            return
        now = Snapshot(self.account)
        now.lines_are_totals()
        now.invoices_balance()
        now.payments_balance()
        now.every_cent_is_somewhere(self.credited)
        now.the_wallet_is_its_entries()
        now.numbers_have_no_gap()
        now.one_mail_each()

    def is_healthy(self) -> None:
        assert not [str(finding) for _check, finding in examine([self.account.website])]

    def nothing_was_written(self) -> bool:
        """Not even something that was undone. SQLite counts; elsewhere there is no telling."""
        if connection.vendor != "sqlite":
            return False
        before, self.changes = self.changes, connection.connection.total_changes
        return before == self.changes

    def journal_verifies(self) -> None:
        while chain.seal():
            pass
        call_command("verify_journal", verbosity=0, stdout=StringIO())

    def attempt(self, act: Callable[[], object]) -> None:
        with contextlib.suppress(BillingError, MoneyError, NothingThere):
            act()

    def wallet(self) -> Wallet:
        return Wallet.of(self.account, "EUR")

    def invoices(self) -> list[Invoice]:
        return list(Invoice.objects.of(self.account.website).order_by("id"))

    def payments(self) -> list[Payment]:
        return list(Payment.objects.of(self.account.website).order_by("id"))

    def invoice(self, pick: int) -> Invoice:
        return _picked(self.invoices(), pick)

    def payment(self, pick: int) -> Payment:
        return _picked(self.payments(), pick)


class Snapshot:
    """All rows of an account, read once, and what must be true of them."""

    def __init__(self, account: Account) -> None:
        at = account.website
        self.invoices = list(Invoice.objects.of(at).prefetch_related("lines"))
        self.notes = list(CreditNote.objects.of(at).prefetch_related("lines"))
        self.payments = list(Payment.objects.of(at))
        self.allocations = list(Allocation.objects.filter(invoice__website=at).order_by("id"))
        self.refunds = list(Refund.objects.of(at))
        self.disputes = list(Dispute.objects.filter(payment__account=account))
        self.wallet = Wallet.objects.of(at).first()
        self.entries = list(WalletEntry.objects.filter(wallet=self.wallet).order_by("id"))
        self.holds = list(WalletHold.objects.filter(wallet=self.wallet, state="held"))
        mails = Email.objects.filter(website=at).values_list("key", "payment")
        self.mails = list(mails.filter(payment__isnull=False))

    def lines_are_totals(self) -> None:
        documents: list[Invoice | CreditNote] = [*self.invoices, *self.notes]
        for document in documents:
            parts = document.breakdown()
            assert document.subtotal + document.tax == document.amount
            assert added(part.gross for part in parts) == document.amount

    def invoices_balance(self) -> None:
        for invoice in self.invoices:
            rows = [row for row in self.allocations if row.invoice_id == invoice.pk]
            notes = [note for note in self.notes if note.invoice_id == invoice.pk]
            assert added(row.amount for row in rows) == invoice.amount_paid >= 0
            assert added(note.amount for note in notes) == invoice.amount_credited
            assert invoice.amount_due >= 0
            assert invoice.is_draft or invoice.open_amount >= 0
            for payment in {row.payment_id for row in rows}:
                assert added(row.amount for row in rows if row.payment_id == payment) >= 0
            if not invoice.is_draft and invoice.status != "void":
                assert invoice.is_paid == (not invoice.open_amount)

    def payments_balance(self) -> None:
        """What came is in use, was refunded, is in the wallet, or at a bank that decides."""
        for payment in self.payments:
            used, kept = self.used(payment), self.kept(payment)
            went = payment.amount_refunded
            assert min(used, kept, went) >= 0
            if payment.status not in CAME:
                assert (used, kept, went) == (ZERO, ZERO, ZERO)
                continue
            limbo = self.limbo(payment)
            if payment.status == "disputed":
                assert limbo >= used == 0
            else:
                assert limbo == 0
            refunds = [refund for refund in self.refunds if refund.payment_id == payment.pk]
            done = added(refund.amount for refund in refunds if refund.status == "succeeded")
            lost = [d for d in self.disputes if (d.payment_id, d.state) == (payment.pk, "lost")]
            bounced = [r for r in refunds if r.status == "failed" and r.succeeded_at]
            if not bounced:
                assert went == done + added(dispute.amount for dispute in lost)
            due_back = added(refund.amount for refund in refunds if refund.status == "pending")
            assert due_back + went <= payment.amount
            holds = [hold for hold in self.holds if hold.payment_id == payment.pk]
            promised = due_back - added(h.amount for h in holds if h.cause.startswith("refund:"))
            assert promised <= used + limbo

    def every_cent_is_somewhere(self, credited: Decimal) -> None:
        came = [payment for payment in self.payments if payment.status in CAME]
        arrived = added(payment.amount for payment in came if payment.method != "wallet")
        left = added(self.left(payment) for payment in came)
        owed = added(payment.shortfall for payment in came)
        owed -= added(dispute.missing for dispute in self.disputes if dispute.state == "open")
        on_invoices = added(row.amount for row in self.allocations)
        limbo = added(self.limbo(payment) for payment in came)
        balance = self.wallet.balance if self.wallet else ZERO
        assert credited + arrived + owed - left == on_invoices + balance + limbo

    def the_wallet_is_its_entries(self) -> None:
        if self.wallet:
            assert self.wallet.balance == added(entry.amount for entry in self.entries)
            assert self.wallet.held == added(hold.amount for hold in self.holds)
            assert self.wallet.balance >= self.wallet.held >= 0

    def numbers_have_no_gap(self) -> None:
        issued = [invoice.number for invoice in self.invoices if invoice.number]
        for numbers in (issued, [note.number for note in self.notes]):
            assert sorted(int(n[-5:]) for n in numbers) == list(range(1, len(numbers) + 1))

    def one_mail_each(self) -> None:
        """One receipt for whatever came for an invoice, one mail for each refund that went out."""
        receipts = [payment for key, payment in self.mails if key == PAYMENT_RECEIVED]
        assert len(receipts) == len(set(receipts))
        came = [row for row in self.payments if row.succeeded_at and row.about]
        assert set(receipts) == {row.pk for row in came}
        refunded = [payment for key, payment in self.mails if key == PAYMENT_REFUNDED]
        assert len(refunded) >= len([r for r in self.refunds if r.status == "succeeded"])

    def used(self, payment: Payment) -> Decimal:
        return added(row.amount for row in self.allocations if row.payment_id == payment.pk)

    def kept(self, payment: Payment) -> Decimal:
        entries = [entry for entry in self.entries if entry.payment_id == payment.pk]
        return added(e.amount for e in entries if e.reason in WalletEntry.OF_PAYMENT)

    def limbo(self, payment: Payment) -> Decimal:
        open_ = [d for d in self.disputes if (d.payment_id, d.state) == (payment.pk, "open")]
        came = payment.amount + payment.shortfall - added(dispute.missing for dispute in open_)
        return came - payment.amount_refunded - self.used(payment) - self.kept(payment)

    def left(self, payment: Payment) -> Decimal:
        """What left us for good: of a payment from the wallet, what did not go back there."""
        back = [e for e in self.entries if (e.payment_id, e.reason) == (payment.pk, "refund")]
        return payment.amount_refunded - added(entry.amount for entry in back)


def added(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)


class NothingThere(Exception):
    """Nothing to pick from yet."""


M = TypeVar("M")


def _picked(rows: list[M], pick: int) -> M:
    if not rows:
        raise NothingThere
    return rows[pick % len(rows)]


@contextlib.contextmanager
def _undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def run(steps: int, each: int) -> None:
    methods.register(Slow())
    try:
        run_state_machine_as_test(
            Books,
            settings=settings(
                max_examples=max(steps // each, 1),
                stateful_step_count=each,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                phases=PHASES,
            ),
        )
    finally:
        methods._methods.pop("slow")


@pytest.mark.django_db
def test_the_books_balance() -> None:
    run(600, each=30)


@pytest.mark.slow
@pytest.mark.django_db
def test_the_books_balance_for_long(capsys: pytest.CaptureFixture[str]) -> None:
    wanted, before = int(os.environ.get("LEDGER_STEPS", "2000")), next(steps_done)
    while next(steps_done) - before < wanted:
        run(wanted, each=STEPS)
    with capsys.disabled():
        print(f"{next(steps_done) - before} steps")  # noqa: T201 - the figure of R8
