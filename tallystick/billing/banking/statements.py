"""BankStatement: a file that a bank gave out, as it was imported."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.tenancy import TenantModel
from tallystick.billing import locks
from tallystick.billing.errors import BillingError
from tallystick.events import record
from tallystick.kit import clock
from tallystick.kit.money import Money

if TYPE_CHECKING:
    from tallystick.billing.banking.readings import Reading


class HasBooked(BillingError):
    """Lines of this statement are booked: refund those payments first."""


class BankStatement(TenantModel):
    """`digest` is of the file: the same one twice is one statement. `parts` are the statements in it,
    one for each account and period, with their balances. `known` lines were in an earlier one."""

    class Balance(models.TextChoices):
        AGREES = "agrees", _("the balances agree with the lines")
        DIFFERS = "differs", _("the balances do not agree with the lines")
        UNKNOWN = "unknown", _("the file names no balances")

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("file"), max_length=200, blank=True)
    digest = models.CharField(max_length=64, editable=False)
    format = models.CharField(_("format"), max_length=20)
    account = models.CharField(_("account"), max_length=34, blank=True)
    parts = models.JSONField(default=list, editable=False)
    first_day = models.DateField(_("from"), null=True)
    last_day = models.DateField(_("until"), null=True)
    balance = models.CharField(_("balances"), max_length=7, choices=Balance)
    lines_new = models.PositiveIntegerField(_("new lines"), default=0)
    lines_known = models.PositiveIntegerField(_("lines known before"), default=0)
    lines_pending = models.PositiveIntegerField(_("not booked by the bank yet"), default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(_("imported at"), default=clock.now, editable=False)

    class Meta:
        verbose_name = _("bank statement")
        verbose_name_plural = _("bank statements")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["website", "digest"], name="bank_statement_once"),
        ]
        indexes = [
            models.Index(fields=["website", "created_at", "id"], name="bank_statement_by_age")
        ]

    def __str__(self) -> str:
        return self.name or f"{self.account} {self.last_day}"

    def take(self, readings: list[Reading], accounts: list[str]) -> None:
        """What the file says as a whole; `accounts` are those that the readings are booked on."""
        self.parts = [_part(*each) for each in zip(readings, accounts, strict=True)]
        self.format, self.account = readings[0].format, accounts[0]
        firsts, lasts = zip(*(reading.days for reading in readings), strict=True)
        self.first_day = min(filter(None, firsts), default=None)
        self.last_day = max(filter(None, lasts), default=None)
        self.lines_pending = sum(reading.pending for reading in readings)
        differences = [reading.difference for reading in readings]
        if any(differences):
            self.balance = self.Balance.DIFFERS
        else:
            unknown = None in differences
            self.balance = self.Balance.UNKNOWN if unknown else self.Balance.AGREES

    @property
    def counts(self) -> dict[str, int]:
        """How many lines there are of each state."""
        rows = self.lines.values_list("state").annotate(number=Count("pk")).order_by("state")
        return dict(rows)

    def discard(self) -> None:
        """Take it and its lines out again, as when the columns were read wrong. Raises `HasBooked`."""
        with transaction.atomic():
            locks.hold(self)
            lines = self.lines.all()
            list(locks.for_update(lines.order_by("pk")).values_list("pk"))
            if lines.filter(Q(payment__isnull=False) | Q(refund__isnull=False)).exists():
                raise HasBooked
            record("bank.statement_discarded", self, change={"lines": self.lines_new})
            lines.delete()
            self.delete()


def _part(reading: Reading, account: str) -> dict[str, Any]:
    first, last = reading.days
    return {
        "account": account,
        "name": reading.name,
        "currency": reading.currency,
        "first": _day(first),
        "last": _day(last),
        "opening": _amount(reading.opening, reading.currency),
        "closing": _amount(reading.closing, reading.currency),
        "difference": _amount(reading.difference, reading.currency),
        "lines": len(reading.lines),
    }


def _day(value: date | None) -> str:
    return value.isoformat() if value else ""


def _amount(value: Decimal | None, currency: str) -> str:
    return "" if value is None else f"{Money(value, currency).rounded().amount:f}"
