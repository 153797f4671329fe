"""Settings from the environment: read once, typed, loud.

A secret `X` may also come from the file that `X_FILE` names. Every complaint is one line that
begins with the setting's name and never repeats the value of a secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

from tallystick.kit.money import DIGITS

_BROKER = re.compile(r"(rediss?|sentinel|amqps?|pyamqp)://[^/\s]|redis\+socket:///\S")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


class BadSetting(Exception):
    """A setting is missing or malformed."""

    def __init__(self, name: str, complaint: str) -> None:
        super().__init__(f"{name}: {complaint}")
        self.setting = name


class Env:
    """Typed reading of one mapping of variables. An empty variable counts as not set."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def text(self, name: str, default: str | None = None, *, aliases: Sequence[str] = ()) -> str:
        """The text; the first of `name` and `aliases` that is set. Required without a default."""
        for alias in (name, *aliases):
            if value := self._variables.get(alias, "").strip():
                return value
        if default is None:
            raise BadSetting(name, "is not set; it is needed.")
        return default

    def secret(self, name: str, default: str | None = None) -> str:
        path = self._variables.get(f"{name}_FILE", "").strip()
        if not path:
            return self.text(name, default)
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise BadSetting(f"{name}_FILE", f"{path} cannot be read: {error.strerror}.") from None

    def flag(self, name: str, default: bool | None = None) -> bool:
        value = self.text(name, None if default is None else str(default)).lower()
        if value in _TRUE | _FALSE:
            return value in _TRUE
        raise BadSetting(name, f"{value!r} is neither True nor False.")

    def integer(
        self, name: str, default: int | None = None, *, low: int = 0, high: int = 2**31 - 1
    ) -> int:
        value = self.text(name, None if default is None else str(default))
        if not re.fullmatch(r"-?\d{1,12}", value, re.ASCII) or not low <= int(value) <= high:
            raise BadSetting(name, f"{value[:40]!r} is not a whole number from {low} to {high}.")
        return int(value)

    def seconds(self, name: str, default: float) -> float:
        """A span, with a fraction where wanted."""
        value = self.text(name, str(default))
        if not re.fullmatch(r"\d{1,6}(\.\d{1,6})?", value, re.ASCII):
            raise BadSetting(name, f"{value[:40]!r} is not a number of seconds, such as 0.5.")
        return float(value)

    def port(self, name: str, default: int) -> int:
        return self.integer(name, default, low=1, high=65535)

    def words(self, name: str, default: str = "") -> list[str]:
        """A comma-separated list; empty only when the default is."""
        text = self.text(name, default)
        words = [word.strip() for word in text.split(",") if word.strip()]
        if text and not words:
            raise BadSetting(name, "names nothing.")
        return words

    def choice(self, name: str, choices: Sequence[str], default: str | None = None) -> str:
        value = self.text(name, default)
        if value not in choices:
            raise BadSetting(name, f"{value[:40]!r} is not one of {', '.join(choices)}.")
        return value

    def url(self, name: str, default: str | None = None) -> str:
        """An http or https address without a trailing slash; empty only when the default is."""
        value = self.text(name, default)
        if value:
            try:
                parts = urlsplit(value)
                usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
                usable = usable and (parts.port is None or parts.port > 0)
            except ValueError:
                usable = False
            if not usable:
                raise BadSetting(name, "is not an address like https://example.org.")
        return value.rstrip("/")

    def broker(self, name: str) -> str:
        """A message broker's address; empty when not set. It may hold a password."""
        value = self.text(name, "")
        if value and not _BROKER.match(value):
            raise BadSetting(name, "is not like redis://host:6379/0 or amqp://user@host:5672//.")
        return value

    def email(self, name: str, default: str) -> str:
        """An e-mail address, or `Name <address>`."""
        value = self.text(name, default)
        if not _EMAIL.fullmatch(parseaddr(value)[1]):
            raise BadSetting(name, "is not like billing@example.org.")
        return value

    def currency(self, name: str) -> str:
        """A currency code; empty when not set."""
        value = self.text(name, "")
        if value and value not in DIGITS:
            raise BadSetting(name, f"{value[:40]!r} is not an ISO 4217 code such as EUR.")
        return value

    def pattern(
        self, name: str, default: str = "", *, aliases: Sequence[str] = ()
    ) -> re.Pattern[str] | None:
        """A regular expression; None when not set."""
        value = self.text(name, default, aliases=aliases)
        try:
            return re.compile(value) if value else None
        except re.error as error:
            raise BadSetting(name, f"is not a regular expression: {error}.") from None
