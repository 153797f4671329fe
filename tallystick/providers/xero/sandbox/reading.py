"""How Xero reads what it is sent: JSON with exact numbers, dates in three spellings, texts with
their lengths."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from tallystick.kit.money import round_to
from tallystick.providers.xero.sandbox.answers import Element, Invalid, Rejected, bad_body

_MS_DATE = re.compile(r"/Date\((-?\d{1,15})([+-]\d{4})?\)/")
_SINCE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


def document(body: bytes) -> Any:  # noqa: ANN401 - it is JSON
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Rejected(bad_body("JSON input is not valid")) from None


def _no_constant(name: str) -> None:
    raise ValueError(name)


def elements(body: bytes, noun: str) -> list[Element]:
    """The list in `{noun: [...]}`, or in a bare list, or a single bare object."""
    given = document(body)
    if isinstance(given, dict) and noun in given:
        given = given[noun]
    if isinstance(given, dict):
        given = [given]
    if not isinstance(given, list) or not given or not all(isinstance(e, dict) for e in given):
        raise Rejected(bad_body(f"A list of {noun} is expected"))
    return given


def text(given: Mapping[str, Any], name: str, *, most: int | None = None) -> str | None:
    """The text; None when it is not there or null."""
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, dict | list):
        raise Invalid(f"{name} is not a text")
    value = str(value)
    if most is not None and len(value) > most:
        raise Invalid(f"The field {name} must be a string with a maximum length of {most}.")
    return value


def texts(given: Mapping[str, Any], lengths: Mapping[str, int]) -> dict[str, str]:
    """Those of the named texts that are there."""
    found = {name: text(given, name, most=most) for name, most in lengths.items()}
    return {name: value for name, value in found.items() if value is not None}


def number(given: Mapping[str, Any], name: str, *, places: int | None = 2) -> Decimal | None:
    """The number, rounded; Xero takes numbers and texts of them."""
    value = given.get(name)
    if value is None or value == "":
        return None
    try:
        exact = Decimal(str(value))
    except InvalidOperation:
        raise Invalid(f"{name} is not a number") from None
    if isinstance(value, bool) or not exact.is_finite() or abs(exact) >= Decimal(10) ** 13:
        raise Invalid(f"{name} is not a number in range")
    return exact if places is None else round_to(exact, places)


def flag(given: Mapping[str, Any], name: str) -> bool | None:
    value = given.get(name)
    if value is None or isinstance(value, bool):
        return value
    if str(value).lower() in {"true", "false"}:
        return str(value).lower() == "true"
    raise Invalid(f"{name} is neither true nor false")


def choice(given: Mapping[str, Any], name: str, choices: frozenset[str]) -> str | None:
    value = text(given, name)
    if value is not None and value not in choices:
        raise Invalid(f"{name} '{value}' is not valid")
    return value


def day(given: Mapping[str, Any], name: str) -> date | None:
    value = text(given, name)
    if not value:
        return None
    if found := _MS_DATE.fullmatch(value):
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(found[1]))
        return moment.date()
    try:
        return datetime.fromisoformat(value).date()
    except ValueError:
        raise Invalid(f"{name} is not a date") from None


def since(header: str) -> datetime | None:
    """`If-Modified-Since`: UTC without a zone. Anything else is not understood, and ignored, as
    several client libraries found out."""
    if not _SINCE.fullmatch(header):
        return None
    try:
        return datetime.fromisoformat(header).replace(tzinfo=UTC)
    except ValueError:
        return None
