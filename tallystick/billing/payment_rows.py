"""Payment: money that came, or is to come. What of it paid which invoice: see `allocations`."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.models import Account
from tallystick.accounts.tenancy import TenantModel
from tallystick.billing import disputes, locks, statistics, taking_back
from tallystick.billing.allocations import Allocation, PaymentShare
from tallystick.billing.emails import PAYMENT_RECEIVED, Email
from tallystick.billing.errors import BillingError
from tallystick.billing.fields import AmountField
from tallystick.billing.invoices import Invoice
from tallystick.billing.refusals import WrongCurrency, check_amount
from tallystick.billing.states import PaymentStatus, WrongState, may_move
from tallystick.billing.wallets import Wallet, WalletEntry
from tallystick.events import record
from tallystick.kit import clock
from tallystick.kit.db.validators import validate_currency
from tallystick.kit.money import Money

if TYPE_CHECKING:
    from tallystick.people.models import User

__all__ = ["Allocation", "MoneyIsKept", "Payment", "PaymentShare"]

logger = logging.getLogger(__name__)

Uses = Sequence[tuple[Invoice, Decimal]]
_OVER = frozenset({PaymentStatus.FAILED, PaymentStatus.CANCELLED})


class MoneyIsKept(BillingError):
    """Payments are not deleted."""


class Payment(TenantModel):
    """`invoice` is what it is meant for, or its `shares` are; its allocations say what it paid. `key`
    is its idempotency key, `reference` what the method or the provider calls it, `link` the digest
    of the payment link that it came by.

    `amount` is what really came; `expected` what was asked for, where that was something else. What
    came is in use, was refunded, or went to the wallet. `shortfall`: what went back to who paid
    though it had been used from the wallet by then, and what a dispute would take so."""

    Status = PaymentStatus

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="payments")
    invoice = models.ForeignKey(
        Invoice, null=True, on_delete=models.PROTECT, related_name="payments"
    )
    method = models.CharField(_("method"), max_length=30)
    amount = AmountField(_("amount"))
    expected = models.DecimalField(_("expected"), max_digits=19, decimal_places=4, null=True)
    amount_refunded = AmountField(_("refunded"), default=Decimal(0), editable=False)
    shortfall = AmountField(_("shortfall"), default=Decimal(0), editable=False)
    currency = models.CharField(_("currency"), max_length=3, validators=[validate_currency])
    status = models.CharField(
        _("status"), max_length=10, choices=PaymentStatus, default=PaymentStatus.PENDING
    )
    reference = models.CharField(_("reference"), max_length=200, blank=True)
    link = models.CharField(max_length=64, blank=True, editable=False)
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
                condition=Q(
                    amount_refunded__gte=0, amount_refunded__lte=F("amount"), shortfall__gte=0
                ),
                name="payment_refunded_within",
            ),
            models.CheckConstraint(
                condition=Q(status__in=PaymentStatus.values), name="payment_status"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["succeeded", "refunded", "disputed"])
                | Q(succeeded_at__isnull=False),
                name="payment_succeeded_when",
            ),
            models.CheckConstraint(
                condition=~Q(status="refunded") | Q(amount_refunded=F("amount")),
                name="payment_refunded_is_refunded",
            ),
        ]
        indexes = [
            models.Index(fields=["website", "created_at", "id"], name="payment_by_age"),
            models.Index(
                fields=["website", "status", "created_at", "id"], name="payment_by_status"
            ),
            models.Index(fields=["account", "created_at", "id"], name="payment_by_account"),
        ]

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
    def asked(self) -> Decimal:
        """What it was to be."""
        return self.amount if self.expected is None else self.expected

    @property
    def allocated(self) -> Money:
        """What of it pays invoices now."""
        return self._sum(self.allocations.values_list("amount", flat=True))

    @property
    def in_wallet(self) -> Money:
        """What of it went to the wallet and did not leave it as a refund; it may have been used."""
        kept = self.wallet_entries.filter(reason__in=WalletEntry.OF_PAYMENT)
        return self._sum(kept.values_list("amount", flat=True))

    @property
    def surplus(self) -> Money:
        """What of it was more than was due when it came."""
        kept = self.wallet_entries.filter(key=f"surplus:{self.uid.hex}")
        return self._sum(kept.values_list("amount", flat=True))

    @property
    def refunding(self) -> Money:
        """What is on its way back."""
        return self._sum(self.refunds.filter(status="pending").values_list("amount", flat=True))

    @property
    def kept(self) -> Money:
        """What was not refunded and is not on its way back; it may have been used."""
        return self.money - self.money_of(self.amount_refunded) - self.refunding

    @property
    def refundable(self) -> Money:
        """What may still be refunded: what is kept, less what has been used from the wallet."""
        if self.status != PaymentStatus.SUCCEEDED:
            return Money.zero(self.currency)
        return min(self.kept, self.money_of(taking_back.in_sight(self)))

    @property
    def about(self) -> Invoice | None:
        """The invoice that it is meant for, or the first of several."""
        if self.invoice_id:
            return self.invoice
        share = self.shares.select_related("invoice").first()
        return share.invoice if share else None

    def process(self, *, reference: str = "") -> None:
        """It is on its way. Changes nothing unless it is pending."""
        with transaction.atomic():
            self.lock()
            if self.status != PaymentStatus.PENDING:
                return
            self.move_to(PaymentStatus.PROCESSING)
            self.reference = reference or self.reference
            self.save(update_fields=["status", "reference"])
            record("payment.processing", self)

    def succeed(self, *, reference: str = "", money: Money | None = None) -> None:
        """The money is there, also where it had failed. A second time changes nothing.

        `money` is what came, as the provider says: where that is not what was asked for, it is what
        the payment is from now on, and as much is settled. Raises `WrongCurrency`, `BadAmount`."""
        with transaction.atomic():
            uses = self.lock()
            if self.succeeded_at is not None:
                if money not in (None, self.money):
                    logger.warning("payment %s: now %s there, %s here", self.uid, money, self.money)
                return
            if money is not None:
                self._take_amount(money)
            self.reference = reference or self.reference
            self.settle(uses)

    def fail(self, reason: str) -> None:
        """It will not come. Changes nothing when it has failed or was cancelled; raises `WrongState`
        when it has come."""
        with transaction.atomic():
            self.lock()
            if self.status in _OVER:
                return
            self.move_to(PaymentStatus.FAILED)
            self.failure = reason[:250]
            self.save(update_fields=["status", "failure"])
            record("payment.failed", self, change={"reason": self.failure})

    def cancel(self) -> None:
        """It is not wanted any more. Otherwise as `fail`."""
        with transaction.atomic():
            self.lock()
            if self.status in _OVER:
                return
            self.move_to(PaymentStatus.CANCELLED)
            self.save(update_fields=["status"])
            record("payment.cancelled", self)

    def dispute(self, reason: str, reference: str = "") -> None:
        """Who paid asks their bank for it back: what it paid is owed again, and what of it is in the
        wallet is held. Once at a time, and once per `reference`. Raises `WrongState`."""
        disputes.open_dispute(self, reason, reference)

    def win_dispute(self) -> None:
        """The bank found for us. A second time changes nothing. Raises `WrongState`."""
        disputes.win(self)

    def lose_dispute(self) -> None:
        """The bank found against us: it is refunded. A second time changes nothing. Raises
        `WrongState`."""
        disputes.lose(self)

    def settle(self, uses: Uses) -> None:
        """Use the money: for these invoices, which the caller has locked, so much of each at most and
        as far as it is due; the rest for the wallet. With journal and receipt."""
        self.move_to(PaymentStatus.SUCCEEDED)
        self.succeeded_at, self.failure = clock.now(), ""
        self.received_on = self.received_on or self.website.today()
        self.save(
            update_fields=[
                *("status", "amount", "expected", "succeeded_at", "received_on"),
                *("reference", "failure"),
            ]
        )
        statistics.note(self)
        shares = _divided(self.amount, uses)
        used = sum((share for _invoice, share in shares), Decimal(0))
        change = {"amount": self.amount, "currency": self.currency, "allocated": used}
        if self.expected is not None:
            change["expected"] = self.expected
        record("payment.succeeded", self, change=change)
        for invoice, share in shares:
            self.allocate(invoice, share)
        if about := shares[0][0] if shares else self.about:
            Email.queue(PAYMENT_RECEIVED, about, self)
        self.keep(self.amount - used, key=f"surplus:{self.uid.hex}")

    def allocate(self, invoice: Invoice, amount: Decimal) -> None:
        """`amount` of it pays `invoice`, which the caller has locked."""
        Allocation.objects.create(payment=self, invoice=invoice, amount=amount)
        invoice.settle(amount, clock.now())

    def keep(self, amount: Decimal, *, key: str = "") -> None:
        """Put `amount` of it in the wallet, once per `key` where there is one."""
        if amount:
            reason = WalletEntry.Reason.SURPLUS
            self.wallet().credit(self.money_of(amount), reason, payment=self, key=key)

    def wallet(self) -> Wallet:
        return Wallet.of(self.account, self.currency)

    def lock(self) -> Uses:
        """Hold the invoices that it is meant for, by id, and then itself, as they are now in the
        database. Returns what is meant for which."""
        shares = list(self.shares.select_related("invoice")) if self.pk else []
        uses = [(share.invoice, share.amount) for share in shares]
        if not shares and self.invoice:
            uses = [(self.invoice, self.invoice.amount)]
        for invoice, _share in sorted(uses, key=lambda use: use[0].pk):
            invoice.lock()
        locks.hold(self)
        return uses

    def delete(self, *args: object, **kwargs: object) -> tuple[int, dict[str, int]]:
        raise MoneyIsKept

    def _take_amount(self, money: Money) -> None:
        if money.currency != self.currency:
            raise WrongCurrency(f"{money} came for a payment in {self.currency}.")
        check_amount(money)
        if money != self.money:
            self.expected, self.amount = self.asked, money.rounded().amount

    def _sum(self, amounts: Iterable[Decimal]) -> Money:
        return self.money_of(sum(amounts, Decimal(0)))

    def money_of(self, amount: Decimal) -> Money:
        return Money(amount, self.currency).rounded()

    def move_to(self, status: PaymentStatus) -> None:
        """Take another state, not stored yet. Raises `WrongState`."""
        if not may_move(self.status, status):
            raise WrongState(f"The payment is {self.get_status_display()}.")
        self.status = status


def _divided(amount: Decimal, uses: Uses) -> list[tuple[Invoice, Decimal]]:
    """What of `amount` each gets: its share at most, as far as it is due, while there is some."""
    shares = []
    for invoice, most in uses:
        share = min(most, invoice.amount_due, amount)
        if share > 0:
            shares.append((invoice, share))
            amount -= share
    return shares
