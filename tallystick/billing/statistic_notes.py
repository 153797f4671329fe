"""What each document counts for in the statistics, and the notes that its verbs leave of a change.

What a document counts for follows from its row alone, so that a recount of all documents gives what
the notes add up to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias
from zoneinfo import ZoneInfo

from tallystick.billing.states import InvoiceStatus, PaymentStatus, RefundStatus
from tallystick.billing.statistic_rows import NOTHING, Count, Counts, Key, Kind, append
from tallystick.kit.money import digits_of

if TYPE_CHECKING:
    from decimal import Decimal

    from tallystick.billing.credit_notes import CreditNote
    from tallystick.billing.disputes import Dispute
    from tallystick.billing.invoices import Invoice
    from tallystick.billing.payment_rows import Payment
    from tallystick.billing.refunds import Refund

Document: TypeAlias = "Invoice | CreditNote | Payment | Refund | Dispute"

_OWED = (InvoiceStatus.OPEN, InvoiceStatus.PARTIALLY_PAID)
_CAME = (PaymentStatus.SUCCEEDED, PaymentStatus.REFUNDED, PaymentStatus.DISPUTED)


def note(document: Document) -> None:
    """Note what counted for nothing before: just issued, or just come."""
    append(counts_of(document))


@contextmanager
def noting(document: Document) -> Iterator[None]:
    """Note what the block changes of `document`, which the caller has locked."""
    before = counts_of(document)
    yield
    append(_difference(before, counts_of(document)))


def counts_of(document: Document) -> dict[Key, Count]:
    """What `document` counts for as it is."""
    return _COUNTED[document._meta.label_lower](document)


def _of_invoice(invoice: Invoice) -> dict[Key, Count]:
    if invoice.is_draft or invoice.issue_date is None or invoice.due_date is None:
        return {}
    place, status, issued = _Place(invoice), invoice.status, invoice.issue_date
    left = place.coins(invoice.open_amount)
    counts = {place.key(Kind.INVOICED, issued): Count(place.coins(invoice.amount), 1)}
    if invoice.amount_paid or invoice.is_paid:
        paid = Count(place.coins(invoice.amount_paid), int(invoice.is_paid))
        counts[place.key(Kind.PAID, issued)] = paid
    if status in _OWED:
        counts[place.key(Kind.UNPAID, issued)] = Count(left, 1)
        counts[place.key(Kind.OWED, invoice.due_date)] = Count(left, 1)
    elif status == InvoiceStatus.VOID:
        counts[place.key(Kind.VOIDED, place.day(invoice.voided_at))] = Count(left, 1)
    elif status == InvoiceStatus.UNCOLLECTIBLE:
        counts[place.key(Kind.WRITTEN_OFF, place.day(invoice.written_off_at))] = Count(left, 1)
    elif invoice.amount_paid:
        day = place.day(invoice.paid_at)
        counts[place.key(Kind.SETTLED, day)] = Count(0, 1, max((day - issued).days, 0))
    return counts


def _of_credit_note(note: CreditNote) -> dict[Key, Count]:
    place = _Place(note)
    day = note.issue_date or place.day(note.issued_at)
    return {place.key(Kind.CREDITED, day): Count(place.coins(note.amount), 1)}


def _of_payment(payment: Payment) -> dict[Key, Count]:
    if payment.status not in _CAME:
        return {}
    place = _Place(payment)
    day = payment.received_on or place.day(payment.succeeded_at)
    return {place.key(Kind.COLLECTED, day, payment.method): Count(place.coins(payment.amount), 1)}


def _of_refund(refund: Refund) -> dict[Key, Count]:
    if refund.status != RefundStatus.SUCCEEDED:
        return {}
    place = _Place(refund)
    day = refund.refunded_on or place.day(refund.succeeded_at)
    key = place.key(Kind.REFUNDED, day, refund.payment.method)
    return {key: Count(place.coins(refund.amount), 1)}


def _of_dispute(dispute: Dispute) -> dict[Key, Count]:
    payment = dispute.payment
    place = _Place(payment)
    if dispute.state == "open":
        key = place.key(Kind.DISPUTED, place.day(dispute.opened_at), payment.method)
    elif dispute.state == "lost":
        key = place.key(Kind.CHARGED_BACK, place.day(dispute.closed_at), payment.method)
    else:
        return {}
    return {key: Count(place.coins(dispute.amount), 1)}


_COUNTED: dict[str, Callable[[Any], dict[Key, Count]]] = {
    "billing.invoice": _of_invoice,
    "billing.creditnote": _of_credit_note,
    "billing.payment": _of_payment,
    "billing.refund": _of_refund,
    "billing.dispute": _of_dispute,
}


class _Place:
    """Where a document is counted: its website and currency."""

    def __init__(self, document: Invoice | CreditNote | Payment | Refund) -> None:
        self.document = document
        self.currency = document.currency
        self._digits = digits_of(document.currency)

    def key(self, kind: Kind, day: date, label: str = "") -> Key:
        return Key(self.document.website_id, self.currency, kind.value, label, day)

    def coins(self, amount: Decimal) -> int:
        return int(amount.scaleb(self._digits))

    def day(self, at: datetime | None) -> date:
        """The day there, at the website."""
        if at is None:
            raise ValueError("It has no time yet.")
        return at.astimezone(_zone(self.document.website.time_zone)).date()


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _difference(before: Counts, after: Counts) -> dict[Key, Count]:
    return {
        key: after.get(key, NOTHING).less(before.get(key, NOTHING)) for key in {**before, **after}
    }
