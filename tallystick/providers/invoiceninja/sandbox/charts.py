"""The numbers by which Invoice Ninja names countries and currencies."""

from __future__ import annotations

from collections.abc import Mapping

from babel.core import get_global

_CODES = (
    "USD GBP EUR ZAR DKK ILS SEK KES CAD PHP INR AUD SGD NOK NZD VND CHF GTQ MYR BRL THB NGN ARS "
    "BDT AED HKD IDR MXN EGP COP XOF CNY RWF TZS ANG TTD XCD GHS BGN AWG TRY RON HRK SAR JPY"
)
_GONE = {"HRK"}
CURRENCIES = {
    str(number): code for number, code in enumerate(_CODES.split(), 1) if code not in _GONE
}
"""Currency id -> code. Theirs go on; these are the ones met with."""

_ALIASES: Mapping[str, list[str]] = get_global("territory_aliases")
"""CLDR's: numbers and codes of three letters -> codes of two."""
_ENDED = {"230", "249", "278", "280", "720", "736", "886"}  # numbers of former states
_NUMBERS = {
    codes[0]: str(int(number))  # as they write it: 4, not 004
    for number, codes in _ALIASES.items()
    if number.isdecimal() and len(codes) == 1 and number not in _ENDED
}
_KNOWN = frozenset(_NUMBERS.values())


def currency_id(code: str) -> str:
    """Empty when there is none."""
    return next((number for number, known in CURRENCIES.items() if known == code.upper()), "")


def country_id(code: str) -> str:
    """The ISO 3166 number of a code with two or three letters; empty when there is none."""
    wanted = code.upper()
    known = _NUMBERS.get(wanted)
    return known or _NUMBERS.get("".join(_ALIASES.get(wanted, [])[:1]), "")


def is_country(number: str) -> bool:
    return number in _KNOWN


def statics() -> dict[str, list[dict[str, str]]]:
    """What is the same for every company of a server, as far as it is met with."""
    return {
        "currencies": [{"id": number, "code": code} for number, code in CURRENCIES.items()],
        "countries": [{"id": number, "iso_3166_2": code} for code, number in _NUMBERS.items()],
    }
