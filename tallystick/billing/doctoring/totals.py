"""Do the lines of each issued document add up to what it says?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tallystick.accounts.models import Website
from tallystick.billing import totals
from tallystick.billing.credit_note_lines import CreditNoteLine
from tallystick.billing.credit_notes import CreditNote
from tallystick.billing.doctoring.findings import Finding, differs, name_of
from tallystick.billing.doctoring.paging import grouped, keys, pages
from tallystick.billing.document_lines import DocumentLine
from tallystick.billing.invoices import Invoice
from tallystick.billing.lines import InvoiceLine
from tallystick.billing.sales_documents import DRAFT, SalesDocument
from tallystick.kit.money import MoneyError

_ADVICE = (
    "A document that is issued does not change: find out who changed the row, and put it back as "
    "the PDF or the client's copy has it."
)


def look(websites: Sequence[Website]) -> Iterator[Finding]:
    """A draft's lines may be ahead of its amounts until it is issued, so drafts are left out."""
    invoices = Invoice.objects.of(websites).exclude(status=DRAFT)
    for page in pages(invoices):
        lines = grouped(InvoiceLine.objects.filter(invoice__in=keys(page)), "invoice_id")
        for invoice in page:
            yield from _document(invoice, sorted(lines[invoice.pk], key=_place))
    for notes in pages(CreditNote.objects.of(websites)):
        credited = grouped(CreditNoteLine.objects.filter(credit_note__in=keys(notes)), _NOTE)
        for note in notes:
            yield from _document(note, sorted(credited[note.pk], key=_place))


_NOTE = "credit_note_id"


def _place(line: Any) -> tuple[int, int]:  # noqa: ANN401 - a line of either kind
    return line.position, line.pk


def _document(document: SalesDocument, lines: Sequence[DocumentLine]) -> Iterator[Finding]:
    if not lines:
        yield Finding(name_of(document), "lines", "at least one", "none", _ADVICE)
        return
    try:
        result = _computed(document, lines)
    except MoneyError as error:
        yield Finding(name_of(document), "lines", "amounts that add up", str(error), _ADVICE)
        return
    for line, right in zip(lines, result.lines, strict=True):
        found = line.as_total()
        if found != right:
            field = f"line {line.position}, amount, discount and tax"
            yield Finding(name_of(document), field, _spelled(right), _spelled(found), _ADVICE)
    amounts = {
        "subtotal": result.subtotal,
        "discount": result.discount,
        "tax": result.tax,
        "amount": result.total,
    }
    for field, amount in amounts.items():
        yield from differs(document, field, amount, getattr(document, field), _ADVICE)


def _computed(document: SalesDocument, lines: Sequence[DocumentLine]) -> totals.Totals:
    """A credit note's lines are given: what is left of a line is not what its quantity says."""
    inputs = [line.as_input() for line in lines]
    if isinstance(document, Invoice):
        return totals.compute(
            inputs, document.currency, inclusive=document.inclusive, rounding=document.rounding
        )
    given = [line.as_total() for line in lines]
    return totals.add_up(inputs, given, document.currency, inclusive=document.inclusive)


def _spelled(total: totals.LineTotal) -> str:
    amounts = (total.amount, total.discount, total.tax)
    return ", ".join(f"{amount.normalize():f}" for amount in amounts)
