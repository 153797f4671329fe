"""Lines of a credit note: what of an invoice's lines is taken back, to the cent.

By quantity, a line's amounts are those of all that is credited of it by then less those of what was
credited before, so that parts never add up to a cent more or less than the line. By amount, the sum
is shared out over the invoice's tax rates in proportion to what is left at each, and the tax of a
rate is counted in the same way: what completes a rate takes all that is left of its tax.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from babel import Locale
from django.db import models
from django.utils.translation import gettext as _

from tallystick.billing import totals
from tallystick.billing.document_lines import DocumentLine, breakdown
from tallystick.billing.errors import BillingError
from tallystick.billing.lines import InvoiceLine
from tallystick.billing.totals import LineTotal, RateTotal
from tallystick.kit import spelling
from tallystick.kit.money import Money, digits_of, round_to

if TYPE_CHECKING:
    from tallystick.billing.invoices import Invoice

Rate = tuple[str, Decimal]


class BadCredit(BillingError):
    """This cannot be credited."""

    def __init__(
        self, words: str = "", *, pointer: str = "", **values: str | Decimal | Money
    ) -> None:
        """`values` stand in the words by their names; `pointer` says where in a request's body it is."""
        plain = {name: _plain(value) for name, value in values.items()}
        super().__init__(words % plain if values else words)
        self.words, self.values, self.pointer = words, values, pointer

    def spelled(self, locale: Locale) -> str:
        """The message, with its figures as readers of `locale` write them."""
        spelled = {name: _spelled(value, locale) for name, value in self.values.items()}
        return self.words % spelled if spelled else str(self)


class CreditNoteFixed(BillingError):
    """A line of a credit note neither changes nor goes."""


class CreditNoteLine(DocumentLine):
    """`invoice_line` is what it takes back; none where an amount was credited."""

    credit_note = models.ForeignKey(
        "billing.CreditNote", on_delete=models.PROTECT, related_name="lines"
    )
    invoice_line = models.ForeignKey(
        InvoiceLine, null=True, on_delete=models.PROTECT, related_name="credits"
    )

    class Meta(DocumentLine.Meta):
        abstract = False
        ordering = ["credit_note_id", "position", "id"]

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise CreditNoteFixed
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise CreditNoteFixed


@dataclass
class Left:
    """What can still be credited of `invoice`: per line and per rate."""

    invoice: Invoice
    lines: Sequence[InvoiceLine]
    earlier: Sequence[CreditNoteLine]
    quantities: dict[int, Decimal] = field(init=False)
    amounts: dict[int, LineTotal] = field(init=False)
    gross: dict[Rate, Decimal] = field(init=False)
    billed: dict[Rate, RateTotal] = field(init=False)
    credited: dict[Rate, RateTotal] = field(init=False)

    def __post_init__(self) -> None:
        self.quantities = {line.pk: line.quantity for line in self.lines}
        self.amounts = {line.pk: line.as_total() for line in self.lines}
        for line in self.earlier:
            if line.invoice_line_id is not None:
                self.quantities[line.invoice_line_id] -= line.quantity
                kept = self.amounts[line.invoice_line_id]
                self.amounts[line.invoice_line_id] = _less(kept, line.as_total())
        self.billed = _by_rate(self.invoice, self.lines)
        self.credited = _by_rate(self.invoice, self.earlier)
        self.gross = {
            rate: total.gross - self.credited_at(rate).gross for rate, total in self.billed.items()
        }

    def credited_at(self, rate: Rate) -> RateTotal:
        return self.credited.get(rate) or RateTotal(*rate, net=Decimal(0), tax=Decimal(0))

    def tax_in(self, rate: Rate, gross: Decimal) -> Decimal:
        """The tax in `gross` at `rate`: of all credited by then, less what was credited before."""
        billed, before = self.billed[rate], self.credited_at(rate)
        if gross == self.gross[rate]:
            return billed.tax - before.tax
        digits = digits_of(self.invoice.currency)
        if not billed.gross:
            return round_to(gross * rate[1] / (100 + rate[1]), digits)
        by_then = round_to(billed.tax * (before.gross + gross) / billed.gross, digits)
        low, high = sorted((Decimal(0), gross))
        return min(max(by_then - before.tax, low), high)

    @property
    def by_lines_alone(self) -> bool:
        return all(line.invoice_line_id is not None for line in self.earlier)


def left_of(invoice: Invoice) -> Left:
    earlier = CreditNoteLine.objects.filter(credit_note__invoice=invoice)
    return Left(invoice, list(invoice.lines.all()), list(earlier))


def whole(left: Left) -> list[CreditNoteLine]:
    """All that is left."""
    if not left.by_lines_alone:
        rest = sum(left.gross.values(), Decimal(0))
        return by_amount(left, left.invoice.money(rest))
    return by_quantity(left, {line: left.quantities[line.pk] for line in left.lines})


