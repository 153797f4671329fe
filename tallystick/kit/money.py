"""Money: an exact amount in one currency, and the only place where amounts are rounded.

Digits per currency are those of ISO 4217 (list one). Amounts round half up: what tax offices and
accounting systems expect; `decimal`'s default (half even) and Babel's differ by a cent in a tie.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from fractions import Fraction
from typing import Self

_NO_DIGITS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND"
_FOUR_DIGITS = "CLF UYW"
_TWO_DIGITS = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN "
    "BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP "
    "GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP "
    "LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR "
    "NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN "
    "SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR "
    "ZMW ZWG"
)
DIGITS: dict[str, int] = (
    dict.fromkeys(_TWO_DIGITS.split(), 2)
    | dict.fromkeys(_NO_DIGITS.split(), 0)
    | dict.fromkeys(_THREE_DIGITS.split(), 3)
    | dict.fromkeys(_FOUR_DIGITS.split(), 4)
)
MAX_INTEGER_DIGITS = 15
"""An amount has at most this many digits before the point: what a `DecimalField(19, 4)` holds."""

_QUANTA = tuple(Decimal(1).scaleb(-digits) for digits in range(10))
_PLAIN_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?", re.ASCII)


class MoneyError(ValueError):
    """An amount or a currency is not usable."""


class UnknownCurrency(MoneyError):
    """Not a currency of ISO 4217."""


class BadAmount(MoneyError):
    """Not an amount of money."""


class CurrencyMismatch(MoneyError):
    """Two amounts of different currencies cannot be added or compared."""


def digits_of(currency: str) -> int:
    """How many decimal places `currency` has; raises `UnknownCurrency`."""
    try:
        return DIGITS[currency]
    except KeyError:
        raise UnknownCurrency(
            f"{currency!r} is not an ISO 4217 currency code, such as EUR."
        ) from None


def round_to(amount: Decimal, digits: int) -> Decimal:
    """`amount` with exactly `digits` decimal places, ties away from zero. Zero has no sign."""
    rounded = amount.quantize(_QUANTA[digits], rounding=ROUND_HALF_UP)
    return rounded or abs(rounded)


def round_amount(amount: Decimal, currency: str) -> Decimal:
    """`amount` (major units) at the precision of `currency`."""
    return round_to(amount, digits_of(currency))


def parse_amount(text: str | int | Decimal) -> Decimal:
    """The exact number written in `text`: digits, at most one point, no exponent, no grouping."""
    if isinstance(text, bool | float):
        raise BadAmount("An amount is given as text or a decimal, never as a float.")
    written = str(text).strip()
    if not _PLAIN_NUMBER.fullmatch(written):
        raise BadAmount(f"{written[:40]!r} is not an amount; write it like 1234.50.")
    try:
        amount = Decimal(written)
    except InvalidOperation:  # pragma: no cover - the pattern lets nothing else through
        raise BadAmount(f"{written[:40]!r} is not an amount.") from None
    if amount and amount.adjusted() >= MAX_INTEGER_DIGITS:
        raise BadAmount(f"An amount has at most {MAX_INTEGER_DIGITS} digits before the point.")
    return amount


@dataclass(frozen=True, slots=True)
class Money:
    """`amount` in major units (12.50, not 1250) of `currency` (ISO 4217).

    The amount may be finer than the currency's precision until `rounded()` is asked for.
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        digits_of(self.currency)
        is_exact = isinstance(self.amount, Decimal)  # what the types promise, callers may break
        if not is_exact or not self.amount.is_finite():
            raise BadAmount("An amount is a finite Decimal.")

    @classmethod
    def parse(cls, text: str | int | Decimal, currency: str) -> Self:
        """Read an amount that a person or a machine wrote, exactly as precise as the currency is."""
        money = cls(parse_amount(text), currency)
        if money.rounded() != money:
            places = digits_of(currency)
            raise BadAmount(f"{currency} has {places} decimal places; {text} has more.")
        return money.rounded()

    @classmethod
    def zero(cls, currency: str) -> Self:
        return cls(Decimal(0), currency).rounded()

    @classmethod
    def from_minor(cls, units: int, currency: str) -> Self:
        """`units` of the smallest coin: cents for EUR, yen for JPY, fils for KWD."""
        return cls(Decimal(units).scaleb(-digits_of(currency)), currency)

    def rounded(self) -> Self:
        return type(self)(round_amount(self.amount, self.currency), self.currency)

    @property
    def minor(self) -> int:
        """The amount in the currency's smallest coin, rounded."""
        return int(self.rounded().amount.scaleb(digits_of(self.currency)))

    def _same(self, other: Money) -> Decimal:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} cannot be combined.")
        return other.amount

    def __add__(self, other: Money) -> Self:
        return type(self)(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Self:
        return type(self)(self.amount - self._same(other), self.currency)

    def __neg__(self) -> Self:
        return type(self)(-self.amount, self.currency)

    def __mul__(self, factor: Decimal | int) -> Self:
        return type(self)(self.amount * factor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._same(other)

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __str__(self) -> str:
        return f"{self.rounded().amount:f} {self.currency}"

    def split(self, weights: list[Decimal]) -> list[Self]:
        """Parts in proportion to `weights` that add up to the rounded whole, to the last coin.

        Largest remainder: what rounding leaves over goes to the parts that lost most by it.
        """
        total = sum(map(Fraction, weights))
        if not weights or total <= 0 or any(weight < 0 for weight in weights):
            raise BadAmount("Weights are at least one, none negative, not all zero.")
        # What is owed back is split like what was owed, so that a credit undoes its invoice.
        sign, whole = (-1, -self.minor) if self.minor < 0 else (1, self.minor)
        exact = [whole * Fraction(weight) / total for weight in weights]
        units = [int(part) for part in exact]
        by_loss = sorted(range(len(exact)), key=lambda i: (units[i] - exact[i], i))
        for i in by_loss[: whole - sum(units)]:
            units[i] += 1
        return [type(self).from_minor(sign * unit, self.currency) for unit in units]
