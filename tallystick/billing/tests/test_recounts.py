"""Whatever is done, in whatever order: the figures are what a recount of the documents says."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

import pytest
from django.db import transaction
from django.db.models import Model, QuerySet
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tallystick.accounts.models import Account, Website
from tallystick.billing import payments, refunds, statistic_recounts, statistic_rows, statistics
from tallystick.billing.credit_notes import CreditNote, issue_credit_note
from tallystick.billing.errors import BillingError
from tallystick.billing.invoices import Invoice
from tallystick.billing.payment_rows import Payment
from tallystick.billing.refunds import Refund
from tallystick.billing.statistic_rows import Kind, StatDay, StatDelta, StatMonth
from tallystick.billing.tests import making
from tallystick.kit import clock
from tallystick.kit.money import Money

M = TypeVar("M", bound=Model)
AMOUNTS = st.decimals("0.01", "150", places=2)
PICK = st.integers(0, 30)


class Histories(RuleBasedStateMachine):
    account: Account

    @initialize()
    def open(self) -> None:
        self.clock = clock.use(clock.VirtualClock())
        self.time = self.clock.__enter__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        website = making.website(allow_part_payments=True, time_zone="Pacific/Auckland")
        self.account = making.account(website)

    def teardown(self) -> None:
        if hasattr(self, "atomic"):
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)
            self.clock.__exit__(None, None, None)

    @rule(price=st.decimals("0", "150", places=2), due_in=st.integers(0, 200))
    def issue(self, price: Decimal, due_in: int) -> None:
        due = self.account.website.today() + timedelta(days=due_in)
        making.issued(self.account, making.line(str(price)), due_date=due)

    @rule(pick=PICK, amount=AMOUNTS, method=st.sampled_from(["wallet", "manual"]))
    def pay(self, pick: int, amount: Decimal, method: str) -> None:
        money = Money(amount, "EUR")
        self.attempt(lambda: payments.pay(self.invoice(pick), money, method=method, by=None))

    @rule(pick=PICK)
    def pay_all(self, pick: int) -> None:
        self.attempt(lambda: payments.mark_paid(self.invoice(pick), by=None))

    @rule(pick=PICK, amount=AMOUNTS, days=st.integers(0, 90))
    def come_from_outside(self, pick: int, amount: Decimal, days: int) -> None:
        day = self.account.website.today() - timedelta(days=days)
        self.attempt(
            lambda: payments.receive_external(
                self.invoice(pick), amount=amount, reference=f"T{pick}", date=day, method="xero"
            )
        )

    @rule(pick=PICK, amount=AMOUNTS)
    def credit(self, pick: int, amount: Decimal) -> None:
        money = Money(amount, "EUR")
        self.attempt(
            lambda: issue_credit_note(self.invoice(pick), reason="r", by=None, amount=money)
        )

    @rule(pick=PICK, amount=AMOUNTS)
    def refund(self, pick: int, amount: Decimal) -> None:
        money = Money(amount, "EUR")
        self.attempt(lambda: refunds.refund(self.payment(pick), money, by=None, reason="r"))

    @rule(pick=PICK)
    def refund_comes_back(self, pick: int) -> None:
        self.attempt(lambda: self.pick(Refund.objects.of(self.website), pick).fail("r"))

    @rule(pick=PICK)
    def dispute(self, pick: int) -> None:
        self.attempt(lambda: self.payment(pick).dispute("r"))

    @rule(pick=PICK, won=st.booleans())
    def decide(self, pick: int, won: bool) -> None:
        payment = self.payment
        self.attempt(lambda: (payment(pick).win_dispute if won else payment(pick).lose_dispute)())

    @rule(pick=PICK)
    def void(self, pick: int) -> None:
        self.attempt(lambda: self.invoice(pick).void(reason="r"))

    @rule(pick=PICK)
    def write_off(self, pick: int) -> None:
        self.attempt(lambda: self.invoice(pick).write_off(reason="r"))

    @rule(limit=st.integers(1, 20))
    def fold(self, limit: int) -> None:
        statistic_rows.fold(limit)

    @rule(hours=st.integers(1, 1000))
    def wait(self, hours: int) -> None:
        self.time.advance(timedelta(hours=hours))

    @invariant()
    def figures_are_the_recount(self) -> None:
        if hasattr(self, "account"):
            assert not list(statistic_recounts.differences(self.website))

    @invariant()
    def figures_are_the_documents(self) -> None:
        """Counted here in another way than the product's."""
        if not hasattr(self, "account"):
            return
        found = statistics.figures([self.website], currency="EUR")
        invoices = [each for each in Invoice.objects.of(self.website) if not each.is_draft]
        owed = [each for each in invoices if each.status in ("open", "partially_paid")]
        late = [each for each in owed if each.is_overdue(self.website.today())]
        assert found.invoiced.amount == total(each.amount for each in invoices)
        assert found.outstanding.number == found.unpaid.number == len(owed)
        assert found.outstanding.amount == total(each.amount_due for each in owed)
        assert found.overdue.amount == total(each.amount_due for each in late)
        assert found.overdue.number == len(late)
        notes = CreditNote.objects.of(self.website)
        assert found.credited.amount == total(note.amount for note in notes)
        given_up = found.voided.amount + found.written_off.amount
        settled = found.paid.amount + found.credited.amount + given_up
        assert found.invoiced.amount == settled + found.outstanding.amount
        came = Payment.objects.of(self.website).filter(succeeded_at__isnull=False)
        cash = [payment for payment in came if payment.method != "wallet"]
        assert found.collected.amount == total(payment.amount for payment in cash)
        back = found.refunded.amount + found.charged_back.amount
        assert back == total(payment.amount_refunded for payment in cash)

    @property
    def website(self) -> Website:
        return self.account.website

    def invoice(self, pick: int) -> Invoice:
        return self.pick(Invoice.objects.of(self.website), pick)

    def payment(self, pick: int) -> Payment:
        return self.pick(Payment.objects.of(self.website), pick)

    def pick(self, rows: QuerySet[M], pick: int) -> M:
        """Raises `LookupError` where there are none."""
        found = list(rows.order_by("pk"))
        if not found:
            raise LookupError
        return found[pick % len(found)]

    def attempt(self, deed: Callable[[], object]) -> None:
        with contextlib.suppress(BillingError, LookupError), transaction.atomic():
            deed()


def total(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


@pytest.mark.django_db
def test_figures_are_a_recount_after_any_history() -> None:
    run_state_machine_as_test(
        Histories, settings=settings(max_examples=15, stateful_step_count=25, deadline=None)
    )


def test_a_rebuild_puts_right_what_was_tampered_with(account: Account) -> None:
    payments.mark_paid(making.issued(account), by=None)
    statistic_rows.fold()
    making.issued(account)
    before = statistics.figures([account.website], currency="EUR")
    StatDay.objects.of(account.website).filter(kind=Kind.INVOICED).update(amount=1)
    StatMonth.objects.of(account.website).filter(kind=Kind.COLLECTED).delete()
    assert statistics.figures([account.website], currency="EUR") != before
    assert statistic_recounts.rebuild(account.website) == 2
    assert statistics.figures([account.website], currency="EUR") == before
    assert statistic_recounts.rebuild(account.website) == 0
    assert StatDelta.objects.of(account.website).exists()
