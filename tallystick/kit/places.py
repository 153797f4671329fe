"""Countries, languages and time zones: which codes there are, and their names."""

from __future__ import annotations

import re
import zoneinfo
from functools import cache

from babel import Locale, UnknownLocaleError

# Territories of CLDR that ISO 3166-1 does not assign; XK (Kosovo) is kept, as banks and the EU do.
_NOT_COUNTRIES = frozenset(
    ["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"]
)


@cache
def countries() -> frozenset[str]:
    """The codes of ISO 3166-1 alpha-2."""
    codes = map(str, Locale("en").territories)
    return frozenset(code for code in codes if re.fullmatch("[A-Z]{2}", code)) - _NOT_COUNTRIES


def country_name(code: str, language: str = "en") -> str:
    """What `code` (alpha-2) is called in `language`; empty where unknown."""
    return _locale(language).territories.get(code, "") if code in countries() else ""


def is_language(code: str) -> bool:
    """Whether `code` is a language tag that names and numbers can be written in: `de`, `pt-br`."""
    try:
        Locale.parse(code, sep="-")
    except (UnknownLocaleError, ValueError):
        return False
    return True


@cache
def time_zones() -> frozenset[str]:
    """The names of the IANA time zones."""
    return frozenset(zoneinfo.available_timezones())


@cache
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")
