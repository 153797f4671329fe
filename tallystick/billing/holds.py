"""WalletHold: money of a wallet that is set aside. It is still there, and nothing else may use it."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.standing import Person, standing_of
from tallystick.billing import locks
from tallystick.billing.errors import BillingError
from tallystick.billing.fields import AmountField
from tallystick.billing.states import WrongState
from tallystick.events import record
from tallystick.kit import clock
from tallystick.kit.money import Money

if TYPE_CHECKING:
    from tallystick.billing.wallets import WalletEntry

BATCH = 200


class NotHeld(WrongState):
    """The money is not held any more."""


class TooMuchCaptured(BillingError):
    """More cannot be taken than is held."""


class WalletHoldQuerySet(models.QuerySet["WalletHold"]):
    def visible_to(self, user: Person) -> WalletHoldQuerySet:
        """Those at the websites that `user` administers."""
        standing = standing_of(user)
        return (
            self if standing.is_superadmin else self.filter(wallet__website__in=standing.admin_of)
        )


class WalletHold(models.Model):
    """`amount` of `wallet` is set aside until it is taken (`captured` of it, the rest is free again)
    or released, by hand or when it expires. `key` makes a repeat harmless. `payment` is whose money
    it is, `cause` what holds it, where that is not a person."""

    class State(models.TextChoices):
        HELD = "held", _("held")
        CAPTURED = "captured", _("captured")
        RELEASED = "released", _("released")

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    wallet = models.ForeignKey("billing.Wallet", on_delete=models.PROTECT, related_name="holds")
    amount = AmountField(_("amount"))
    captured = AmountField(_("captured"), default=Decimal(0))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.HELD)
    reason = models.CharField(_("reason"), max_length=250)
    payment = models.ForeignKey(
        "billing.Payment",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="wallet_holds",
    )
    cause = models.CharField(max_length=60, blank=True, editable=False)
    key = models.CharField(max_length=200, editable=False)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    created_at = models.DateTimeField(_("made at"), default=clock.now, editable=False)
    settled_at = models.DateTimeField(_("settled at"), null=True, editable=False)

    objects: ClassVar[models.Manager[WalletHold]] = models.Manager.from_queryset(
        WalletHoldQuerySet
    )()

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["wallet", "key"], name="wallet_hold_once"),
            models.CheckConstraint(
                condition=Q(amount__gt=0, captured__gte=0, captured__lte=F("amount")),
                name="wallet_hold_amount",
            ),
            models.CheckConstraint(
                condition=Q(state="held", captured=0, settled_at__isnull=True)
                | Q(state="captured", captured__gt=0, settled_at__isnull=False)
                | Q(state="released", captured=0, settled_at__isnull=False),
                name="wallet_hold_state",
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"], condition=Q(state="held"), name="wallet_hold_expiring"
            )
        ]

    def __str__(self) -> str:
        return f"{self.money}: {self.reason}"

    @property
    def website_id(self) -> int:
        return self.wallet.website_id

    @property
    def money(self) -> Money:
        return Money(self.amount, self.wallet.currency).rounded()

    @property
    def is_held(self) -> bool:
        return self.state == self.State.HELD

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= clock.now()

    def capture(
        self, money: Money | None = None, reason: WalletEntry.Reason | None = None
    ) -> WalletEntry:
        """Take what is held, or `money` of it, out of the wallet; the rest is free again. A second
        time returns the first entry. Raises `NotHeld`, `TooMuchCaptured`, `BadMovement`."""
        with transaction.atomic():
            self._lock()
            if self.state == self.State.CAPTURED:
                return self.wallet.entries.get(key=self._entry_key)
            if not self.is_held or self.has_expired:
                raise NotHeld
            taken = self.money if money is None else money
            if taken > self.money:
                raise TooMuchCaptured(f"{self.money} is held, less than {taken}.")
            self.wallet.set_aside(-self.amount)
            entry = self.wallet.debit(
                taken,
                reason or self.wallet.entries.model.Reason.CORRECTION,
                payment=self.payment,
                note=self.reason,
                key=self._entry_key,
            )
            self.captured = -entry.amount
            self._settle(self.State.CAPTURED)
            return entry

    def release(self) -> None:
        """It is free again; a second time changes nothing. Raises `NotHeld` where it was taken."""
        with transaction.atomic():
            self._lock()
            if self.state == self.State.RELEASED:
                return
            if not self.is_held:
                raise NotHeld
            self.wallet.set_aside(-self.amount)
            self._settle(self.State.RELEASED)

    @property
    def _entry_key(self) -> str:
        return f"hold:{self.uid.hex}"

    def _lock(self) -> None:
        """A hold is written under the lock of its wallet."""
        locks.hold(self.wallet)
        locks.hold(self)

    def _settle(self, state: State) -> None:
        self.state, self.settled_at = state, clock.now()
        self.save(update_fields=["state", "captured", "settled_at"])
        record(
            f"wallet.hold_{state}",
            self.wallet,
            change={
                "hold": self.uid.hex,
                "amount": self.amount,
                "captured": self.captured,
                "currency": self.wallet.currency,
            },
        )


def release_expired() -> int:
    """Release what has expired; one that goes wrong stops only itself. Returns how many."""
    expired = WalletHold.objects.filter(state=WalletHold.State.HELD, expires_at__lte=clock.now())
    released = 0
    for hold in expired.select_related("wallet").order_by("expires_at", "id")[:BATCH]:
        try:
            hold.release()
        except NotHeld:  # taken in the meantime
            continue
        released += 1
    return released
