"""BankProposal: what a line of a statement may be, and why one thinks so. A person decides."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from babel import Locale
from django.db import models
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.tenancy import TenantModel
from tallystick.billing.banking.transactions import BankTransaction
from tallystick.billing.errors import BillingError
from tallystick.billing.invoices import Invoice
from tallystick.billing.states import InvoiceStatus
from tallystick.kit import spelling

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from tallystick.people.models import User


class Outdated(BillingError):
    """What this proposal was for has changed; look at the line again."""


REASONS: dict[str, StrOrPromise] = {
    "reference": _("The reference of {number} is in the text."),
    "mistyped": _(
        "A reference with O, I or L, which are in none, is {number}'s when read as 0 and 1."
    ),
    "bare": _(
        "The reference of {number} is in the text without its check digits, or with wrong ones."
    ),
    "number": _("The number {number} is in the text."),
    "amount": _("The amount is what is due."),
    "amount_of_all": _("The amount is what is due on all of these."),
    "less": _("{amount} {currency} less than what is due."),
    "more": _("{amount} {currency} more than what is due: the rest goes to the wallet."),
    "name": _("The sender's name is like the client's: {name}."),
    "sender": _("The client has paid from this account before."),
    "not_payable": _("{number} is {status}: the money goes to the wallet."),
    "several": _("Other invoices are named, too."),
    "several_clients": _("The invoices named are of several clients."),
    "double": _("A file of another format holds a line of this day and amount: {name}."),
    "balance": _("The balances of the file do not agree with its lines."),
    "batch": _("The bank lists several payments in one sum."),
    "reversal": _("The bank says that it takes a payment back{reason}."),
    "same_sender": _("That payment came from this account."),
    "same_reference": _("That payment has this reference."),
    "refund": _("A refund of this amount waits to go out."),
}


class ProposalKind(models.TextChoices):
    INVOICES = "invoices", _("pays")
    REVERSAL = "reversal", _("takes back a payment")
    REFUND = "refund", _("is a refund going out")
    DOUBLE = "double", _("is in another statement already")


@dataclass(frozen=True, slots=True)
class Idea:
    """A proposal that is not stored. The higher `rank`, the likelier."""

    kind: ProposalKind
    rank: int
    reasons: tuple[dict[str, str], ...]
    shares: tuple[tuple[Invoice, Decimal], ...] = ()
    payment_id: int | None = None
    refund_id: int | None = None


class BankProposal(TenantModel):
    """`shares` says which invoice would get how much of the line; what is left, or all where there
    are none, goes to the wallet of `account`, who is billed."""

    Kind = ProposalKind

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    line = models.ForeignKey(BankTransaction, on_delete=models.CASCADE, related_name="proposals")
    kind = models.CharField(_("kind"), max_length=10, choices=ProposalKind)
    rank = models.PositiveSmallIntegerField(_("rank"))
    reasons = models.JSONField(default=list)
    shares = models.JSONField(default=list)
    account = models.ForeignKey("accounts.Account", null=True, on_delete=models.CASCADE)
    payment = models.ForeignKey("billing.Payment", null=True, on_delete=models.CASCADE)
    refund = models.ForeignKey(
        "billing.Refund", null=True, on_delete=models.CASCADE, related_name="bank_proposals"
    )

    class Meta:
        verbose_name = _("proposal")
        verbose_name_plural = _("proposals")
        ordering = ["-rank", "id"]

    def __str__(self) -> str:
        return f"{self.line}: {self.get_kind_display()}"

    @classmethod
    def of(cls, line: BankTransaction, idea: Idea) -> BankProposal:
        """Not stored yet."""
        account = idea.shares[0][0].client_id if idea.shares else None
        return cls(
            website_id=line.website_id,
            line=line,
            kind=idea.kind,
            rank=idea.rank,
            reasons=list(idea.reasons),
            shares=[[invoice.uid.hex, f"{amount:f}"] for invoice, amount in idea.shares],
            account_id=account,
            payment_id=idea.payment_id,
            refund_id=idea.refund_id,
        )

    def words(self, locale: Locale | None = None) -> list[str]:
        """Why, in words."""
        return [said(each, locale) for each in self.reasons if each.get("code") in REASONS]

    def invoices(self) -> list[tuple[Invoice, Decimal]]:
        """What each would get, as they are now."""
        amounts = {uuid.UUID(uid): Decimal(amount) for uid, amount in self.shares}
        rows = Invoice.objects.of(self.website_id).filter(uid__in=amounts)
        by_uid = {row.uid: row for row in rows.select_related("client", "website")}
        return [(by_uid[uid], amount) for uid, amount in amounts.items() if uid in by_uid]

    def accept(self, *, by: User | None) -> None:
        """Do it. Raises `Outdated` where what is due has changed since it was proposed, and what the
        verbs of the line raise."""
        line = self.line
        if self.kind == ProposalKind.REFUND and self.refund:
            line.confirm_refund(self.refund, by=by)
        elif self.kind == ProposalKind.REVERSAL and self.payment:
            line.take_back(self.payment, by=by)
        elif self.kind == ProposalKind.DOUBLE:
            line.ignore(by=by, note=_g("In another statement already."))
        elif self.kind == ProposalKind.INVOICES:
            self._book(by)
        else:
            raise Outdated

    def _book(self, by: User | None) -> None:
        shares = [(invoice, amount) for invoice, amount in self.invoices() if amount]
        if len(shares) != sum(Decimal(amount) != 0 for _uid, amount in self.shares):
            raise Outdated
        if self.line.payment_id is None and any(
            invoice.amount_due < amount for invoice, amount in shares
        ):
            raise Outdated
        self.line.book(shares, by=by, extra_to=self.account)


def reason(code: str, **facts: object) -> dict[str, str]:
    return {"code": code, **{name: str(fact) for name, fact in facts.items()}}


def said(kept: dict[str, Any], locale: Locale | None = None) -> str:
    """A reason in the reader's words, and figures where `locale` says how they are written."""
    facts = {name: value for name, value in kept.items() if name != "code"}
    if "amount" in facts and locale:
        facts["amount"] = spelling.amount(Decimal(facts["amount"]), facts["currency"], locale)
    if status := facts.get("status"):
        facts["status"] = InvoiceStatus(status).label
    return str(REASONS[kept["code"]]).format(**facts)
