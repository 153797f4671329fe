"""Credit notes: how an issued invoice is corrected, in whole or in part."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, TypedDict, Unpack

from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.models import Account
from tallystick.billing import credit_note_lines, days, payments, statistics, taking_back, totals
from tallystick.billing.credit_note_lines import BadCredit, CreditNoteLine
from tallystick.billing.document_lines import breakdown
from tallystick.billing.drafts import KeyReused, check_key
from tallystick.billing.emails import CREDIT_NOTE, Email
from tallystick.billing.fields import AmountField
from tallystick.billing.invoices import Invoice, NoReason
from tallystick.billing.lines import InvoiceLine
from tallystick.billing.numbering import CREDIT_NOTES
from tallystick.billing.sales_documents import SalesDocument
from tallystick.billing.states import InvoiceStatus, WrongState
from tallystick.events import record
from tallystick.kit import clock
from tallystick.kit.money import Money

if TYPE_CHECKING:
    from tallystick.people.models import User

__all__ = ["BadCredit", "CreditNote", "CreditNoteLine", "issue_credit_note"]


class NotCreditable(WrongState):
    """Only an issued invoice that is not void can be credited."""


class CreditBeforeIssue(BadCredit):
    """A credit note is dated on the day of its invoice or later."""


class CreditNote(SalesDocument):
    """`amount` of `invoice` is not owed after all; `released` of it had been paid already, and went
    to the wallet or was refunded. Issued at once, and fixed from then on."""

    HAS_DRAFTS = False
    FROZEN = (*SalesDocument.FROZEN, "invoice_id", "reason", "released")

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="credit_notes")
    series = models.CharField(max_length=20, default=CREDIT_NOTES, editable=False)
    reason = models.TextField(_("reason"))
    released = AmountField(_("had been paid"), default=Decimal(0), editable=False)

    class Meta:
        verbose_name = _("credit note")
        verbose_name_plural = _("credit notes")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["website", "key"], name="credit_note_key_once"),
            models.UniqueConstraint(
                fields=["website", "series", "number"], name="credit_note_number_once"
            ),
            models.CheckConstraint(condition=~Q(number=""), name="credit_note_numbered"),
            models.CheckConstraint(
                condition=Q(amount__gt=0, released__gte=0, released__lte=models.F("amount")),
                name="credit_note_amount",
            ),
        ]
        indexes = [models.Index(fields=["website", "created_at", "id"], name="credit_note_by_age")]

    def __str__(self) -> str:
        return self.number

    @classmethod
    def client_filter(cls, user: User) -> Q:
        return Q(client__in=Account.objects.own(user))

    def breakdown(self) -> list[totals.RateTotal]:
        """Net and tax per rate."""
        return breakdown(self.lines.all(), inclusive=self.inclusive)


class Ask(TypedDict, total=False):
    """What is credited: so much of each of the invoice's lines, or an amount with the tax in it;
    neither: all that is left. `refund`: what had been paid of it goes back the way it came instead
    of to the wallet, as far as it is not on its way back already. `send`: mail it (unless told
    otherwise). `key` makes a repeat harmless."""

    quantities: Mapping[InvoiceLine, Decimal] | None
    amount: Money | None
    refund: bool
    key: str
    issue_date: date | None
    send: bool


def issue_credit_note(
    invoice: Invoice, *, reason: str, by: User | None, **ask: Unpack[Ask]
) -> CreditNote:
    """Credit `invoice`. First what is still due is owed no more; what of the rest had been paid goes
    to the wallet, or back. Raises `NotCreditable`, `BadCredit`, `NoReason`, `KeyReused`, `BadDay`,
    and what `payments.refund` raises."""
    if not reason.strip():
        raise NoReason
    key = check_key(ask.get("key", ""))
    with transaction.atomic():
        invoice.lock()
        if key and (earlier := CreditNote.objects.of(invoice.website_id).filter(key=key).first()):
            return _same(earlier, invoice, ask)
        _refuse(invoice)
        note, lines = _built(invoice, reason.strip(), by, ask)
        _book(note, refund=ask.get("refund", False), by=by)
        note.take_number()
        note.save(force_insert=True)
        CreditNoteLine.objects.bulk_create(lines)
        statistics.note(note)
        record(
            "credit_note.issued",
            note,
            change={"number": note.number, "invoice": invoice.number, "amount": note.amount},
        )
        if ask.get("send", True):
            Email.queue(CREDIT_NOTE, invoice, credit_note=note)
    return note


def _refuse(invoice: Invoice) -> None:
    if invoice.is_draft or invoice.status == InvoiceStatus.VOID:
        raise NotCreditable
    if invoice.amount_credited == invoice.amount:
        raise NotCreditable(gettext("Nothing is left of this invoice that could be credited."))


def _same(note: CreditNote, invoice: Invoice, ask: Ask) -> CreditNote:
    """The earlier note of the key, if it is what is asked for now."""
    amount, quantities = ask.get("amount"), ask.get("quantities")
    kept = {line.invoice_line_id: line.quantity for line in note.lines.all()}
    wanted = {line.pk: quantity for line, quantity in (quantities or {}).items() if quantity}
    if (
        note.invoice_id != invoice.pk
        or amount not in (None, note.total)
        or (quantities is not None and wanted != kept)
    ):
        raise KeyReused
    return note


def _built(
    invoice: Invoice, reason: str, by: User | None, ask: Ask
) -> tuple[CreditNote, list[CreditNoteLine]]:
    """The note and its lines, added up, not stored."""
    note = CreditNote(
        website=invoice.website,
        client=invoice.client,
        invoice=invoice,
        title=invoice.title,
        reason=reason,
        currency=invoice.currency,
        inclusive=invoice.inclusive,
        rounding=invoice.rounding,
        seller=invoice.seller,
        buyer=invoice.buyer,
        issued_by=by,
        issued_at=clock.now(),
        issue_date=_day(invoice, ask.get("issue_date")),
    )
    note.key = ask.get("key") or note.key
    lines = _lines(invoice, ask)
    for line in lines:
        line.credit_note = note
    note.take_totals(lines)
    if note.amount <= 0:
        raise BadCredit(gettext("A credit note is of more than zero: choose what to credit."))
    if note.amount > invoice.amount - invoice.amount_credited:
        left = invoice.money(invoice.amount - invoice.amount_credited)
        raise BadCredit(gettext("At most %(left)s can still be credited.") % {"left": left})
    return note, lines


def _day(invoice: Invoice, asked: date | None) -> date:
    today = invoice.website.today()
    days.check_issue(asked, today)
    day = asked or today
    if invoice.issue_date and day < invoice.issue_date:
        raise CreditBeforeIssue
    return day


def _lines(invoice: Invoice, ask: Ask) -> list[CreditNoteLine]:
    left = credit_note_lines.left_of(invoice)
    if (amount := ask.get("amount")) is not None:
        if amount.currency != invoice.currency or amount.rounded() != amount:
            raise BadCredit(
                gettext("The amount is in %(currency)s.") % {"currency": invoice.currency}
            )
        return credit_note_lines.by_amount(left, amount)
    if (quantities := ask.get("quantities")) is not None:
        return credit_note_lines.by_quantity(left, quantities)
    return credit_note_lines.whole(left)


def _book(note: CreditNote, *, refund: bool, by: User | None) -> None:
    """Take the amount off the invoice, and what of it had been paid out of its payments."""
    invoice = note.invoice
    note.released = max(note.amount - invoice.open_amount, Decimal(0))
    freed = []
    if note.released:
        cause = f"credit_note:{note.uid.hex}"
        freed = payments.release(invoice, note.released, cause=cause)
    invoice.credit(note.amount, clock.now(), released=note.released)
    if refund:
        for payment, amount in freed:
            # No more than lies free in the wallet: the rest is on its way back already, or stays.
            # So no invoice needs a lock now, after a payment and out of order.
            back = min(amount, payment.refundable.amount, taking_back.in_reach(payment))
            if not back:
                continue
            payments.refund(
                payment,
                Money(back, payment.currency),
                by=by,
                reason=note.reason,
                key=f"credit_note:{note.uid.hex}:{payment.uid.hex}",
            )
