"""Wallets: what an account has to its credit, as a ledger that is only ever added to."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.models import Account
from tallystick.accounts.tenancy import TenantModel
from tallystick.billing import locks, totals
from tallystick.billing.errors import BillingError
from tallystick.billing.fields import AmountField
from tallystick.billing.holds import WalletHold
from tallystick.events import record
from tallystick.kit import clock
from tallystick.kit.db.validators import validate_currency
from tallystick.kit.money import BadAmount, CurrencyMismatch, Money

if TYPE_CHECKING:
    from tallystick.billing.payments import Payment
    from tallystick.people.models import User


class InsufficientFunds(BillingError):
    """There is not enough in the wallet."""


class LedgerIsFixed(BillingError):
    """Entries of a wallet are neither changed nor deleted; add one that puts it right."""


class BadMovement(BillingError, BadAmount):
    """What moves in a wallet is more than zero and no finer than its currency."""


class WrongWallet(BillingError, CurrencyMismatch):
    """A wallet holds one currency."""


class Details(TypedDict, total=False):
    """What an entry says besides amount and reason. `key` makes a repeat harmless."""

    payment: Payment | None
    by: User | None
    note: str
    key: str


class Wallet(TenantModel):
    """`balance` is the sum of the entries and never below zero. `held` of it is set aside: the sum of
    the holds that are open. The rest is `available`."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="wallets")
    currency = models.CharField(_("currency"), max_length=3, validators=[validate_currency])
    balance = AmountField(_("balance"), default=Decimal(0), editable=False)
    held = AmountField(_("held"), default=Decimal(0), editable=False)

    class Meta:
        verbose_name = _("wallet")
        verbose_name_plural = _("wallets")
        constraints = [
            models.UniqueConstraint(fields=["account", "currency"], name="wallet_once"),
            models.CheckConstraint(condition=Q(balance__gte=0), name="wallet_not_negative"),
            models.CheckConstraint(
                condition=Q(held__gte=0, held__lte=F("balance")), name="wallet_held_is_there"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} ({self.currency})"

    @classmethod
    def client_filter(cls, user: User) -> Q:
        return Q(account__in=Account.objects.own(user))

    @classmethod
    def of(cls, account: Account, currency: str) -> Wallet:
        """The wallet of `account` in `currency`; made on first use."""
        return cls.objects.of(account.website_id).get_or_create(
            account=account, currency=currency, defaults={"website_id": account.website_id}
        )[0]

    @property
    def money(self) -> Money:
        return Money(self.balance, self.currency).rounded()

    @property
    def available(self) -> Money:
        """What of it can be used."""
        return Money(self.balance - self.held, self.currency).rounded()

    def credit(
        self, money: Money, reason: WalletEntry.Reason, **details: Unpack[Details]
    ) -> WalletEntry:
        """Add `money`; a second credit with the same `key` is the first. Raises `BadMovement`,
        `WrongWallet`, `TooLarge`."""
        return self._move(_movable(money, self.currency), reason, details)

    def debit(
        self, money: Money, reason: WalletEntry.Reason, **details: Unpack[Details]
    ) -> WalletEntry:
        """Take `money` out. Raises `InsufficientFunds` besides what `credit` raises."""
        return self._move(-_movable(money, self.currency), reason, details)

    def hold(
        self,
        money: Money,
        *,
        reason: str,
        key: str,
        expires_at: datetime | None = None,
        payment: Payment | None = None,
        cause: str = "",
    ) -> WalletHold:
        """Set `money` aside; a second hold with the same `key` is the first. Raises
        `InsufficientFunds`, `BadMovement`, `WrongWallet`."""
        amount = _movable(money, self.currency)
        with transaction.atomic():
            locks.hold(self)
            if earlier := self.holds.filter(key=key).first():
                return earlier
            self._require(amount)
            self.set_aside(amount)
            hold = WalletHold.objects.create(
                wallet=self,
                amount=amount,
                reason=reason[:250],
                key=key,
                expires_at=expires_at,
                payment=payment,
                cause=cause,
            )
            record(
                "wallet.held",
                self,
                change={"hold": hold.uid.hex, "amount": amount, "currency": self.currency},
            )
            return hold

    def set_aside(self, amount: Decimal) -> None:
        """For holds, which have the row locked: `amount` more of it is held; below zero: less."""
        self.held += amount
        self.save(update_fields=["held"])

    def _require(self, amount: Decimal) -> None:
        """Raise `InsufficientFunds` unless `amount` is available, be it by what has expired."""
        if self.balance - self.held >= amount:
            return
        for hold in self.holds.filter(state=WalletHold.State.HELD, expires_at__lte=clock.now()):
            hold.wallet = self
            hold.release()
        if self.balance - self.held < amount:
            wanted = Money(amount, self.currency)
            aside = " that is not set aside" if self.held else ""
            raise InsufficientFunds(
                f"The wallet holds {self.available}{aside}, less than {wanted}."
            )

    def _move(self, amount: Decimal, reason: WalletEntry.Reason, details: Details) -> WalletEntry:
        key = details.pop("key", "") or uuid.uuid4().hex
        with transaction.atomic():
            locks.hold(self)
            if earlier := self.entries.filter(key=key).first():
                return earlier
            self.balance = self._balance_after(amount)
            self.save(update_fields=["balance"])
            entry = WalletEntry.objects.create(
                wallet=self,
                amount=amount,
                balance_after=self.balance,
                reason=reason,
                key=key,
                **details,
            )
            record(
                "wallet.credited" if amount > 0 else "wallet.debited",
                self,
                change={"amount": abs(amount), "currency": self.currency, "reason": reason},
            )
            return entry

    def _balance_after(self, amount: Decimal) -> Decimal:
        if amount < 0:
            self._require(-amount)
        balance = self.balance + amount
        if balance >= totals.largest(self.currency):
            raise totals.TooLarge("The wallet cannot hold that much.")
        return balance


class WalletEntry(models.Model):
    """`amount` is positive for a credit, negative for a debit; `balance_after` what it led to."""

    class Reason(models.TextChoices):
        CREDIT = "credit", _("credited by staff")
        PAYMENT = "payment", _("paid an invoice")
        SURPLUS = "surplus", _("paid too much or twice")
        REFUND = "refund", _("refunded")
        RETURNED = "returned", _("went back to where it came from")
        CREDIT_NOTE = "credit_note", _("freed by a credit note")
        CORRECTION = "correction", _("correction")

    OF_PAYMENT = (Reason.SURPLUS, Reason.CREDIT_NOTE, Reason.RETURNED)
    """By which what came by a payment enters and leaves as its own."""

    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="entries")
    amount = AmountField(_("amount"))
    balance_after = AmountField(_("balance"))
    reason = models.CharField(_("reason"), max_length=20, choices=Reason)
    note = models.CharField(_("note"), max_length=250, blank=True)
    payment = models.ForeignKey(
        "billing.Payment",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="wallet_entries",
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    key = models.CharField(max_length=200)
    created_at = models.DateTimeField(_("at"), default=clock.now)

    class Meta:
        verbose_name = _("entry")
        verbose_name_plural = _("entries")
        ordering = ["-id"]
        indexes = [models.Index(fields=["wallet", "id"], name="wallet_entry_by_age")]
        constraints = [
            models.UniqueConstraint(fields=["wallet", "key"], name="wallet_entry_once"),
            models.CheckConstraint(condition=~Q(amount=0), name="wallet_entry_moves"),
            models.CheckConstraint(condition=Q(balance_after__gte=0), name="wallet_entry_balance"),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()}: {self.amount.normalize():f}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise LedgerIsFixed
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise LedgerIsFixed


def available(account: Account, currency: str) -> Money:
    """What of the wallet can be used, without making one."""
    wallet = Wallet.objects.of(account.website_id).filter(account=account, currency=currency)
    balance, held = wallet.values_list("balance", "held").first() or (Decimal(0), Decimal(0))
    return Money(balance - held, currency).rounded()


def _movable(money: Money, currency: str) -> Decimal:
    if money.currency != currency:
        raise WrongWallet(f"The wallet holds {currency}, not {money.currency}.")
    if money.amount <= 0 or money.rounded() != money:
        raise BadMovement
    if money.amount >= totals.largest(currency):
        raise totals.TooLarge("The wallet cannot hold that much.")
    return money.rounded().amount
