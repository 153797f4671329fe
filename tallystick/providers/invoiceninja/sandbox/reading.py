"""How Invoice Ninja reads what it is sent. All that is wrong is told at once, by member."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from tallystick.kit.money import round_to
from tallystick.providers.invoiceninja.sandbox.answers import Invalid, Row

_TAG = re.compile(r"<(?=[A-Za-z/!?])[^>]*>?")
_TRUE, _FALSE = {"true", "1", "yes"}, {"false", "0", "no", ""}
_MOST = Decimal(99999999999999)
_PLACES = 6


def document(body: bytes) -> Row:
    """The object that was sent. What is not one counts as nothing, as it does to the server."""
    try:
        found = json.loads(body or b"{}", parse_float=Decimal)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def is_on(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() in _TRUE


class Form:
    """One object that was sent, read member by member into `fields`; what is absent stays out."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = given
        self.fields: Row = {}
        self._errors: defaultdict[str, list[str]] = defaultdict(list)

    def refuse(self, name: str, message: str) -> None:
        self._errors[name].append(message)

    def done(self) -> Row:
        """What was read; raises `Invalid`."""
        if self._errors:
            raise Invalid(self._errors)
        return self.fields

    def adopt(self, other: Form, prefix: str) -> None:
        """Take over what is wrong with a part of this."""
        for name, messages in other._errors.items():
            self._errors[f"{prefix}.{name}"] += messages

    def texts(self, lengths: Mapping[str, int | None]) -> None:
        """The database cuts what is longer, and says nothing."""
        for name, most in lengths.items():
            if name not in self.given:
                continue
            value = self.given[name]
            if isinstance(value, dict | list | bool):
                self.refuse(name, f"The {_words(name)} must be a string.")
            else:
                self.fields[name] = "" if value is None else str(value).strip()[:most]

    def numbers(self, names: Iterable[str], places: int = _PLACES) -> None:
        for name in names:
            if name not in self.given:
                continue
            number = _number(self.given[name])
            if number is None:
                self.refuse(name, f"The {_words(name)} must be a number.")
            elif abs(number) > _MOST:
                self.refuse(name, f"The {_words(name)} may not be greater than {_MOST}.")
            else:
                self.fields[name] = round_to(number, places)

    def flags(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self.given:
                continue
            word = str(self.given[name] if self.given[name] is not None else "").lower()
            if word in _TRUE | _FALSE:
                self.fields[name] = word in _TRUE
            else:
                self.refuse(name, f"The {_words(name)} field must be true or false.")

    def days(self, names: Iterable[str]) -> None:
        self.texts(dict.fromkeys(names))
        for name in names:
            text = self.fields.get(name)
            if text and _day(text) is None:
                self.refuse(name, f"The {_words(name)} is not a valid date.")

    def choice(self, name: str, choices: Sequence[str] | frozenset[str]) -> None:
        self.texts({name: None})
        value = self.fields.get(name)
        if value and value not in choices:
            self.refuse(name, f"The selected {_words(name)} is invalid.")

    def parts(self, name: str) -> list[Form] | None:
        """The objects of a list; None when it is not there."""
        if name not in self.given:
            return None
        listed = self.given[name]
        if not isinstance(listed, list) or not all(isinstance(part, dict) for part in listed):
            if listed is not None:
                self.refuse(name, f"The {_words(name)} must be an array.")
            return []
        return [Form(part) for part in listed]

    def required(self, *names: str) -> None:
        for name in names:
            if self.given.get(name) in (None, ""):
                self.refuse(name, f"The {_words(name)} field is required.")


def without_tags(text: str) -> str:
    return _TAG.sub("", text)


def _number(value: object) -> Decimal | None:
    """None for what is no number. Nothing is nought."""
    if value is None or value == "":
        return Decimal(0)
    if isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _words(name: str) -> str:
    return name.replace("_", " ")
