"""The states of invoices and payments, and the only ways from one to another."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from tallystick.billing.errors import BillingError


class WrongState(BillingError):
    """This cannot be done in the state it is in."""


class InvoiceStatus(models.TextChoices):
    DRAFT = "draft", _("draft")
    OPEN = "open", _("open")
    PARTIALLY_PAID = "partially_paid", _("partially paid")
    PAID = "paid", _("paid")
    VOID = "void", _("void")
    UNCOLLECTIBLE = "uncollectible", _("uncollectible")


class PaymentStatus(models.TextChoices):
    PENDING = "pending", _("pending")
    PROCESSING = "processing", _("processing")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")
    REFUNDED = "refunded", _("refunded")
    DISPUTED = "disputed", _("disputed")


class RefundStatus(models.TextChoices):
    PENDING = "pending", _("pending")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")


_I, _P = InvoiceStatus, PaymentStatus

INVOICE_MOVES: dict[InvoiceStatus, frozenset[InvoiceStatus]] = {
    # Straight to paid: nothing to pay (a total of zero), or all of it at once.
    _I.DRAFT: frozenset({_I.OPEN, _I.PAID}),
    _I.OPEN: frozenset({_I.OPEN, _I.PARTIALLY_PAID, _I.PAID, _I.VOID, _I.UNCOLLECTIBLE}),
    _I.PARTIALLY_PAID: frozenset({_I.PARTIALLY_PAID, _I.PAID, _I.OPEN, _I.UNCOLLECTIBLE}),
    # Backwards when money is refunded or disputed; void where there was nothing to pay; paid still
    # when a credit note takes the place of a payment.
    _I.PAID: frozenset({_I.PAID, _I.PARTIALLY_PAID, _I.OPEN, _I.VOID}),
    _I.VOID: frozenset(),
    # Written off, and paid after all.
    _I.UNCOLLECTIBLE: frozenset({_I.PARTIALLY_PAID, _I.PAID, _I.OPEN, _I.VOID}),
}

PAYMENT_MOVES: dict[PaymentStatus, frozenset[PaymentStatus]] = {
    _P.PENDING: frozenset({_P.PROCESSING, _P.SUCCEEDED, _P.FAILED, _P.CANCELLED}),
    _P.PROCESSING: frozenset({_P.SUCCEEDED, _P.FAILED, _P.CANCELLED}),
    _P.SUCCEEDED: frozenset({_P.REFUNDED, _P.DISPUTED}),
    # A provider may say that it worked after it said that it did not.
    _P.FAILED: frozenset({_P.SUCCEEDED}),
    _P.CANCELLED: frozenset({_P.SUCCEEDED}),
    # A refund that did not arrive came back.
    _P.REFUNDED: frozenset({_P.SUCCEEDED}),
    _P.DISPUTED: frozenset({_P.SUCCEEDED, _P.REFUNDED}),
}

PAYABLE = frozenset({_I.OPEN, _I.PARTIALLY_PAID, _I.UNCOLLECTIBLE})


def may_move(
    before: InvoiceStatus | PaymentStatus | str, after: InvoiceStatus | PaymentStatus
) -> bool:
    if isinstance(after, InvoiceStatus):
        return after in INVOICE_MOVES[InvoiceStatus(before)]
    return after in PAYMENT_MOVES[PaymentStatus(before)]
