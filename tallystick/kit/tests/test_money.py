from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.kit.money import (
    DIGITS,
    BadAmount,
    CurrencyMismatch,
    Money,
    UnknownCurrency,
    digits_of,
    parse_amount,
    round_amount,
)

currencies = st.sampled_from(sorted(DIGITS))
units = st.integers(-(10**12), 10**12)
weights = st.lists(st.decimals(0, 1000, places=4, allow_nan=False), min_size=1, max_size=12).filter(
    any
)


@given(units, currencies)
def test_the_smallest_coin_and_back(coins: int, currency: str) -> None:
    money = Money.from_minor(coins, currency)
    assert money.minor == coins
    assert money.rounded() == money
    assert Money.parse(f"{money.amount:f}", currency) == money


@given(units, weights, currencies)
def test_the_parts_of_a_split_are_the_whole(
    coins: int, shares: list[Decimal], currency: str
) -> None:
    whole = Money.from_minor(coins, currency)
    parts = whole.split(shares)
    assert sum(part.minor for part in parts) == coins
    assert len(parts) == len(shares)


@given(units, weights)
def test_each_part_is_within_a_coin_of_its_share(coins: int, shares: list[Decimal]) -> None:
    total = sum(shares, Decimal(0))
    for part, share in zip(Money.from_minor(coins, "EUR").split(shares), shares, strict=True):
        assert abs(part.minor - coins * share / total) < 1


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=8, min_value=-(10**9), max_value=10**9
    ),
    currencies,
)
def test_rounding_moves_by_half_a_coin_at_most(amount: Decimal, currency: str) -> None:
    rounded = round_amount(amount, currency)
    assert abs(rounded - amount) * 2 <= Decimal(1).scaleb(-digits_of(currency))
    assert round_amount(rounded, currency) == rounded
    assert -round_amount(-amount, currency) == rounded


@given(st.text(max_size=30))
def test_an_amount_is_read_exactly_or_refused(text: str) -> None:
    try:
        amount = parse_amount(text)
    except BadAmount:
        return
    assert amount.is_finite()
    assert amount == Decimal(text.strip())


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("0.005", "EUR", "0.01"),
        ("-0.005", "EUR", "-0.01"),
        ("0.0049999", "EUR", "0.00"),
        ("2.5", "JPY", "3"),
        ("0.0005", "KWD", "0.001"),
        ("0.00005", "CLF", "0.0001"),
    ],
)
def test_ties_go_away_from_zero(amount: str, currency: str, rounded: str) -> None:
    assert round_amount(Decimal(amount), currency) == Decimal(rounded)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1e3",
        "1,000",
        "1_000",
        "NaN",
        "Infinity",
        "٣",
        "0x10",
        "1.",
        ".5",
        "--1",
        "1" * 16,
        "1" * 5000,
    ],
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(BadAmount):
        parse_amount(text)


@pytest.mark.parametrize("number", [1.5, True])
def test_floats_and_flags_are_no_amounts(number: float) -> None:
    with pytest.raises(BadAmount):
        parse_amount(number)  # type: ignore[arg-type] # what a careless caller does


def test_an_amount_finer_than_the_currency_is_refused() -> None:
    with pytest.raises(BadAmount, match="JPY has 0 decimal places"):
        Money.parse("1.5", "JPY")


@pytest.mark.parametrize("code", ["eur", "", "XYZ", "EURO"])
def test_unknown_currencies_are_refused(code: str) -> None:
    with pytest.raises(UnknownCurrency):
        Money.zero(code)


def test_two_currencies_are_never_combined() -> None:
    euro, dollar = Money.parse(1, "EUR"), Money.parse(1, "USD")
    for combine in (Money.__add__, Money.__sub__, Money.__lt__, Money.__ge__):
        with pytest.raises(CurrencyMismatch):
            combine(euro, dollar)
    assert euro != dollar


@given(units, weights)
def test_a_credit_is_split_like_its_invoice(coins: int, shares: list[Decimal]) -> None:
    money = Money.from_minor(coins, "EUR")
    assert [-part for part in money.split(shares)] == (-money).split(shares)


def test_what_cannot_be_split_is_refused() -> None:
    for shares in ([], [Decimal(0)], [Decimal(2), Decimal(-1)]):
        with pytest.raises(BadAmount):
            Money.parse(1, "EUR").split(shares)


def test_in_words() -> None:
    assert str(Money(Decimal("1234.505"), "EUR")) == "1234.51 EUR"
    assert str(Money.zero("JPY")) == "0 JPY"
    assert not Money.zero("EUR")


@pytest.mark.parametrize("amount", ["-0", "-0.004", "-0.00"])
def test_zero_has_no_sign(amount: str) -> None:
    rounded = round_amount(Decimal(amount), "EUR")
    assert (str(rounded), str(Money(Decimal(amount), "EUR"))) == ("0.00", "0.00 EUR")
