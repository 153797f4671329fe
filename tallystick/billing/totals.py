"""What lines add up to: exact, pure, the one place where invoices are calculated.

A line's amount is quantity x unit price less its discount, rounded to the currency. Tax is rounded
half up, as the website asks:

* per line: each line's tax is rounded, then added up (what Xero computes);
* per document: the tax of all lines of one rate is rounded once, then shared out among them.

Inclusive prices hold the tax: the total is the sum of the lines and the tax is taken out of it.
Exclusive prices do not: the tax is added on top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Context, Decimal, localcontext
from enum import StrEnum

from tallystick.kit.money import BadAmount, digits_of, round_to

_HUNDRED = Decimal(100)
_EXACT_DIGITS = 15
# Two columns of 19 digits, a discount and a rate multiply to fewer digits than this: every product
# below is exact, and a quotient is never close enough to a tie to be rounded twice.
_ROOMY = Context(prec=90)


class Rounding(StrEnum):
    LINE = "line"
    DOCUMENT = "document"


class TooLarge(BadAmount):
    """The amount is larger than can be kept exactly."""


@dataclass(frozen=True, slots=True)
class Line:
    """`discount` and `percent` (the tax) are per cent: 19 for 19 %. `tax_code` names the rate."""

    quantity: Decimal
    unit_price: Decimal
    discount: Decimal = Decimal(0)
    tax_code: str = ""
    percent: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class LineTotal:
    """`amount` is after the discount: with the tax in it when inclusive, without it otherwise."""

    amount: Decimal
    discount: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True)
class RateTotal:
    """What was taxed at one rate: `net` + `tax` = `gross`."""

    tax_code: str
    percent: Decimal
    net: Decimal
    tax: Decimal

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax


@dataclass(frozen=True, slots=True)
class Totals:
    """`subtotal` is net and after discount; `subtotal` + `tax` = `total`."""

    lines: tuple[LineTotal, ...]
    breakdown: tuple[RateTotal, ...]
    subtotal: Decimal
    discount: Decimal
    tax: Decimal
    total: Decimal


def compute(
    lines: Sequence[Line], currency: str, *, inclusive: bool, rounding: Rounding | str
) -> Totals:
    """The totals of `lines`, at the precision of `currency`; raises `TooLarge`."""
    with localcontext(_ROOMY):
        digits = digits_of(currency)
        amounts = [_amount(line, digits) for line in lines]
        taxes = _taxes(lines, amounts, digits, inclusive, Rounding(rounding))
        line_totals = tuple(
            LineTotal(amount, round_to(line.quantity * line.unit_price, digits) - amount, tax)
            for line, amount, tax in zip(lines, amounts, taxes, strict=True)
        )
    return add_up(lines, line_totals, currency, inclusive=inclusive)


def add_up(
    lines: Sequence[Line], line_totals: Sequence[LineTotal], currency: str, *, inclusive: bool
) -> Totals:
    """The totals of `lines` whose own amounts are given; raises `TooLarge`."""
    with localcontext(_ROOMY):
        digits = digits_of(currency)
        rates = breakdown(lines, line_totals, inclusive=inclusive)
        totals = Totals(
            lines=tuple(line_totals),
            breakdown=rates,
            subtotal=_sum([rate.net for rate in rates], digits),
            discount=_sum([line.discount for line in line_totals], digits),
            tax=_sum([line.tax for line in line_totals], digits),
            total=_sum([rate.gross for rate in rates], digits),
        )
    _refuse_too_large(totals, currency)
    return totals


def breakdown(
    lines: Sequence[Line], line_totals: Sequence[LineTotal], *, inclusive: bool
) -> tuple[RateTotal, ...]:
    """Per rate, in the order in which the rates first appear."""
    rates: dict[tuple[str, Decimal], RateTotal] = {}
    for line, line_total in zip(lines, line_totals, strict=True):
        key = (line.tax_code, line.percent)
        rate = rates.get(key) or RateTotal(*key, net=Decimal(0), tax=Decimal(0))
        net = line_total.amount - line_total.tax if inclusive else line_total.amount
        rates[key] = replace(rate, net=rate.net + net, tax=rate.tax + line_total.tax)
    return tuple(rates.values())


def largest(currency: str) -> Decimal:
    """The first amount that is too large: above it SQLite no longer keeps every digit."""
    return Decimal(1).scaleb(_EXACT_DIGITS - digits_of(currency))


def _amount(line: Line, digits: int) -> Decimal:
    price = line.quantity * line.unit_price
    return round_to(price * (_HUNDRED - line.discount) / _HUNDRED, digits)


def _taxes(
    lines: Sequence[Line],
    amounts: Sequence[Decimal],
    digits: int,
    inclusive: bool,
    rounding: Rounding,
) -> list[Decimal]:
    exact = [
        _tax_of(amount, line.percent, inclusive)
        for line, amount in zip(lines, amounts, strict=True)
    ]
    if rounding == Rounding.LINE:
        return [round_to(tax, digits) for tax in exact]
    taxes = list(exact)
    for places in _by_rate(lines).values():
        for place, tax in zip(places, shared([exact[i] for i in places], digits), strict=True):
            taxes[place] = tax
    return taxes


def _tax_of(amount: Decimal, percent: Decimal, inclusive: bool) -> Decimal:
    return amount * percent / (_HUNDRED + percent if inclusive else _HUNDRED)


def _by_rate(lines: Sequence[Line]) -> dict[tuple[str, Decimal], list[int]]:
    """The positions of the lines of each rate, in the order in which the rates first appear."""
    places: dict[tuple[str, Decimal], list[int]] = {}
    for place, line in enumerate(lines):
        places.setdefault((line.tax_code, line.percent), []).append(place)
    return places


def shared(exact: Sequence[Decimal], digits: int) -> list[Decimal]:
    """`exact` rounded so that the parts add up to their rounded sum: largest remainder."""
    coin = Decimal(1).scaleb(-digits)
    parts = [part.quantize(coin, rounding=ROUND_FLOOR) for part in exact]
    missing = int((round_to(sum(exact, Decimal(0)), digits) - sum(parts)) / coin)
    by_loss = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for place in by_loss[:missing]:
        parts[place] += coin
    return parts


def _sum(amounts: Sequence[Decimal], digits: int) -> Decimal:
    return sum(amounts, Decimal(0).scaleb(-digits))


def _refuse_too_large(totals: Totals, currency: str) -> None:
    limit = largest(currency)
    amounts = [totals.subtotal, totals.discount, totals.tax, totals.total]
    amounts += [amount for line in totals.lines for amount in (line.amount, line.discount)]
    if any(abs(amount) >= limit for amount in amounts):
        raise TooLarge(f"An invoice in {currency} stays below {limit:,f}.")
