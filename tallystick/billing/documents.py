"""Invoice and receipt as PDF, in the website's language and number formats."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from babel import Locale
from django.utils.translation import gettext as _
from django.utils.translation import override

from tallystick.billing import methods, typesetting
from tallystick.billing.letterheads import Letterhead, Row, aligned, row
from tallystick.billing.rates import rates
from tallystick.billing.states import InvoiceStatus
from tallystick.kit import spelling

if TYPE_CHECKING:
    from tallystick.billing.invoices import Invoice
    from tallystick.billing.lines import InvoiceLine
    from tallystick.billing.payments import Payment


def invoice_pdf(invoice: Invoice) -> bytes:
    """The invoice as an archivable, accessible PDF (PDF/A-3a, PDF/UA-1)."""
    with override(invoice.website.language):
        data = _InvoiceData(invoice).whole()
    return typesetting.pdf("invoice", data, invoice.issued_at or invoice.created_at)


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


class _InvoiceData(Letterhead):
    def __init__(self, invoice: Invoice) -> None:
        super().__init__(invoice.website, invoice.as_seller(), invoice.currency)
        self.invoice = invoice
        self.lines = list(invoice.lines.all())
        self.rates = rates(invoice, self.lines, self.locale)

    def whole(self) -> Row:
        invoice = self.invoice
        kind = _kind(invoice)
        return {
            **self.frame(f"{kind} {invoice.number or invoice.reference_id}", kind),
            "facts": self._facts(),
            "parties": [
                self.party(_("From"), self.seller),
                self.party(_("Billed to"), invoice.as_buyer()),
            ],
            "heading": invoice.title,
            "text": invoice.description,
            "columns": self._columns(),
            "lines": self._line_rows(),
            "totals": self._totals(),
            "taxes": self._taxes(),
            "payment": self._payment(),
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

    def _columns(self) -> list[str]:
        amount = _("Amount in {currency}").format(currency=self.currency)
        return [_("Description"), _("Quantity"), _("Price"), _("Tax"), amount]

    def _line_rows(self) -> list[Row]:
        quantities = [spelling.number(line.quantity, self.locale) for line in self.lines]
        prices = [
            spelling.price(line.unit_price, self.currency, self.locale) for line in self.lines
        ]
        pairs = zip(aligned(quantities, self.locale), aligned(prices, self.locale), strict=True)
        return [
            {
                "description": _description(line, self.locale),
                "quantity": quantity,
                "price": price,
                "tax": spelling.percent(line.tax_percent, self.locale),
                "amount": self.amount(line.amount),
            }
            for line, (quantity, price) in zip(self.lines, pairs, strict=True)
        ]

    def _totals(self) -> list[Row]:
        invoice = self.invoice
        rows = [row(_("Subtotal"), self.amount(invoice.subtotal))]
        rows += [row(rate.name, self.amount(rate.tax)) for rate in self.rates]
        rows.append(row(_("Total"), self.amount(invoice.amount), "sum"))
        if invoice.amount_paid:
            rows.append(row(_("Paid"), self.amount(-invoice.amount_paid)))
        due = _("Amount due in {currency}").format(currency=self.currency)
        owed = invoice.amount if invoice.status == InvoiceStatus.DRAFT else invoice.amount_due
        return [*rows, row(due, self.amount(owed), "strong")]

    def _taxes(self) -> Row:
        return {
            "heading": _("Tax"),
            "columns": [_("Rate"), _("Net"), _("Tax"), _("Gross")],
            "rows": [
                [rate.name, *map(self.amount, (rate.net, rate.tax, rate.gross))]
                for rate in self.rates
            ],
        }

    def _payment(self) -> Row | None:
        invoice = self.invoice
        if not invoice.amount_due:
            return None
        link = "" if invoice.token_revoked_at else invoice.url
        return {
            "heading": _("How to pay"),
            "rows": _bank_rows(self.seller, invoice.reference_id),
            "link": link,
            "link_label": _("Pay online:"),
        }


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
            (_invoice_name(allocation.invoice), allocation.amount)
            for allocation in self.payment.allocations.select_related("invoice")
        ]
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


def _kind(invoice: Invoice) -> str:
    if invoice.status == InvoiceStatus.DRAFT:
        return _("Draft of an invoice")
    return _("Void invoice") if invoice.status == InvoiceStatus.VOID else _("Invoice")


def _description(line: InvoiceLine, locale: Locale) -> str:
    if not line.discount_percent:
        return line.description
    less = _("less {percent} discount").format(
        percent=spelling.percent(line.discount_percent, locale)
    )
    return f"{line.description}\n{less}"


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
