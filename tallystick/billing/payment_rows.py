"""Payment: money that came, or is to come. Allocation: what of it paid which invoice."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.models import Account
from tallystick.accounts.tenancy import TenantModel
from tallystick.billing import locks
from tallystick.billing.emails import PAYMENT_RECEIVED, Email
from tallystick.billing.errors import BillingError
from tallystick.billing.fields import AmountField
from tallystick.billing.invoices import Invoice
from tallystick.billing.states import PaymentStatus, WrongState, may_move
from tallystick.billing.wallets import Wallet, WalletEntry
from tallystick.events import record
from tallystick.kit import clock
from tallystick.kit.db.validators import validate_currency
from tallystick.kit.money import Money

if TYPE_CHECKING:
    from tallystick.people.models import User


class MoneyIsKept(BillingError):
    """Payments are not deleted."""


class Payment(TenantModel):
    """`invoice` is what it is meant for; its allocations say what it paid. `key` is its idempotency
    key, `reference` what the method or the provider calls it."""

    Status = PaymentStatus

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="payments")
    invoice = models.ForeignKey(
        Invoice, null=True, on_delete=models.PROTECT, related_name="payments"
    )
    method = models.CharField(_("method"), max_length=30)
    amount = AmountField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3, validators=[validate_currency])
    status = models.CharField(
        _("status"), max_length=10, choices=PaymentStatus, default=PaymentStatus.PENDING
    )
    reference = models.CharField(_("reference"), max_length=200, blank=True)
    key = models.CharField(max_length=255, editable=False)
    received_on = models.DateField(_("received on"), null=True)
    failure = models.CharField(_("failure"), max_length=250, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(_("made at"), default=clock.now, editable=False)
    succeeded_at = models.DateTimeField(_("succeeded at"), null=True, editable=False)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["website", "key"], name="payment_key_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_amount"),
            models.CheckConstraint(
                condition=Q(status__in=PaymentStatus.values), name="payment_status"
            ),
            models.CheckConstraint(
                condition=~Q(status="succeeded") | Q(succeeded_at__isnull=False),
                name="payment_succeeded_when",
            ),
        ]
        indexes = [models.Index(fields=["website", "created_at", "id"], name="payment_by_age")]

    def __str__(self) -> str:
        return f"{self.money} ({self.method})"

    @classmethod
    def client_filter(cls, user: User) -> Q:
        return Q(account__in=Account.objects.own(user))

    @classmethod
    def of(
        cls, invoice: Invoice, money: Money, *, method: str, key: str, reference: str = ""
    ) -> Payment:
        """A pending payment for `invoice`, not stored yet."""
        return cls(
            website_id=invoice.website_id,
            account=invoice.client,
            invoice=invoice,
            method=method,
            amount=money.rounded().amount,
            currency=money.currency,
            key=key,
            reference=reference,
        )

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency).rounded()

    @property
    def allocated(self) -> Money:
        """What of it paid invoices; the rest is in the wallet."""
        given = sum((allocation.amount for allocation in self.allocations.all()), Decimal(0))
        return Money(given, self.currency).rounded()

    def succeed(self, *, reference: str = "") -> None:
        """The money is there. A second time changes nothing."""
        with transaction.atomic():
            invoice = self._lock()
            if self.status == PaymentStatus.SUCCEEDED:
                return
            self.reference = reference or self.reference
            self.settle(invoice)

    def fail(self, reason: str) -> None:
        """It will not come. Raises `WrongState` when it has come already."""
        with transaction.atomic():
            self._lock()
            self._move_to(PaymentStatus.FAILED)
            self.failure = reason[:250]
            self.save(update_fields=["status", "failure"])
            record("payment.failed", self, change={"reason": self.failure})

    def cancel(self) -> None:
        with transaction.atomic():
            self._lock()
            self._move_to(PaymentStatus.CANCELLED)
            self.save(update_fields=["status"])
            record("payment.cancelled", self)

    def settle(self, invoice: Invoice | None) -> None:
        """Use the money: for `invoice`, which the caller has locked, as far as that is due; the rest
        for the wallet. With journal and receipt."""
        self._move_to(PaymentStatus.SUCCEEDED)
        self.succeeded_at, self.failure = clock.now(), ""
        self.received_on = self.received_on or self.website.today()
        self.save(update_fields=["status", "succeeded_at", "received_on", "reference", "failure"])
        share = min(invoice.amount_due, self.amount) if invoice else Decimal(0)
        record(
            "payment.succeeded",
            self,
            change={"amount": self.amount, "currency": self.currency, "allocated": share},
        )
        if invoice and share:
            Allocation.objects.create(payment=self, invoice=invoice, amount=share)
            invoice.settle(share, self.succeeded_at)
            Email.queue(PAYMENT_RECEIVED, invoice, self)
        if share < self.amount:
            self._credit(Money(self.amount - share, self.currency))

    def delete(self, *args: object, **kwargs: object) -> tuple[int, dict[str, int]]:
        raise MoneyIsKept

    def _credit(self, surplus: Money) -> None:
        Wallet.of(self.account, self.currency).credit(
            surplus.rounded(),
            WalletEntry.Reason.SURPLUS,
            payment=self,
            key=f"surplus:{self.uid.hex}",
        )

    def _lock(self) -> Invoice | None:
        """Hold invoice and payment, in this order, as they are now in the database."""
        invoice = self.invoice
        if invoice:
            invoice.lock()
        locks.hold(self)
        return invoice

    def _move_to(self, status: PaymentStatus) -> None:
        if not may_move(self.status, status):
            raise WrongState(f"The payment is {self.get_status_display()}.")
        self.status = status


class Allocation(models.Model):
    """`amount` of `payment` went to `invoice`. Added to, never changed."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="allocations")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="allocations")
    amount = AmountField(_("amount"))
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["payment", "invoice"], name="allocation_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="allocation_amount"),
        ]

    def __str__(self) -> str:
        return f"{self.payment} for {self.invoice}"
