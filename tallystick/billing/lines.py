"""Lines of an invoice: as asked for, and as kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q

from tallystick.billing import totals
from tallystick.billing.errors import BillingError
from tallystick.billing.fields import AmountField, PercentField
from tallystick.billing.products import Product
from tallystick.billing.taxes import TaxRate
from tallystick.kit.money import BadAmount, MoneyError, parse_amount, round_to

if TYPE_CHECKING:
    from tallystick.billing.invoices import Invoice

_PLACES = 4
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


class InvoiceLine(models.Model):
    """`amount` is after discount, with the tax in it on an inclusive invoice, without it on an
    exclusive one; `discount` is what the discount took off; `tax_amount` the line's share of the
    tax. The tax rate is copied, so that a later change of it changes nothing here."""

    invoice = models.ForeignKey("billing.Invoice", on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField(default=0)
    product = models.ForeignKey(
        Product, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    product_code = models.CharField(max_length=120, blank=True)
    description = models.TextField()
    quantity = models.DecimalField(max_digits=13, decimal_places=_PLACES, default=Decimal(1))
    unit_price = AmountField()
    discount_percent = PercentField()
    tax_rate = models.ForeignKey(
        TaxRate, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    tax_code = models.CharField(max_length=40, blank=True)
    tax_name = models.CharField(max_length=80, blank=True)
    tax_percent = PercentField()
    discount = AmountField(default=Decimal(0))
    amount = AmountField(default=Decimal(0))
    tax_amount = AmountField(default=Decimal(0))

    class Meta:
        ordering = ["invoice_id", "position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(discount_percent__gte=0, discount_percent__lte=100),
                name="line_discount",
            ),
            models.CheckConstraint(
                condition=Q(tax_percent__gte=0, tax_percent__lte=100), name="line_tax"
            ),
        ]

    def __str__(self) -> str:
        return self.description[:60]

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

    def as_input(self) -> totals.Line:
        return totals.Line(
            quantity=self.quantity,
            unit_price=self.unit_price,
            discount=self.discount_percent,
            tax_code=self.tax_code,
            percent=self.tax_percent,
        )

    def take(self, total: totals.LineTotal) -> bool:
        """Take over what was computed; whether that changed anything."""
        before = (self.amount, self.discount, self.tax_amount)
        self.amount, self.discount, self.tax_amount = total.amount, total.discount, total.tax
        return before != (total.amount, total.discount, total.tax)


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


def breakdown(lines: Iterable[InvoiceLine], *, inclusive: bool) -> list[totals.RateTotal]:
    """What was taxed at each rate, from the kept amounts of `lines`."""
    kept = list(lines)
    return list(
        totals.breakdown(
            [line.as_input() for line in kept],
            [totals.LineTotal(line.amount, line.discount, line.tax_amount) for line in kept],
            inclusive=inclusive,
        )
    )


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
    if round_to(number, _PLACES) != number:
        raise BadAmount(f"the {what} has at most {_PLACES} decimal places.")
    return number
