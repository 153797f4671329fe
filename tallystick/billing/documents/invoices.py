"""An invoice as PDF."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import override

from tallystick.billing import typesetting
from tallystick.billing.banking import epc
from tallystick.billing.banking.references import grouped, structured_reference
from tallystick.billing.documents.lined import Lined
from tallystick.billing.letterheads import Row, row
from tallystick.billing.states import InvoiceStatus
from tallystick.kit import spelling

if TYPE_CHECKING:
    from tallystick.billing.invoices import Invoice


def invoice_pdf(invoice: Invoice) -> bytes:
    """The invoice as an archivable, accessible PDF (PDF/A-3a, PDF/UA-1)."""
    with override(invoice.website.language):
        data = _InvoiceData(invoice).whole()
    return typesetting.pdf("invoice", data, invoice.issued_at or invoice.created_at)


class _InvoiceData(Lined):
    def __init__(self, invoice: Invoice) -> None:
        super().__init__(invoice, list(invoice.lines.all()))
        self.invoice = invoice

    def whole(self) -> Row:
        invoice = self.invoice
        kind = _kind(invoice)
        return {
            **self.frame(f"{kind} {invoice.number or invoice.reference_id}", kind),
            "facts": self._facts(),
            **self.body(),
            "text": invoice.description,
            "totals": self._totals(),
            "payment": self._payment(),
            "closing": "",
        }

    def _facts(self) -> list[tuple[str, str]]:
        invoice = self.invoice
        facts = [
            (_("Invoice number"), invoice.number or "\N{EN DASH}"),
            (_("Issued"), self.day(invoice.issue_date)),
            (_("Due"), self.day(invoice.due_date)),
            (_("Reference"), invoice.reference_id),
        ]
        return facts + ([(_("Your reference"), invoice.reference)] if invoice.reference else [])

    def _totals(self) -> list[Row]:
        invoice = self.invoice
        rows = self.sum_rows()
        if invoice.amount_credited:
            rows.append(row(_("Credited"), self.amount(-invoice.amount_credited)))
        if invoice.amount_paid:
            rows.append(row(_("Paid"), self.amount(-invoice.amount_paid)))
        due = _("Amount due in {currency}").format(currency=self.currency)
        owed = invoice.amount if invoice.status == InvoiceStatus.DRAFT else invoice.amount_due
        return [*rows, row(due, self.amount(owed), "strong")]

    def _payment(self) -> Row | None:
        invoice = self.invoice
        if not invoice.amount_due:
            return None
        link = "" if invoice.token_revoked_at else invoice.url
        return {
            "heading": _("How to pay"),
            "rows": _bank_rows(self.seller, grouped(structured_reference(invoice))),
            "code": epc.qr_svg(payload).decode() if (payload := epc.epc_payload(invoice)) else "",
            "code_label": _("Scan to pay"),
            "code_alt": _(
                "The same transfer as a code that banking apps read: account, amount, reference."
            ),
            "link": link,
            "link_label": _("Pay online:"),
        }


def _kind(invoice: Invoice) -> str:
    if invoice.status == InvoiceStatus.DRAFT:
        return _("Draft of an invoice")
    return _("Void invoice") if invoice.status == InvoiceStatus.VOID else _("Invoice")


def _bank_rows(seller: dict[str, str], reference: str) -> list[tuple[str, str]]:
    if not seller.get("iban"):
        return []
    rows = [
        (_("Account holder"), seller["name"]),
        (_("Bank"), seller.get("bank_name", "")),
        ("IBAN", spelling.iban(seller["iban"])),
        ("BIC", seller.get("bic", "")),
        (_("Reference"), reference),
    ]
    return [row for row in rows if row[1]]
