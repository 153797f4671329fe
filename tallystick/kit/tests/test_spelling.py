from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import partial

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from tallystick.kit import spelling
from tallystick.kit.money import BadAmount
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
    ("place", "typed", "read"),
    [
        ("de", "1.234,50", "1234.50"),
        ("de", "1.234", "1234"),
        ("de", "12.50", "12.50"),
        ("de", "12,5", "12.5"),
        ("de", "0,125", "0.125"),
        ("de", "1,235", "1.235"),
        ("de", "33,3333", "33.3333"),
        ("de", "1.234,5678", "1234.5678"),
        ("de", "007", "007"),
        ("de", "0.50", "0.50"),
        ("de", "1 234.50", "1234.50"),
        ("de", "\N{MINUS SIGN}1.234,50", "-1234.50"),
        ("de", "- 5", "-5"),
        ("de", "+5", "5"),
        ("en", "1,234.50", "1234.50"),
        ("en", "12,50", "12.50"),
        ("en", "1,234", "1234"),
        ("en", "0.0125", "0.0125"),
        ("en_IN", "12,34,567.51", "1234567.51"),
        ("en_IN", "123,456", "123456"),
        ("fr", "1 234,50", "1234.50"),
        ("fr", "1\u202f234,50", "1234.50"),
        ("fr", "1 234.50", "1234.50"),
        ("fr", "12.50", "12.50"),
        ("de_CH", "1’234.505", "1234.505"),
        ("de_CH", "1'234,50", "1234.50"),
    ],
)
def test_reads_amounts_as_readers_type_them(place: str, typed: str, read: str) -> None:
    assert spelling.read_amount(typed, Locale.parse(place)) == read


@pytest.mark.parametrize(
    ("place", "typed"),
    [
        ("de", "0.125"),
        ("de", "0.750"),
        ("de", "1234.567"),
        ("de", "0.0125"),
        ("de", "1,234.50"),
        ("de", "1.234.50"),
        ("de", "1.23.4"),
        ("de", "12.34.567"),
        ("de", "1.234 567"),
        ("de", "12 50"),
        ("en", "0,125"),
        ("en", "1.234,50"),
        ("en", "1,23,4"),
        ("en", "12,34,567"),
        ("fr", "0 125"),
        ("fr", "1.235"),
        ("de_CH", "1,234"),
        ("en", "--5"),
        ("en", "1e3"),
        ("en", "٣"),
        ("en", ".5"),
        ("en", "abc"),
        ("en", ""),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(place: str, typed: str) -> None:
    with pytest.raises(BadAmount):
        spelling.read_amount(typed, Locale.parse(place))


def test_a_refusal_shows_how_it_is_written_there() -> None:
    with pytest.raises(spelling.Unreadable, match=r"'0\.125' .* like 1\.234,5\.") as refused:
        spelling.read_amount("0.125", locale_of("de"))
    assert refused.value.example == "1.234,5"


PLACES = ["en", "de", "fr", "es", "tr", "de_CH", "de_AT", "en_IN", "en_ZA", "sv", "fa", "pl", "tok"]
EACH_SPELLING: dict[str, tuple[Callable[..., str], int]] = {
    "amount": (partial(spelling.amount, currency="EUR"), 2),
    "yen": (partial(spelling.amount, currency="JPY"), 0),
    "dinars": (partial(spelling.amount, currency="KWD"), 3),
    "price": (partial(spelling.price, currency="EUR"), 4),
    "price in dinars": (partial(spelling.price, currency="KWD"), 4),
    "price in yen": (partial(spelling.price, currency="JPY"), 4),
    "quantity": (spelling.number, 12),
}


@pytest.mark.parametrize("spelt", EACH_SPELLING)
@given(place=st.sampled_from(PLACES), data=st.data())
def test_what_a_form_prints_it_reads_back(spelt: str, place: str, data: st.DataObject) -> None:
    spell, places = EACH_SPELLING[spelt]
    most = Decimal(10) ** 13
    value = data.draw(st.decimals(min_value=-most, max_value=most, places=places))
    locale = Locale.parse(place)
    assert Decimal(spelling.read_amount(spell(value, locale=locale), locale)) == value
