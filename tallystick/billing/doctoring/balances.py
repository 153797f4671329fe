"""Does each invoice say what its allocations and credit notes add up to?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from tallystick.accounts.models import Website
from tallystick.billing.credit_notes import CreditNote
from tallystick.billing.doctoring.findings import Finding, differs
from tallystick.billing.doctoring.paging import keys, pages, sums
from tallystick.billing.invoices import Invoice
from tallystick.billing.payment_rows import Allocation
from tallystick.billing.states import InvoiceStatus

_PAID = "Its allocations are the ledger: compare them with what came, then mend the column."
_CREDITED = "Its credit notes are the documents: compare them, then mend the column."
_STATUS = "The amounts decide the state: mend the column, and tell whoever read it meanwhile."


def look(websites: Sequence[Website]) -> Iterator[Finding]:
    for page in pages(Invoice.objects.of(websites)):
        paid = sums(Allocation.objects.filter(invoice__in=keys(page)), "invoice_id")
        notes = CreditNote.objects.of(websites).filter(invoice__in=keys(page))
        credited = sums(notes, "invoice_id")
        for invoice in page:
            yield from _invoice(invoice, paid[invoice.pk], credited[invoice.pk])


def _invoice(invoice: Invoice, paid: Decimal, credited: Decimal) -> Iterator[Finding]:
    yield from differs(invoice, "amount_paid", paid, invoice.amount_paid, _PAID)
    yield from differs(invoice, "amount_credited", credited, invoice.amount_credited, _CREDITED)
    left = invoice.amount - paid - credited
    if left < 0 and not invoice.is_draft:
        yield from differs(invoice, "what is left to pay", "0 or more", left, _PAID)
        return
    right = _status(invoice, paid, left)
    yield from differs(invoice, "status", right, invoice.status, _STATUS)
    for field, state in (
        ("paid_at", InvoiceStatus.PAID),
        ("voided_at", InvoiceStatus.VOID),
        ("written_off_at", InvoiceStatus.UNCOLLECTIBLE),
    ):
        when = "a time" if right == state else "none"
        found = "none" if getattr(invoice, field) is None else "a time"
        yield from differs(invoice, field, when, found, _STATUS)


def _status(invoice: Invoice, paid: Decimal, left: Decimal) -> str:
    """The state that its amounts allow; where they allow several, the one that it is in."""
    status = InvoiceStatus(invoice.status)
    if status is InvoiceStatus.DRAFT or (status is InvoiceStatus.VOID and not paid):
        return status.value
    if not left:
        return InvoiceStatus.PAID.value
    if status is InvoiceStatus.UNCOLLECTIBLE:
        return status.value
    return (InvoiceStatus.PARTIALLY_PAID if paid else InvoiceStatus.OPEN).value
