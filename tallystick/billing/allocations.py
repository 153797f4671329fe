"""Allocation: what of a payment went to an invoice, or came back from it. PaymentShare: what was meant
to go there."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tallystick.billing.fields import AmountField
from tallystick.billing.invoices import Invoice
from tallystick.kit import clock

if TYPE_CHECKING:
    from tallystick.billing.payment_rows import Payment

M = TypeVar("M", bound=models.Model)


class Allocation(models.Model):
    """`amount` of `payment` went to `invoice`; below zero: was taken back from it. Added to, never
    changed. `cause` says what took it back: "refund:", "dispute:", "credit_note:" and its uid.

    Those of an invoice add up to its `amount_paid`, those of a payment to what of it is in use."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    payment = models.ForeignKey(
        "billing.Payment", on_delete=models.PROTECT, related_name="allocations"
    )
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="allocations")
    amount = AmountField(_("amount"))
    cause = models.CharField(_("cause"), max_length=60, blank=True, editable=False)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="allocation_amount"),
            models.CheckConstraint(
                condition=Q(amount__gt=0) | ~Q(cause=""), name="allocation_taken_back_why"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payment} for {self.invoice}"


class PaymentShare(models.Model):
    """At most `amount` of `payment` is meant for `invoice`, when it comes."""

    payment = models.ForeignKey("billing.Payment", on_delete=models.PROTECT, related_name="shares")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="+")
    amount = AmountField(_("amount"))

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["payment", "invoice"], name="payment_share_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_share_amount"),
        ]

    def __str__(self) -> str:
        return f"{self.amount.normalize():f} for {self.invoice}"


def by_invoice(payment: Payment) -> list[tuple[Invoice, Decimal]]:
    """What `payment` pays of which invoice, all in all; the one that it went to last comes last."""
    rows = payment.allocations.select_related("invoice").order_by("id")
    return _summed((row.invoice, row.amount) for row in rows)


def by_payment(invoice: Invoice) -> list[tuple[Payment, Decimal]]:
    """Which payments pay `invoice`, and what of it, all in all; the last to come comes last."""
    rows = invoice.allocations.select_related("payment").order_by("id")
    return _summed((row.payment, row.amount) for row in rows)


def _summed(rows: Iterable[tuple[M, Decimal]]) -> list[tuple[M, Decimal]]:
    totals: dict[M, Decimal] = {}
    for row, amount in rows:
        # What was given last stands last.
        total = totals.pop(row, Decimal(0)) if amount > 0 else totals.get(row, Decimal(0))
        totals[row] = total + amount
    return [(row, total) for row, total in totals.items() if total]