def by_quantity(left: Left, wanted: Mapping[InvoiceLine, Decimal]) -> list[CreditNoteLine]:
    """Of each line so much; raises `BadCredit`."""
    known = {line.pk: line for line in left.lines}
    if any(line.pk not in known for line in wanted):
        raise BadCredit(_("A line of another invoice cannot be credited here."))
    rows = [
        _of_line(left, known[line.pk], quantity) for line, quantity in wanted.items() if quantity
    ]
    _refuse_beyond(left, rows)
    return _numbered(rows)


def by_amount(left: Left, money: Money) -> list[CreditNoteLine]:
    """`money`, tax included, shared out over the rates; raises `BadCredit`."""
    rest = sum(left.gross.values(), Decimal(0))
    if not 0 < money.amount <= rest:
        words = _("More than 0 and at most %(rest)s can be credited.")
        raise BadCredit(words, pointer="/amount", rest=left.invoice.money(rest))
    rates = [rate for rate, gross in left.gross.items() if gross]
    exact = [left.gross[rate] * money.amount / rest for rate in rates]
    shares = totals.shared(exact, digits_of(money.currency))
    names = {(line.tax_code, line.tax_percent): line.tax_name for line in left.lines}
    return _numbered(
        [
            _of_rate(left, rate, names[rate], share)
            for rate, share in zip(rates, shares, strict=True)
            if share
        ]
    )


def _of_line(left: Left, line: InvoiceLine, quantity: Decimal) -> CreditNoteLine:
    rest = left.quantities[line.pk]
    if quantity * line.quantity < 0 or abs(quantity) > abs(rest):
        words = _("Of “%(line)s” between 0 and %(rest)s can be credited.")
        raise BadCredit(words, line=line.description[:60], rest=rest)
    if round_to(quantity, 4) != quantity:
        raise BadCredit(_("A quantity has at most 4 decimal places."))
    row = CreditNoteLine(
        invoice_line=line,
        quantity=quantity,
        unit_price=line.unit_price,
        discount_percent=line.discount_percent,
        product_id=line.product_id,
        product_code=line.product_code,
        description=line.description,
        tax_code=line.tax_code,
        tax_name=line.tax_name,
        tax_percent=line.tax_percent,
    )
    row.take(left.amounts[line.pk] if quantity == rest else _part(left, line, quantity))
    return row


def _part(left: Left, line: InvoiceLine, quantity: Decimal) -> LineTotal:
    """In proportion to all that is credited by then, less what was credited before."""
    digits = digits_of(left.invoice.currency)
    whole, rest = line.as_total(), left.amounts[line.pk]
    by_then = line.quantity - left.quantities[line.pk] + quantity

    def part(of: Decimal, still: Decimal) -> Decimal:
        return round_to(of * by_then / line.quantity, digits) - (of - still)

    return LineTotal(
        part(whole.amount, rest.amount),
        part(whole.discount, rest.discount),
        part(whole.tax, rest.tax),
    )


def _of_rate(left: Left, rate: Rate, name: str, gross: Decimal) -> CreditNoteLine:
    (code, percent), invoice = rate, left.invoice
    tax = left.tax_in(rate, gross)
    amount = gross if invoice.inclusive else gross - tax
    row = CreditNoteLine(
        description=_("Credit on invoice %(number)s") % {"number": invoice.number},
        quantity=Decimal(1),
        unit_price=amount,
        tax_code=code,
        tax_name=name,
        tax_percent=percent,
    )
    row.take(LineTotal(amount, Decimal(0), tax))
    return row


def _refuse_beyond(left: Left, rows: Sequence[CreditNoteLine]) -> None:
    """What was credited by amount is of no line; together they stay within each rate."""
    for rate, asked in _by_rate(left.invoice, rows).items():
        rest, gross = left.gross[rate], asked.gross
        if gross and (gross * rest <= 0 or abs(gross) > abs(rest)):
            words = _("At %(percent)s %% only %(rest)s can still be credited.")
            raise BadCredit(words, percent=rate[1], rest=left.invoice.money(rest))


def _by_rate(invoice: Invoice, lines: Iterable[DocumentLine]) -> dict[Rate, RateTotal]:
    rates = breakdown(lines, inclusive=invoice.inclusive)
    return {(rate.tax_code, rate.percent): rate for rate in rates}


def _plain(value: str | Decimal | Money) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def _spelled(value: str | Decimal | Money, locale: Locale) -> str:
    if isinstance(value, Money):
        return f"{spelling.amount(value.amount, value.currency, locale)} {value.currency}"
    return spelling.number(value, locale) if isinstance(value, Decimal) else value


def _less(total: LineTotal, part: LineTotal) -> LineTotal:
    return LineTotal(
        total.amount - part.amount, total.discount - part.discount, total.tax - part.tax
    )


def _numbered(rows: list[CreditNoteLine]) -> list[CreditNoteLine]:
    for position, row in enumerate(rows, start=1):
        row.position = position
    return rows
