"""The lines of an invoice, written so that the server's own sums arrive at our total.

It computes quantity x unit price less the discount and rounds each line to the currency. With the
tax on top, some releases round that of each line, others keep four places of it and round the sum;
with the tax inside, the lines alone make the total.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal

from tallystick.kit.money import digits_of, round_to
from tallystick.ports.errors import Refused
from tallystick.ports.records import Invoice, Line
from tallystick.providers.invoiceninja.desk import Payload
from tallystick.providers.invoiceninja.products import product_key
from tallystick.providers.invoiceninja.taxes import TaxRates
from tallystick.providers.invoiceninja.wording import exact, fitted

_NOTES = 4000
_PLACES = 6
_TAX_PLACES = 4
_ZERO = Decimal(0)
_ONE = Decimal(1)
_HUNDRED = Decimal(100)


def elements(invoice: Invoice, taxes: TaxRates) -> Payload:
    """The lines, and whether the tax is inside. Raises `Refused` when they do not add up."""
    stated = sum((line.amount for line in invoice.lines), _ZERO)
    tax = sum((line.tax_amount for line in invoice.lines), _ZERO)
    if tax != invoice.tax or stated + (_ZERO if invoice.inclusive else tax) != invoice.total:
        raise Refused("The lines do not add up to the invoice: another total would come of them.")
    digits = digits_of(invoice.currency)
    is_inside = invoice.inclusive or not _is_summed_alike(invoice, digits)
    lines = [
        line if is_inside == invoice.inclusive else _with_tax_inside(line) for line in invoice.lines
    ]
    return {
        "uses_inclusive_taxes": is_inside,
        "line_items": [_element(line, digits, taxes, is_inside=is_inside) for line in lines],
    }


def _is_summed_alike(invoice: Invoice, digits: int) -> bool:
    """Whether tax on top comes to ours, wherever the server's release rounds it."""
    of_rate: dict[Decimal, Decimal] = defaultdict(Decimal)
    by_line = _ZERO
    for line in invoice.lines:
        percent = line.tax.percent if line.tax else _ZERO
        exactly = line.amount * percent / _HUNDRED
        by_line += round_to(exactly, digits)
        of_rate[percent] += round_to(exactly, _TAX_PLACES)
    by_rate = sum((round_to(tax, digits) for tax in of_rate.values()), _ZERO)
    at_last = round_to(sum(of_rate.values(), _ZERO), digits)
    return by_line == by_rate == at_last == invoice.tax


def _with_tax_inside(line: Line) -> Line:
    """The line as one piece at what it adds to the total."""
    gross = line.amount + line.tax_amount
    return replace(_in_one_piece(line), amount=gross, unit_price=gross)


def _element(line: Line, digits: int, taxes: TaxRates, *, is_inside: bool) -> Payload:
    if not _is_reproducible(line, digits, is_inside=is_inside):
        line = _in_one_piece(line)
    key = product_key(line.product_code) if line.product else ""
    return {
        "product_key": key,
        "notes": fitted(line.description.strip() or key or "-", _NOTES, "A line"),
        "quantity": exact(line.quantity),
        "cost": exact(line.unit_price),
        "discount": exact(line.discount),
        "is_amount_discount": False,
        "type_id": "1",
        **taxes.fields(line.tax),
    }


def _is_reproducible(line: Line, digits: int, *, is_inside: bool) -> bool:
    """Whether the server computes our amount from the same factors."""
    if any(round(n, _PLACES) != n for n in (line.unit_price, line.quantity, line.discount)):
        return False
    price = line.quantity * line.unit_price
    off = price * line.discount / _HUNDRED
    if is_inside:
        # Here the discount is rounded, and the price is not.
        return round_to(price, digits) == price and price - round_to(off, digits) == line.amount
    return round_to(price - off, digits) == line.amount


def _in_one_piece(line: Line) -> Line:
    """The line at its amount; what it was made of is told in words."""
    description = line.description
    if line.quantity != _ONE:
        description = f"{line.quantity.normalize():f} × {description}"
    return replace(
        line, description=description, quantity=_ONE, unit_price=line.amount, discount=_ZERO
    )
