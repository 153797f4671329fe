"""Refund: money of a payment goes back to who paid it, in whole or in part."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.models import Account
from tallystick.accounts.tenancy import TenantModel
from tallystick.billing import disputes, locks, statistics, taking_back
from tallystick.billing.emails import PAYMENT_REFUNDED, Email
from tallystick.billing.fields import AmountField
from tallystick.billing.payment_rows import Payment, Uses
from tallystick.billing.refusals import NotRefundable
from tallystick.billing.states import PaymentStatus, RefundStatus
from tallystick.events import record
from tallystick.kit import clock
from tallystick.kit.db.validators import validate_currency
from tallystick.kit.money import Money

if TYPE_CHECKING:
    from tallystick.people.models import User


class Refund(TenantModel):
    """`amount` of `payment`. While it is pending, what of it lies in the wallet is held; invoices
    are owed again when it has succeeded."""

    Status = RefundStatus

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    amount = AmountField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3, validators=[validate_currency])
    status = models.CharField(
        _("status"), max_length=10, choices=RefundStatus, default=RefundStatus.PENDING
    )
    reason = models.CharField(_("reason"), max_length=250, blank=True)
    reference = models.CharField(_("reference"), max_length=200, blank=True)
    key = models.CharField(max_length=255, editable=False)
    failure = models.CharField(_("failure"), max_length=250, blank=True)
    refunded_on = models.DateField(_("refunded on"), null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(_("made at"), default=clock.now, editable=False)
    succeeded_at = models.DateTimeField(_("succeeded at"), null=True, editable=False)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["website", "key"], name="refund_key_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_amount"),
            models.CheckConstraint(
                condition=Q(status__in=RefundStatus.values), name="refund_status"
            ),
            models.CheckConstraint(
                condition=~Q(status="succeeded") | Q(succeeded_at__isnull=False),
                name="refund_succeeded_when",
            ),
        ]
        indexes = [models.Index(fields=["website", "created_at", "id"], name="refund_by_age")]

    def __str__(self) -> str:
        return f"{self.money} ({self.get_status_display()})"

    @classmethod
    def client_filter(cls, user: User) -> Q:
        return Q(payment__account__in=Account.objects.own(user))

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency).rounded()

    @property
    def cause(self) -> str:
        return f"refund:{self.uid.hex}"

    def succeed(self, *, reference: str = "", date: datetime.date | None = None) -> None:
        """The money has gone back, also where it had failed before. A second time changes nothing.
        Raises `NotRefundable` where a failed one is no longer covered by the payment."""
        with transaction.atomic():
            uses = self.lock()
            if self.status == RefundStatus.SUCCEEDED:
                return
            left = self.payment.amount - self.payment.amount_refunded
            if self.status == RefundStatus.FAILED and self.amount > left:
                raise NotRefundable
            self.reference = reference or self.reference
            self.refunded_on = date or self.refunded_on
            self.carry_out(uses)

    def fail(self, reason: str) -> None:
        """It did not go back, or came back: what it had taken is in the wallet then. A second time
        changes nothing."""
        with transaction.atomic():
            self.lock()
            if self.status == RefundStatus.FAILED:
                return
            came_back = self.status == RefundStatus.SUCCEEDED
            self.give_up(reason)
            if came_back:
                self._take_in()

    def lock(self) -> Uses:
        """Hold the payment, what it is for, and itself."""
        uses = self.payment.lock()
        locks.hold(self)
        return uses

    def carry_out(self, uses: Uses) -> None:
        """Take the money from where it is, and say so. Under `lock`."""
        payment = self.payment
        left = self._collect(uses)
        payment.shortfall += left
        payment.amount_refunded += self.amount
        whole = payment.amount_refunded == payment.amount
        if whole and payment.status == PaymentStatus.SUCCEEDED:
            payment.move_to(PaymentStatus.REFUNDED)
        payment.save(update_fields=["status", "amount_refunded", "shortfall"])
        with statistics.noting(self):
            self.status, self.succeeded_at, self.failure = RefundStatus.SUCCEEDED, clock.now(), ""
            self.refunded_on = self.refunded_on or self.website.today()
        self.save()
        record(
            "payment.refunded",
            payment,
            change={
                "refund": self.uid.hex,
                "amount": self.amount,
                "currency": self.currency,
                "shortfall": left,
            },
        )
        if about := payment.about:
            Email.queue(PAYMENT_REFUNDED, about, payment, refund=self)

    def give_up(self, reason: str) -> None:
        """It has failed: what was held for it is free again. Under `lock`."""
        taking_back.release(self.payment, self.cause)
        with statistics.noting(self):
            self.status, self.failure = RefundStatus.FAILED, reason[:250]
        self.save(update_fields=["status", "failure"])
        change = {"refund": self.uid.hex, "amount": self.amount, "currency": self.currency}
        record("payment.refund_failed", self.payment, change=change)

    def _collect(self, uses: Uses) -> Decimal:
        """Take what is held for it, what a bank keeps, what lies in the wallet, what pays invoices,
        in this order. Returns what could not be had."""
        payment, cause = self.payment, self.cause
        limbo = taking_back.in_limbo(payment)
        left = self.amount - taking_back.capture(payment, cause)
        left -= min(left, limbo)
        left -= disputes.from_hold(payment, left)
        left -= taking_back.from_wallet(payment, left)
        invoices = [invoice for invoice, _share in uses]
        return left - taking_back.from_invoices(payment, left, cause=cause, locked=invoices)

    def _take_in(self) -> None:
        payment = self.payment
        payment.amount_refunded -= self.amount
        # What an open dispute lacks stays its own: the bank has what came back, until it decides.
        covered = min(payment.shortfall - taking_back.missing(payment), self.amount)
        payment.shortfall -= covered
        if payment.status == PaymentStatus.REFUNDED:
            payment.move_to(PaymentStatus.SUCCEEDED)
        payment.save(update_fields=["status", "amount_refunded", "shortfall"])
        if payment.status != PaymentStatus.DISPUTED:
            payment.keep(self.amount - covered)
