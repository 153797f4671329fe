"""What the entries of wallets are about: the credit note, the payment, and the invoices it paid."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import prefetch_related_objects

from tallystick.billing.credit_notes import CreditNote
from tallystick.billing.invoices import Invoice
from tallystick.billing.payment_rows import Payment
from tallystick.billing.wallets import WalletEntry


@dataclass(frozen=True, slots=True)
class Origin:
    """`invoices`: those that `payment` paid, or was to pay."""

    payment: Payment | None = None
    note: CreditNote | None = None
    invoices: tuple[Invoice, ...] = ()


def origins(rows: Iterable[WalletEntry]) -> list[tuple[WalletEntry, Origin]]:
    """Each entry and what it is about. Five queries, however many there are."""
    entries = list(rows)
    prefetch_related_objects(entries, "payment__invoice", "payment__allocations__invoice")
    wanted = [uid for uid in map(_note_named, entries) if uid]
    found = CreditNote.objects.everywhere().filter(uid__in=wanted) if wanted else ()
    notes = {note.uid: note for note in found}
    return [(entry, _origin(entry, notes)) for entry in entries]


def _origin(entry: WalletEntry, notes: Mapping[uuid.UUID, CreditNote]) -> Origin:
    payment, named = entry.payment, _note_named(entry)
    note = notes.get(named) if named else None
    if payment is None:
        return Origin(note=note)
    paid = {each.invoice_id: each.invoice for each in payment.allocations.all()}
    if not paid and payment.invoice is not None:
        paid = {payment.invoice.pk: payment.invoice}
    return Origin(payment, note, tuple(paid.values()))


def _note_named(entry: WalletEntry) -> uuid.UUID | None:
    """The credit note that the entry's key begins with."""
    if entry.reason != WalletEntry.Reason.CREDIT_NOTE:
        return None
    try:
        return uuid.UUID(hex=entry.key.split(":")[1])
    except (IndexError, ValueError):
        return None
