"""What an invoice comes to: lines at two places, sums at the currency's precision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from tallystick.kit.money import round_to
from tallystick.providers.invoiceninja.sandbox.answers import Row

_NOTHING = Decimal(0)
_PLACES = 2
_THREE = (1, 2, 3)
SURCHARGES = tuple(f"custom_surcharge{n}" for n in (1, 2, 3, 4))


@dataclass(frozen=True, slots=True)
class Totals:
    lines: list[Row]
    amount: Decimal
    taxes: Decimal


def totals(invoice: Row, digits: int) -> Totals:
    """`digits`: decimal places of the client's currency."""
    lines = [_line(line, invoice) for line in invoice["line_items"]]
    subtotal = sum((line["line_total"] for line in lines), _NOTHING)
    discount = _discount(subtotal, invoice)
    left = (subtotal - discount) / subtotal if subtotal else Decimal(1)
    is_inclusive = invoice["uses_inclusive_taxes"]
    taxes = _NOTHING
    for line in lines:
        line["tax_amount"] = _taxes(line["line_total"] * left, line, is_inclusive=is_inclusive)
        added = _NOTHING if is_inclusive else line["tax_amount"]
        line["gross_line_total"] = line["line_total"] + added
        taxes += line["tax_amount"]
    taxes += _taxes(subtotal - discount, invoice, is_inclusive=is_inclusive)
    charges = sum((invoice[name] for name in SURCHARGES), _NOTHING)
    amount = subtotal - discount + charges + (_NOTHING if is_inclusive else taxes)
    return Totals(lines, round_to(amount, digits), round_to(taxes, digits))


def _line(line: Row, invoice: Row) -> Row:
    whole = line["quantity"] * line["cost"]
    if invoice["is_amount_discount"]:
        return {**line, "line_total": round_to(whole - line["discount"], _PLACES)}
    off = whole * line["discount"] / 100
    return {**line, "line_total": round_to(whole - off, _PLACES)}


def _discount(subtotal: Decimal, invoice: Row) -> Decimal:
    if invoice["is_amount_discount"]:
        return Decimal(invoice["discount"])
    return round_to(subtotal * invoice["discount"] / 100, _PLACES)


def _taxes(base: Decimal, holder: Row, *, is_inclusive: bool) -> Decimal:
    """All taxes that `holder` (a line, the invoice) names, each rounded by itself."""
    return sum((_tax(base, rate, is_inclusive) for rate in _rates(holder)), _NOTHING)


def _rates(holder: Row) -> Iterator[Decimal]:
    # A rate without a name is not charged.
    return (holder[f"tax_rate{n}"] for n in _THREE if holder[f"tax_name{n}"])


def _tax(base: Decimal, rate: Decimal, is_inclusive: bool) -> Decimal:
    return round_to(base - base / (1 + rate / 100) if is_inclusive else base * rate / 100, _PLACES)
