"""Invoice: what is owed, by whom, for what. Issued once, immutable from then on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Round
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.models import Account
from tallystick.billing import days, lengths, statistics, tokens, totals
from tallystick.billing import lines as invoice_lines
from tallystick.billing.document_lines import breakdown
from tallystick.billing.drafts import InvoiceManager
from tallystick.billing.emails import INVOICE_GENERATED, Email
from tallystick.billing.errors import BillingError
from tallystick.billing.fields import AmountField, DayField
from tallystick.billing.lines import InvoiceLine, LineDraft, NoLines
from tallystick.billing.numbering import INVOICES
from tallystick.billing.sales_documents import DRAFT, NotADraft, SalesDocument
from tallystick.billing.states import PAYABLE, InvoiceStatus, WrongState, may_move
from tallystick.events import record
from tallystick.kit import clock
from tallystick.kit.db.keysets import OrLast, folded
from tallystick.kit.money import Money

if TYPE_CHECKING:
    from tallystick.billing.payments import Payment
    from tallystick.people.models import User

__all__ = ["Invoice", "NotADraft"]

# Rounded, for SQLite adds up in binary: there 0.1 + 0.2 is not 0.3.
_SETTLED = Round(F("amount_paid") + F("amount_credited"), precision=4)
_LINE_AMOUNTS = ["amount", "discount", "tax_amount"]


class NegativeTotal(BillingError):
    """The total of an invoice cannot be negative; give a credit note instead."""


class DueBeforeIssue(BillingError):
    """The due date lies before the date of issue."""


class HasPayments(WrongState):
    """The invoice has payments; refund them first."""


class HasCredits(WrongState):
    """The invoice has a credit note; credit the rest instead."""


class NoReason(BillingError):
    """Say why: the reason is kept with the invoice."""


class Invoice(SalesDocument):
    Status = InvoiceStatus
    FROZEN = (*SalesDocument.FROZEN, "reference_id", "reference", "due_date")

    reference_id = models.CharField(
        _("reference"), max_length=20, unique=True, default=tokens.new_reference, editable=False
    )
    series = models.CharField(max_length=20, default=INVOICES, editable=False)
    reference = models.CharField(
        _("client's reference"),
        max_length=lengths.REFERENCE,
        blank=True,
        help_text=_("Such as an order number."),
    )
    due_date = DayField(_("due date"), null=True, blank=True)
    status = models.CharField(
        _("status"),
        max_length=14,
        choices=InvoiceStatus,
        default=InvoiceStatus.DRAFT,
        editable=False,
    )
    amount_paid = AmountField(_("paid"), default=Decimal(0), editable=False)
    amount_credited = AmountField(_("credited"), default=Decimal(0), editable=False)
    paid_at = models.DateTimeField(_("paid at"), null=True, editable=False)
    voided_at = models.DateTimeField(null=True, editable=False)
    written_off_at = models.DateTimeField(null=True, editable=False)
    reason = models.TextField(_("reason"), blank=True, editable=False)
    payment_token = models.CharField(max_length=128, editable=False)
    token_expires_at = models.DateTimeField(null=True, editable=False)
    token_revoked_at = models.DateTimeField(null=True, editable=False)
    link_one_use = models.BooleanField(
        _("link for one payment"), default=tokens.one_use, editable=False
    )
    email_sent_at = models.DateTimeField(null=True, editable=False)
    email_sent_count = models.PositiveIntegerField(default=0, editable=False)
    reminders_paused = models.BooleanField(_("reminders paused"), default=False, editable=False)
    reminders_paused_until = DayField(null=True, editable=False)

    objects: ClassVar[InvoiceManager] = InvoiceManager()

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["website", "key"], name="invoice_key_once"),
            models.UniqueConstraint(fields=["payment_token"], name="invoice_token_once"),
            models.UniqueConstraint(
                fields=["website", "series", "number"],
                condition=~Q(number=""),
                name="invoice_number_once",
            ),
            models.CheckConstraint(
                condition=Q(status__in=InvoiceStatus.values), name="invoice_status"
            ),
            models.CheckConstraint(
                condition=Q(status="draft", number="", amount_paid=0, amount_credited=0)
                | (~Q(status="draft") & ~Q(number="") & Q(issue_date__isnull=False)),
                name="invoice_numbered_once_issued",
            ),
            models.CheckConstraint(
                condition=Q(status="draft")
                | Q(
                    amount_paid__gte=0,
                    amount_credited__gte=0,
                    amount__gte=_SETTLED,
                ),
                name="invoice_paid_within_total",
            ),
            models.CheckConstraint(
                condition=Q(
                    status="paid",
                    amount=_SETTLED,
                    paid_at__isnull=False,
                )
                | (~Q(status="paid") & Q(paid_at__isnull=True)),
                name="invoice_paid_is_paid",
            ),
        ]
        indexes = [
            models.Index(fields=["website", "created_at", "id"], name="invoice_by_age"),
            models.Index(fields=["website", "status", "due_date"], name="invoice_by_due_date"),
            models.Index(
                fields=["website", "status", "created_at", "id"], name="invoice_by_status"
            ),
            models.Index(
                fields=["website", "currency", "created_at", "id"], name="invoice_by_currency"
            ),
            models.Index(fields=["client", "created_at", "id"], name="invoice_by_client"),
            models.Index("website", "status", OrLast("due_date"), "id", name="invoice_by_due_day"),
            models.Index(
                "website", "status", OrLast("issue_date"), "id", name="invoice_by_issue_day"
            ),
            models.Index(fields=["website", "status", "amount", "id"], name="invoice_by_amount"),
            models.Index("website", "status", folded("number"), "id", name="invoice_by_number"),
            models.Index("website", folded("title"), "id", name="invoice_by_title"),
        ]

    def __str__(self) -> str:
        return self.number or f"{self.reference_id} (draft)"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.payment_token = self.payment_token or tokens.new_payment_token(self.reference_id)
        super().save(*args, **kwargs)

    @classmethod
    def client_filter(cls, user: User) -> Q:
        return Q(client__in=Account.objects.own(user)) & ~Q(status=DRAFT)

    @property
    def invoice_number(self) -> str:
        return self.number

    @property
    def amount_due(self) -> Decimal:
        """What is still to be paid; nothing on drafts and void invoices."""
        return self.open_amount if self.is_payable else Decimal(0)

    @property
    def due(self) -> Money:
        return self.money(self.amount_due)

    @property
    def is_payable(self) -> bool:
        return self.status in PAYABLE

    @property
    def is_paid(self) -> bool:
        return self.status == InvoiceStatus.PAID

    @property
    def email_sent(self) -> bool:
        return self.email_sent_count > 0

    @property
    def email_error(self) -> str:
        """Why its newest e-mail has not gone out; empty when there is nothing to complain of."""
        newest = self.emails.order_by("-id").first()
        return newest.trouble if newest else ""

    @property
    def payment(self) -> Payment | None:
        """The payment that settled it."""
        payments = self.paid_by if self.is_paid else ()
        return payments[-1][0] if payments else None

    @property
    def paid_by(self) -> list[tuple[Payment, Decimal]]:
        """Which payments pay it, and what of it each, all in all; the last to come comes last."""
        from tallystick.billing import allocations

        return allocations.by_payment(self)

    @property
    def url(self) -> str:
        return tokens.payment_url(self.website.domain, self.payment_token)

    def is_overdue(self, today: date) -> bool:
        return self.is_payable and self.due_date is not None and self.due_date < today

    def breakdown(self) -> list[totals.RateTotal]:
        """Net and tax per rate."""
        return breakdown(self.lines.all(), inclusive=self.inclusive)

    def set_lines(self, drafts: Sequence[LineDraft]) -> None:
        """Replace all lines; raises `BadLine`, `NotADraft`."""
        with transaction.atomic():
            self.lock()
            self.refuse_edit()
            rows = invoice_lines.build(self, drafts)
            self.lines.all().delete()
            self.total_up(rows)
            InvoiceLine.objects.bulk_create(rows)
            self._store("subtotal", "discount", "tax", "amount")

    def recalculate(self) -> None:
        """Bring amounts in line with lines that were edited one by one."""
        with transaction.atomic():
            self.lock()
            self.refuse_edit()
            self._kept_lines()
            self._store("subtotal", "discount", "tax", "amount")

    def issue(self, *, by: User | None = None, send: bool = True) -> None:
        """Number it, fix it for ever, journal it, and put its e-mail in the queue: all or nothing.

        A total of zero is paid at once. Raises `NotADraft`, `NoLines`, `NegativeTotal`, `TooLarge`,
        `BadDay`, `DueBeforeIssue`, `PrefixTaken`."""
        with transaction.atomic():
            self.lock()
            self.refuse_edit()
            self._fix(self._kept_lines(), by)
            statistics.note(self)
            if send:
                Email.queue(INVOICE_GENERATED, self)
            self.take_number()
            self._store(*_ISSUING)
            self._record_issue()

    def issue_new(self, lines: list[InvoiceLine], *, by: User | None, send: bool) -> None:
        """The same for one that is not stored yet, with its `lines`, in the caller's transaction."""
        self._fix(lines, by)
        statistics.note(self)
        self.take_number()
        self.save(force_insert=True)
        InvoiceLine.objects.bulk_create(lines)
        if send:
            Email.queue(INVOICE_GENERATED, self)
        record("invoice.created", self)
        self._record_issue()

    def void(self, *, reason: str) -> None:
        """It is owed no more and keeps its number. Raises `HasPayments`, `WrongState`, `NoReason`."""
        self._give_up(InvoiceStatus.VOID, "invoice.voided", reason)

    def write_off(self, *, reason: str) -> None:
        """Nobody expects it to be paid. It still can be."""
        self._give_up(InvoiceStatus.UNCOLLECTIBLE, "invoice.written_off", reason)

    def settle(self, amount: Decimal, at: datetime) -> None:
        """`amount` of what is due was paid. The row is locked by the caller."""
        with statistics.noting(self):
            self.amount_paid += amount
            self._balance(at, money_came=True)
        kind = "invoice.paid" if self.is_paid else "invoice.partially_paid"
        record(kind, self, change={"amount": amount, "due": self.amount_due})

    def unsettle(self, amount: Decimal) -> None:
        """`amount` of what was paid went back or is in dispute: it is owed again. The row is locked
        by the caller."""
        with statistics.noting(self):
            self.amount_paid -= amount
            self._balance(clock.now())
        record("invoice.reopened", self, change={"amount": amount, "due": self.amount_due})

    def credit(self, amount: Decimal, at: datetime, *, released: Decimal = Decimal(0)) -> None:
        """`amount` is owed no more, by a credit note; `released` of it had been paid already. The
        row is locked by the caller."""
        with statistics.noting(self):
            self.amount_credited += amount
            self.amount_paid -= released
            self._balance(at)
        record("invoice.credited", self, change={"amount": amount, "due": self.amount_due})
        if self.is_paid and amount > released:
            record("invoice.paid", self)

    def send_email(self) -> Email:
        """Put the invoice's e-mail in the queue once more. Raises `WrongState`."""
        if self.status in (InvoiceStatus.DRAFT, InvoiceStatus.VOID):
            raise WrongState(gettext("A draft or void invoice is not sent."))
        if self.token_revoked_at is not None:
            raise WrongState(gettext("Its payment link is revoked. Make a new payment link first."))
        if self.token_expires_at is not None and self.token_expires_at <= clock.now():
            raise WrongState(
                gettext("Its payment link has expired. Make a new payment link first.")
            )
        return Email.queue(INVOICE_GENERATED, self)

    def _kept_lines(self) -> list[InvoiceLine]:
        """The lines, added up anew, and stored where that changed them."""
        lines = list(self.lines.all())
        if self.total_up(lines):
            InvoiceLine.objects.bulk_update(lines, _LINE_AMOUNTS)
        return lines

    def _fix(self, lines: list[InvoiceLine], by: User | None) -> None:
        """Everything that issuing settles, but the number."""
        if not lines:
            raise NoLines
        if self.amount < 0:
            raise NegativeTotal
        issue_date = self.fix_parties(by)
        self.due_date = self.due_date or days.due(issue_date, self.website.payment_terms_days)
        days.check(self.due_date, "due date")
        if self.due_date < issue_date:
            raise DueBeforeIssue
        self.token_expires_at = tokens.expiry(self.due_date, self.website.time_zone)
        self._move_to(InvoiceStatus.OPEN if self.amount else InvoiceStatus.PAID)
        self.paid_at = None if self.amount else self.issued_at

    def _record_issue(self) -> None:
        record("invoice.issued", self, change={"number": self.number})
        if self.is_paid:
            record("invoice.paid", self)

    def _give_up(self, status: InvoiceStatus, kind: str, reason: str) -> None:
        if not reason.strip():
            raise NoReason
        with transaction.atomic():
            self.lock()
            if status == InvoiceStatus.VOID and self.amount_paid:
                raise HasPayments
            if status == InvoiceStatus.VOID and self.amount_credited:
                raise HasCredits
            with statistics.noting(self):
                self._move_to(status)
                self.reason, self.paid_at = reason.strip(), None
                now, void = clock.now(), status == InvoiceStatus.VOID
                self.voided_at, self.written_off_at = (now, None) if void else (None, now)
            self._store("status", "reason", "voided_at", "written_off_at", "paid_at")
            record(kind, self)

    @property
    def open_amount(self) -> Decimal:
        """What is neither paid nor credited, whatever the state."""
        return self.amount - self.amount_paid - self.amount_credited

    def _balance(self, at: datetime, *, money_came: bool = False) -> None:
        """Move to the state that the amounts say, and store both. What is written off stays so unless
        money came or nothing is left of it."""
        if not self.open_amount:
            self._move_to(InvoiceStatus.PAID)
        elif self.status != InvoiceStatus.UNCOLLECTIBLE or money_came:
            self._move_to(InvoiceStatus.PARTIALLY_PAID if self.amount_paid else InvoiceStatus.OPEN)
        self.paid_at = (self.paid_at or at) if self.is_paid else None
        if self.status != InvoiceStatus.UNCOLLECTIBLE:
            self.written_off_at = None
        self._store("amount_paid", "amount_credited", "status", "paid_at", "written_off_at")

    def _move_to(self, status: InvoiceStatus) -> None:
        if not may_move(self.status, status):
            state = self.get_status_display()
            raise WrongState(gettext("The invoice is %(state)s.") % {"state": state})
        self.status = status


_ISSUING = (
    *("number", "status", "issue_date", "due_date", "issued_by", "issued_at", "paid_at"),
    *("seller", "buyer", "subtotal", "discount", "tax", "amount", "token_expires_at"),
)
