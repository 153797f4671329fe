"""How amounts, numbers and dates are spelled for a reader. Rounding is done before: Babel's is half even."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import NumberPattern, format_percent, parse_pattern

from tallystick.kit.money import BadAmount, digits_of, round_amount

_MINUS = "\N{MINUS SIGN}"
_APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"


@lru_cache(maxsize=256)
def locale_of(language: str, country: str = "") -> Locale:
    """The customs of `language` as written in `country` where they are known, else of the language.

    English stands in for a language that is not known.
    """
    language = language.replace("-", "_")
    for name in (f"{language}_{country.upper()}" if country else language, language, "en"):
        try:
            return Locale.parse(name)
        except (UnknownLocaleError, ValueError):
            continue
    raise AssertionError("Babel knows English.")


def amount(value: Decimal, currency: str, locale: Locale) -> str:
    """`value` with the currency's decimal places, without its code: 1,234.50."""
    places = digits_of(currency)
    return _decimal(round_amount(value, currency), locale, (places, places))


def price(value: Decimal, currency: str, locale: Locale) -> str:
    """A price of one, which may be finer than the currency: 0.0125."""
    return _decimal(value, locale, (digits_of(currency), 4))


def number(value: Decimal, locale: Locale) -> str:
    """`value` with the decimal places it needs, such as a quantity: 1.5."""
    return _decimal(value.normalize() if value else Decimal(0), locale, (0, 12))


def percent(value: Decimal, locale: Locale) -> str:
    """`value`, in hundredths, as a percentage: 19 is 19 %."""
    return str(format_percent(value / 100, locale=locale, decimal_quantization=False))


def day(value: date, locale: Locale, width: str = "long") -> str:
    """The date in words: 14 March 2026; `width` is one of Babel's (short, medium, long, full)."""
    return str(format_date(value, width, locale=locale))


def example(locale: Locale) -> str:
    """What a number looks like: 1,234.5."""
    return number(Decimal("1234.5"), locale)


class Unreadable(BadAmount):
    """Not a number as readers of the locale write it; `example` is one."""

    def __init__(self, typed: str, example: str) -> None:
        super().__init__(f"{typed[:40]!r} is not an amount; write it like {example}.")
        self.example = example


def read_amount(text: str, locale: Locale) -> str:
    """What a reader typed (1.234,50 in German) as a plain number (1234.50).

    The locale's own signs count; a space for its groups'; and before one or two places, as nobody
    groups by so few, the point or comma of another keyboard. Raises `Unreadable` for all else, so
    that nothing is read as a thousand times what was meant."""
    typed = " ".join(text.replace(_APOSTROPHE, "'").split())
    read = _typed(str(locale)).fullmatch(typed)
    if read is None:
        raise Unreadable(typed, example(locale))
    places = read["places"] or read["few"]
    whole = re.sub(r"\D", "", read["whole"])
    return f"{'-' if read['minus'] else ''}{whole}{f'.{places}' if places else ''}"


@lru_cache(maxsize=256)
def _typed(locale: str) -> re.Pattern[str]:
    symbols = Locale.parse(locale).number_symbols["latn"]
    sign = re.escape(symbols["group"].replace(_APOSTROPHE, "'"))
    point = re.escape(symbols["decimal"])
    # India writes 12,34,567: the last group, those before it.
    groups = "|".join(map(_grouped, {(3, 3), _pattern(locale, (0, 0)).grouping}))
    return re.compile(
        rf"(?:\+|(?P<minus>[-{_MINUS}]))?\s?"
        rf"(?P<whole>(?=\d+(?P<sign>[{sign}\s]))(?:{groups})|\d+)"
        rf"(?:{point}(?P<places>\d+)|(?!(?P=sign))[.,](?P<few>\d{{1,2}}))?",
        re.ASCII,
    )


def _grouped(sizes: tuple[int, int]) -> str:
    last, others = sizes
    return rf"[1-9]\d{{0,{others - 1}}}(?:(?P=sign)\d{{{others}}})*(?P=sign)\d{{{last}}}"


def _decimal(value: Decimal, locale: Locale, places: tuple[int, int]) -> str:
    spelt = _pattern(str(locale), places).apply(value, locale)
    # A true minus is as wide as a figure, so that columns stay aligned.
    return str(spelt).replace("-", _MINUS)


@lru_cache(maxsize=256)
def _pattern(locale: str, places: tuple[int, int]) -> NumberPattern:
    """The locale's way to write numbers, with at least and at most so many decimal places."""
    pattern = parse_pattern(Locale.parse(locale).decimal_formats[None].pattern)
    pattern.frac_prec = places
    return pattern


def iban(text: str) -> str:
    """An account number in groups of four."""
    bare = "".join(text.split())
    return " ".join(bare[i : i + 4] for i in range(0, len(bare), 4))
