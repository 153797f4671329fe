"""What invoices have in common with other numbered documents: parties, lines' totals, a number, and
that they no longer change once they are issued."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.models import Account
from tallystick.accounts.tenancy import TenantModel
from tallystick.billing import days, lengths, locks, numbering, totals
from tallystick.billing.document_lines import DocumentLine
from tallystick.billing.errors import BillingError
from tallystick.billing.fields import AmountField, DayField
from tallystick.billing.states import WrongState
from tallystick.kit import clock
from tallystick.kit.db.validators import validate_currency
from tallystick.kit.money import Money

if TYPE_CHECKING:
    from tallystick.people.models import User

DRAFT = "draft"


def _new_key() -> str:
    return uuid.uuid4().hex


class NotADraft(WrongState):
    """Only a draft can be edited or issued."""


class Issued(BillingError):
    """An issued invoice does not change; void it, or correct it by a credit note."""


class NotDeletable(BillingError):
    """Only drafts can be deleted."""


class SalesDocument(TenantModel):
    """Amounts are in major units of `currency`; `subtotal` + `tax` = `amount`, the total.

    `seller` and `buyer` are copies, made when it is issued. `inclusive`: prices hold the tax."""

    FROZEN: ClassVar[tuple[str, ...]] = (
        *("website_id", "client_id", "series", "number", "title", "description", "currency"),
        *("inclusive", "rounding", "subtotal", "discount", "tax", "amount", "issue_date"),
        *("seller", "buyer"),
    )
    """The columns that no longer change once it is issued."""

    HAS_DRAFTS: ClassVar[bool] = True
    """Whether it can be at hand before it is issued; `status` then says so."""

    status: str
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    client = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="%(class)ss")
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
    )
    key = models.CharField(max_length=200, default=_new_key, editable=False)
    series = models.CharField(max_length=20, editable=False)
    number = models.CharField(_("number"), max_length=50, blank=True, editable=False)
    title = models.CharField(_("title"), max_length=lengths.TITLE, blank=True)
    description = models.TextField(_("description"), max_length=lengths.DESCRIPTION, blank=True)
    currency = models.CharField(_("currency"), max_length=3, validators=[validate_currency])
    inclusive = models.BooleanField(_("prices include tax"), default=False)
    rounding = models.CharField(max_length=8, default=totals.Rounding.LINE.value, editable=False)
    subtotal = AmountField(_("subtotal"), default=Decimal(0), editable=False)
    discount = AmountField(_("discount"), default=Decimal(0), editable=False)
    tax = AmountField(_("tax"), default=Decimal(0), editable=False)
    amount = AmountField(_("total"), default=Decimal(0), editable=False)
    issue_date = DayField(_("date of issue"), null=True, blank=True)
    issued_at = models.DateTimeField(null=True, editable=False)
    seller = models.JSONField(default=dict, editable=False)
    buyer = models.JSONField(default=dict, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True

    @property
    def account(self) -> Account:
        return self.client

    @property
    def total(self) -> Money:
        return self.money(self.amount)

    @property
    def is_draft(self) -> bool:
        return self.HAS_DRAFTS and self.status == DRAFT

    def money(self, amount: Decimal) -> Money:
        """`amount` with the document's currency, at its precision."""
        return Money(amount, self.currency).rounded()

    def as_seller(self) -> dict[str, str]:
        """The seller: as issued, or as it would be if issued now."""
        return self.seller or self.website.as_party()

    def as_buyer(self) -> dict[str, str]:
        return self.buyer or self.client.as_party()

    def total_up(self, lines: Sequence[DocumentLine]) -> bool:
        """Set amounts here and on `lines` to what `lines` add up to; whether any line changed."""
        result = totals.compute(
            [line.as_input() for line in lines],
            self.currency,
            inclusive=self.inclusive,
            rounding=self.rounding,
        )
        changes = [line.take(total) for line, total in zip(lines, result.lines, strict=True)]
        self._take(result)
        return any(changes)

    def take_totals(self, lines: Sequence[DocumentLine]) -> None:
        """The same where the amounts of `lines` are given."""
        inputs, amounts = [line.as_input() for line in lines], [line.as_total() for line in lines]
        self._take(totals.add_up(inputs, amounts, self.currency, inclusive=self.inclusive))

    def _take(self, result: totals.Totals) -> None:
        self.subtotal, self.discount = result.subtotal, result.discount
        self.tax, self.amount = result.tax, result.total

    def lock(self) -> None:
        """Hold the row until the transaction ends, as it is now in the database."""
        locks.hold(self)

    def refuse_edit(self) -> None:
        if not self.is_draft:
            raise NotADraft

    def fix_parties(self, by: User | None) -> date:
        """Set who sells, who buys, who issues, and when; returns the date of issue. Raises
        `BadDay`."""
        days.check_issue(self.issue_date, self.website.today())
        self.issue_date = self.issue_date or self.website.today()
        self.seller, self.buyer = self.website.as_party(), self.client.as_party()
        self.issued_by, self.issued_at = by or self.issued_by, clock.now()
        return self.issue_date

    def take_number(self) -> None:
        """As late as can be: others who issue wait from here to the commit."""
        day = self.issue_date or self.website.today()
        self.number = numbering.take(self.website, self.series, day)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Raises `Issued` when a frozen column of an issued document would change."""
        if not self._state.adding:
            self._refuse_changes(kwargs.get("update_fields"))
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        self.refuse_delete()
        return super().delete(*args, **kwargs)

    def refuse_delete(self) -> None:
        if not self.is_draft:
            raise NotDeletable

    def _store(self, *names: str) -> None:
        """Write these columns, frozen or not: for the verbs that may."""
        models.Model.save(self, update_fields=[*names, "updated_at"])

    def _refuse_changes(self, update_fields: Iterable[str] | None) -> None:
        names = set(self.FROZEN)
        if update_fields is not None:
            # A foreign key is named with or without its `_id`.
            names &= {form for name in update_fields for form in (name, f"{name}_id")}
        if not names:
            return
        states = ["status"] if self.HAS_DRAFTS else []
        kept = type(self)._base_manager.values(*states, *names).get(pk=self.pk)
        issued = kept.get("status") != DRAFT
        if issued and any(kept[name] != getattr(self, name) for name in names):
            raise Issued
