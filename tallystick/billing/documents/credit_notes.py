"""A credit note as PDF."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import override

from tallystick.billing import typesetting
from tallystick.billing.documents.lined import Lined
from tallystick.billing.letterheads import Row, row

if TYPE_CHECKING:
    from tallystick.billing.credit_notes import CreditNote


def credit_note_pdf(note: CreditNote) -> bytes:
    """The credit note in the same form as the invoice."""
    with override(note.website.language):
        data = _CreditNoteData(note).whole()
    return typesetting.pdf("invoice", data, note.issued_at or note.created_at)


class _CreditNoteData(Lined):
    def __init__(self, note: CreditNote) -> None:
        super().__init__(note, list(note.lines.all()))
        self.note = note

    def whole(self) -> Row:
        kind = _("Credit note")
        return {
            **self.frame(f"{kind} {self.note.number}", kind),
            "facts": self._facts(),
            **self.body(),
            "text": self.note.reason,
            "totals": self._totals(),
            "payment": None,
            "closing": self._closing(),
        }

    def _facts(self) -> list[tuple[str, str]]:
        note, invoice = self.note, self.note.invoice
        facts = [
            (_("Credit note number"), note.number),
            (_("Issued"), self.day(note.issue_date)),
            (_("For invoice"), invoice.number),
            (_("Invoice date"), self.day(invoice.issue_date)),
        ]
        return facts + ([(_("Your reference"), invoice.reference)] if invoice.reference else [])

    def _totals(self) -> list[Row]:
        credited = _("Credited in {currency}").format(currency=self.currency)
        return [*self.sum_rows()[:-1], row(credited, self.amount(self.note.amount), "strong")]

    def _closing(self) -> str:
        """What becomes of the money."""
        note = self.note
        owed = note.amount - note.released
        parts = []
        if owed:
            parts.append(
                _("You owe {amount} less on invoice {number}.").format(
                    amount=self.figures(owed), number=note.invoice.number
                )
            )
        if note.released:
            parts.append(
                _("{amount} of it you had paid already: it is yours again.").format(
                    amount=self.figures(note.released)
                )
            )
        return " ".join(parts)
