"""The receipt for a payment as PDF."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import override

from tallystick.billing import allocations, methods, typesetting
from tallystick.billing.letterheads import Letterhead, Row, row

if TYPE_CHECKING:
    from tallystick.billing.invoices import Invoice
    from tallystick.billing.payments import Payment


def receipt_pdf(payment: Payment) -> bytes:
    """The receipt for `payment`, which has succeeded, in the same form as the invoice."""
    with override(payment.website.language):
        data = _ReceiptData(payment).whole()
    return typesetting.pdf("receipt", data, payment.succeeded_at or payment.created_at)


def method_label(payment: Payment) -> str:
    """What the way it was paid is called, to who paid."""
    if payment.method == methods.MANUAL.name:
        return _("Bank transfer or cash")
    try:
        return str(methods.named(payment.method).label)
    except methods.UnknownMethod:
        return payment.method.replace("_", " ").capitalize()


class _ReceiptData(Letterhead):
    def __init__(self, payment: Payment) -> None:
        invoice = payment.invoice
        seller = invoice.as_seller() if invoice else payment.website.as_party()
        super().__init__(payment.website, seller, payment.currency)
        self.payment = payment
        self.invoice = invoice
        self.buyer = invoice.as_buyer() if invoice else payment.account.as_party()

    def whole(self) -> Row:
        kind = _("Receipt")
        payer = _("Received from {name}. Thank you.").format(name=self.buyer["name"])
        return {
            **self.frame(f"{kind} {self.payment.uid.hex[:12].upper()}", kind),
            "facts": self._facts(),
            "amount": {
                "label": _("Amount received"),
                "figures": self.amount(self.payment.amount),
                "currency": self.currency,
            },
            "sentence": payer,
            "parties": [
                self.party(_("Received by"), self.seller),
                self.party(_("From"), self.buyer),
            ],
            "columns": [_("Used for"), _("Amount in {currency}").format(currency=self.currency)],
            "lines": self._uses(),
            "totals": self._totals(),
        }

    def _facts(self) -> list[tuple[str, str]]:
        payment = self.payment
        facts = [
            (_("Receipt number"), payment.uid.hex[:12].upper()),
            (_("Received"), self.day(payment.received_on)),
            (_("Paid by"), method_label(payment)),
        ]
        return facts + ([(_("Reference"), payment.reference)] if payment.reference else [])

    def _uses(self) -> list[tuple[str, str]]:
        uses = [
            (_invoice_name(invoice), amount)
            for invoice, amount in allocations.by_invoice(self.payment)
        ]
        if self.payment.amount_refunded:
            uses.append((_("Refunded"), self.payment.amount_refunded))
        kept = self.payment.amount - sum((amount for _name, amount in uses), Decimal(0))
        if kept:
            uses.append((_("Kept in the wallet"), kept))
        return [(name, self.amount(amount)) for name, amount in uses]

    def _totals(self) -> list[Row]:
        received = _("Received in {currency}").format(currency=self.currency)
        rows = [row(received, self.amount(self.payment.amount), "strong")]
        if self.invoice and self.invoice.is_payable:
            rows.append(row(_("Still due"), self.amount(self.invoice.amount_due)))
        return rows


def _invoice_name(invoice: Invoice) -> str:
    name = _("Invoice {number}").format(number=invoice.number)
    return f"{name} · {invoice.title}" if invoice.title else name
