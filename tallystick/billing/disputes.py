"""Dispute: who paid asks their bank for the money back, and the bank has taken it until it decides."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tallystick.billing import statistics, taking_back
from tallystick.billing.fields import AmountField
from tallystick.billing.states import PaymentStatus, WrongState
from tallystick.events import record
from tallystick.kit import clock

if TYPE_CHECKING:
    from tallystick.billing.payment_rows import Payment, Uses


class Dispute(models.Model):
    """While it is open, the invoices that `payment` paid are owed again, and what of it lies in the
    wallet is held. `amount`: what it is about, or went back by it. `missing`: what should lie in
    the wallet and had been used already."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        WON = "won", _("won")
        LOST = "lost", _("lost")

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    payment = models.ForeignKey(
        "billing.Payment", on_delete=models.PROTECT, related_name="disputes"
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPEN)
    reason = models.CharField(_("reason"), max_length=250, blank=True)
    reference = models.CharField(_("reference"), max_length=200, blank=True)
    amount = AmountField(_("amount"))
    missing = AmountField(_("missing"), default=Decimal(0))
    opened_at = models.DateTimeField(_("opened at"), default=clock.now, editable=False)
    closed_at = models.DateTimeField(_("closed at"), null=True, editable=False)

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["payment"], condition=Q(state="open"), name="dispute_open_once"
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=0, missing__gte=0), name="dispute_amount"
            ),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True)
                | (~Q(state="open") & Q(closed_at__isnull=False)),
                name="dispute_closed_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payment}: {self.get_state_display()}"

    @property
    def cause(self) -> str:
        return f"dispute:{self.uid.hex}"

    def close(self, state: State) -> None:
        with statistics.noting(self):
            self.state, self.closed_at = state, clock.now()
            self.amount = self.payment.amount - self.payment.amount_refunded
        self.save(update_fields=["state", "closed_at", "amount"])


def open_dispute(payment: Payment, reason: str, reference: str = "") -> None:
    with transaction.atomic():
        uses = payment.lock()
        if _is_known(payment, reference):
            return
        payment.move_to(PaymentStatus.DISPUTED)
        dispute = Dispute(payment=payment, reason=reason[:250], reference=reference)
        invoices = [invoice for invoice, _share in uses]
        taken = taking_back.from_invoices(
            payment, payment.amount, cause=dispute.cause, locked=invoices
        )
        there = taking_back.in_reach(payment)
        own = payment.in_wallet.amount - taking_back.held(payment)
        dispute.missing = own - there
        dispute.amount = payment.amount - payment.amount_refunded
        dispute.save()
        statistics.note(dispute)
        taking_back.hold(payment, there, cause=dispute.cause, reason=gettext("In dispute"))
        payment.shortfall += dispute.missing
        payment.save(update_fields=["status", "shortfall"])
        record(
            "payment.disputed",
            payment,
            change={
                "dispute": dispute.uid.hex,
                "amount": dispute.amount,
                "currency": payment.currency,
                "reopened": taken,
                "held": there,
                "missing": dispute.missing,
            },
        )


def win(payment: Payment) -> None:
    with transaction.atomic():
        uses = payment.lock()
        dispute = _decided(payment, Dispute.State.WON)
        if dispute is None:
            return
        limbo = taking_back.in_limbo(payment)
        taking_back.release(payment, dispute.cause)
        dispute.close(Dispute.State.WON)
        payment.shortfall -= dispute.missing
        is_refunded = payment.amount_refunded == payment.amount
        payment.move_to(PaymentStatus.REFUNDED if is_refunded else PaymentStatus.SUCCEEDED)
        payment.save(update_fields=["status", "shortfall"])
        record(
            "payment.dispute_won",
            payment,
            change={"dispute": dispute.uid.hex, "amount": limbo, "currency": payment.currency},
        )
        _restore(payment, dispute, limbo, uses)
        taking_back.reserve(payment)


def lose(payment: Payment) -> None:
    with transaction.atomic():
        payment.lock()
        dispute = _decided(payment, Dispute.State.LOST)
        if dispute is None:
            return
        for refund in payment.refunds.filter(status="pending"):
            refund.payment = payment
            refund.give_up(gettext("The payment was lost in a dispute."))
        taking_back.capture(payment, dispute.cause)
        taking_back.from_wallet(payment, payment.amount)
        dispute.close(Dispute.State.LOST)
        payment.amount_refunded = payment.amount
        payment.shortfall = payment.in_wallet.amount
        payment.move_to(PaymentStatus.REFUNDED)
        payment.save(update_fields=["status", "amount_refunded", "shortfall"])
        record(
            "payment.dispute_lost",
            payment,
            change={
                "dispute": dispute.uid.hex,
                "amount": dispute.amount,
                "currency": payment.currency,
                "shortfall": payment.shortfall,
            },
        )


def from_hold(payment: Payment, amount: Decimal) -> Decimal:
    """Take what is held for an open dispute, `amount` at most; returns how much that was."""
    taken = Decimal(0)
    for dispute in payment.disputes.filter(state=Dispute.State.OPEN):
        there = taking_back.held(payment, dispute.cause)
        taken = min(there, amount)
        if taken:
            taking_back.release(payment, dispute.cause)
            taking_back.from_wallet(payment, taken)
            taking_back.hold(
                payment, there - taken, cause=dispute.cause, reason=gettext("In dispute")
            )
    return taken


def _is_known(payment: Payment, reference: str) -> bool:
    if payment.status == PaymentStatus.DISPUTED:
        return True
    return bool(reference) and payment.disputes.filter(reference=reference).exists()


def _decided(payment: Payment, state: Dispute.State) -> Dispute | None:
    """The open dispute; None where the last one ended so already. Raises `WrongState`."""
    dispute = payment.disputes.first()
    if dispute is not None and dispute.state == Dispute.State.OPEN:
        return dispute
    if dispute is None or dispute.state != state:
        raise WrongState("The payment is not in dispute.")
    return None


def _restore(payment: Payment, dispute: Dispute, amount: Decimal, uses: Uses) -> None:
    """Give `amount` back to the invoices that it was taken from, as far as they are due; the rest to
    the wallet."""
    taken: dict[int, Decimal] = {}
    for row in payment.allocations.filter(cause=dispute.cause):
        taken[row.invoice_id] = taken.get(row.invoice_id, Decimal(0)) - row.amount
    for invoice, _most in uses:
        share = min(taken.get(invoice.pk, Decimal(0)), invoice.amount_due, amount)
        if share > 0:
            payment.allocate(invoice, share)
            amount -= share
    payment.keep(amount, key=f"{dispute.cause}:won")
