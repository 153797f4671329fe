"""Lines of an invoice: as asked for, and as kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import models

from tallystick.billing.document_lines import PLACES, DocumentLine
from tallystick.billing.errors import BillingError
from tallystick.billing.products import Product
from tallystick.billing.taxes import TaxRate
from tallystick.kit.money import BadAmount, MoneyError, parse_amount, round_to

if TYPE_CHECKING:
    from tallystick.billing.invoices import Invoice

_MAX_QUANTITY = Decimal(10) ** 9
_MAX_UNIT_PRICE = Decimal(10) ** 11
MAX_LINES = 1000


class NoLines(BillingError):
    """An invoice needs at least one line."""


class TooManyLines(BillingError):
    """An invoice has at most 1000 lines."""


class BadLine(BillingError, MoneyError):
    """A line of the invoice cannot be used."""


@dataclass(frozen=True, slots=True)
class LineDraft:
    """A line to be. What is left out comes from `product`: its name, price and tax rate.

    `discount_percent` is per cent of the line's price."""

    description: str = ""
    quantity: Decimal = Decimal(1)
    unit_price: Decimal | None = None
    discount_percent: Decimal = Decimal(0)
    tax_rate: TaxRate | None = None
    product: Product | None = None


class InvoiceLine(DocumentLine):
    invoice = models.ForeignKey("billing.Invoice", on_delete=models.CASCADE, related_name="lines")
    tax_rate = models.ForeignKey(
        TaxRate, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta(DocumentLine.Meta):
        abstract = False
        ordering = ["invoice_id", "position", "id"]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Raises `NotADraft` when the invoice is issued."""
        self.invoice.refuse_edit()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        self.invoice.refuse_edit()
        return super().delete(*args, **kwargs)

    def copy_tax_rate(self) -> None:
        rate = self.tax_rate
        self.tax_code = rate.code if rate else ""
        self.tax_name = rate.name if rate else ""
        self.tax_percent = rate.percent if rate else Decimal(0)


def build(invoice: Invoice, drafts: Sequence[LineDraft]) -> list[InvoiceLine]:
    """Unsaved lines of `invoice`; raises `BadLine`, which says the line's number and why."""
    if len(drafts) > MAX_LINES:
        raise TooManyLines
    lines = []
    for position, draft in enumerate(drafts, start=1):
        try:
            lines.append(_built(invoice, draft, position))
        except MoneyError as error:
            raise BadLine(f"Line {position}: {error}") from None
    return lines


def _built(invoice: Invoice, draft: LineDraft, position: int) -> InvoiceLine:
    product = draft.product
    rate = draft.tax_rate or (product.tax_rate if product else None)
    _refuse_foreign(invoice, product, rate)
    description = draft.description.strip() or (product.name if product else "")
    if not description:
        raise BadLine("it needs a description or a product.")
    line = InvoiceLine(
        invoice=invoice,
        position=position,
        product=product,
        product_code=product.code if product else "",
        description=description,
        quantity=_number(draft.quantity, _MAX_QUANTITY, "quantity"),
        unit_price=_number(_price(invoice, draft), _MAX_UNIT_PRICE, "unit price"),
        discount_percent=_discount(draft),
        tax_rate=rate,
    )
    line.copy_tax_rate()
    return line


def _refuse_foreign(invoice: Invoice, product: Product | None, rate: TaxRate | None) -> None:
    for thing in (product, rate):
        if thing is not None and thing.website_id != invoice.website_id:
            raise BadLine(f"{thing} belongs to another website.")


def _price(invoice: Invoice, draft: LineDraft) -> Decimal:
    if draft.unit_price is not None:
        return draft.unit_price
    if draft.product is None:
        raise BadLine("it needs a unit price.")
    if draft.product.currency != invoice.currency:
        raise BadLine(
            f"{draft.product} is priced in {draft.product.currency}, "
            f"the invoice is in {invoice.currency}."
        )
    return draft.product.price


def _discount(draft: LineDraft) -> Decimal:
    percent = _number(draft.discount_percent, Decimal(1000), "discount")
    most = draft.product.max_discount_percentage if draft.product else Decimal(100)
    if not 0 <= percent <= most:
        raise BadLine(f"the discount is from 0 to {most.normalize():f} per cent.")
    return percent


def _number(value: Decimal, limit: Decimal, what: str) -> Decimal:
    number = parse_amount(value)
    if abs(number) >= limit:
        raise BadAmount(f"the {what} is too large.")
    if round_to(number, PLACES) != number:
        raise BadAmount(f"the {what} has at most {PLACES} decimal places.")
    return number
