from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tallystick.kit import spelling
from tallystick.kit.spelling import locale_of


@pytest.mark.parametrize(
    ("language", "country", "written"),
    [
        ("en", "GB", "1,234,567.51"),
        ("de", "DE", "1.234.567,51"),
        ("de", "CH", "1’234’567.51"),
        ("tr", "TR", "1.234.567,51"),
        ("en", "IN", "12,34,567.51"),
        ("pt-br", "", "1.234.567,51"),
        ("tlh", "XX", "1,234,567.51"),
    ],
)
def test_amounts_are_grouped_as_the_place_does(language: str, country: str, written: str) -> None:
    locale = locale_of(language, country)
    assert spelling.amount(Decimal("1234567.505"), "EUR", locale) == written


def test_amounts_have_the_places_of_their_currency_and_are_rounded_half_up() -> None:
    locale = locale_of("en")
    assert spelling.amount(Decimal("1234.5"), "JPY", locale) == "1,235"
    assert spelling.amount(Decimal(2), "KWD", locale) == "2.000"
    assert spelling.amount(Decimal("0.125"), "EUR", locale) == "0.13"


def test_a_minus_is_as_wide_as_a_figure() -> None:
    assert spelling.amount(Decimal(-5), "EUR", locale_of("en")) == "\N{MINUS SIGN}5.00"


def test_prices_may_be_finer_than_the_currency() -> None:
    locale = locale_of("en")
    assert spelling.price(Decimal("0.0125"), "EUR", locale) == "0.0125"
    assert spelling.price(Decimal("9.5000"), "EUR", locale) == "9.50"


def test_quantities_have_the_places_they_need() -> None:
    locale = locale_of("de", "DE")
    assert spelling.number(Decimal("2.2500"), locale) == "2,25"
    assert spelling.number(Decimal("100.0000"), locale) == "100"
    assert spelling.number(Decimal("0.0000"), locale) == "0"


def test_percentages_and_days() -> None:
    assert spelling.percent(Decimal("19.0000"), locale_of("tr")) == "%19"
    assert spelling.percent(Decimal("8.25"), locale_of("en")) == "8.25%"
    assert spelling.day(date(2026, 3, 14), locale_of("en", "GB")) == "14 March 2026"


def test_account_numbers_stand_in_groups_of_four() -> None:
    assert spelling.iban(" DE893704 0044053201 3000 ") == "DE89 3704 0044 0532 0130 00"


@pytest.mark.parametrize(
    ("language", "typed", "read"),
    [
        ("de", "1.234,50", "1234.50"),
        ("de", "1.234", "1234"),
        ("de", "12.50", "12.50"),
        ("de", "12,5", "12.5"),
        ("en", "1,234.50", "1234.50"),
        ("en", "12,50", "12.50"),
        ("en", "1,234", "1234"),
        ("fr", "1 234,50", "1234.50"),
        ("fr", "1\u202f234,50", "1234.50"),
        ("en", "1,23,4", "1,23,4"),
        ("en", "abc", "abc"),
        ("en", "", ""),
    ],
)
def test_reads_amounts_as_readers_type_them(language: str, typed: str, read: str) -> None:
    assert spelling.read_amount(typed, locale_of(language)) == read
