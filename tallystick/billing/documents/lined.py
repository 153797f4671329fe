"""What documents with lines have in common: the lines, and the tax by rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from babel import Locale
from django.utils.translation import gettext as _

from tallystick.billing.letterheads import Letterhead, Row, aligned, row
from tallystick.billing.rates import rates
from tallystick.kit import spelling

if TYPE_CHECKING:
    from tallystick.billing.document_lines import DocumentLine
    from tallystick.billing.sales_documents import SalesDocument


class Lined(Letterhead):
    """A document of the website with lines."""

    def __init__(self, document: SalesDocument, lines: Sequence[DocumentLine]) -> None:
        super().__init__(document.website, document.as_seller(), document.currency)
        self.document = document
        self.lines = lines
        self.rates = rates(document, lines, self.locale)

    def body(self) -> Row:
        """Parties, lines and tax."""
        return {
            "parties": [
                self.party(_("From"), self.seller),
                self.party(_("Billed to"), self.document.as_buyer()),
            ],
            "heading": self.document.title,
            "columns": self._columns(),
            "lines": self._line_rows(),
            "taxes": self._taxes(),
        }

    def sum_rows(self) -> list[Row]:
        """From the subtotal to the total."""
        rows = [row(_("Subtotal"), self.amount(self.document.subtotal))]
        rows += [row(rate.name, self.amount(rate.tax)) for rate in self.rates]
        return [*rows, row(_("Total"), self.amount(self.document.amount), "sum")]

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

    def _taxes(self) -> Row:
        return {
            "heading": _("Tax"),
            "columns": [_("Rate"), _("Net"), _("Tax"), _("Gross")],
            "rows": [
                [rate.name, *map(self.amount, (rate.net, rate.tax, rate.gross))]
                for rate in self.rates
            ],
        }


def _description(line: DocumentLine, locale: Locale) -> str:
    if not line.discount_percent:
        return line.description
    less = _("less {percent} discount").format(
        percent=spelling.percent(line.discount_percent, locale)
    )
    return f"{line.description}\n{less}"
