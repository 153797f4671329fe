"""What a line of any sales document holds."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from django.db import models
from django.db.models import Q

from tallystick.billing import lengths, totals
from tallystick.billing.fields import AmountField, PercentField
from tallystick.billing.products import Product

PLACES = 4


class DocumentLine(models.Model):
    """`amount` is after discount, with the tax in it on an inclusive document, without it on an
    exclusive one; `discount` is what the discount took off; `tax_amount` the line's share of the
    tax. The tax rate is copied, so that a later change of it changes nothing here."""

    position = models.PositiveSmallIntegerField(default=0)
    product = models.ForeignKey(
        Product, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    product_code = models.CharField(max_length=120, blank=True)
    description = models.TextField(max_length=lengths.LINE)
    quantity = models.DecimalField(max_digits=13, decimal_places=PLACES, default=Decimal(1))
    unit_price = AmountField()
    discount_percent = PercentField()
    tax_code = models.CharField(max_length=40, blank=True)
    tax_name = models.CharField(max_length=80, blank=True)
    tax_percent = PercentField()
    discount = AmountField(default=Decimal(0))
    amount = AmountField(default=Decimal(0))
    tax_amount = AmountField(default=Decimal(0))

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(discount_percent__gte=0, discount_percent__lte=100),
                name="%(class)s_discount",
            ),
            models.CheckConstraint(
                condition=Q(tax_percent__gte=0, tax_percent__lte=100), name="%(class)s_tax"
            ),
        ]

    def __str__(self) -> str:
        return self.description[:60]

    def as_input(self) -> totals.Line:
        return totals.Line(
            quantity=self.quantity,
            unit_price=self.unit_price,
            discount=self.discount_percent,
            tax_code=self.tax_code,
            percent=self.tax_percent,
        )

    def as_total(self) -> totals.LineTotal:
        """The kept amounts."""
        return totals.LineTotal(self.amount, self.discount, self.tax_amount)

    def take(self, total: totals.LineTotal) -> bool:
        """Take over what was computed; whether that changed anything."""
        before = self.as_total()
        self.amount, self.discount, self.tax_amount = total.amount, total.discount, total.tax
        return before != total


def breakdown(lines: Iterable[DocumentLine], *, inclusive: bool) -> list[totals.RateTotal]:
    """What was taxed at each rate, from the kept amounts of `lines`."""
    kept = list(lines)
    return list(
        totals.breakdown(
            [line.as_input() for line in kept],
            [line.as_total() for line in kept],
            inclusive=inclusive,
        )
    )
