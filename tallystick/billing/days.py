"""The days that a document can bear: outside of them lie slips of the keyboard, and years that
neither numbers nor time zones can be reckoned with."""

from __future__ import annotations

from datetime import date

from tallystick.billing.errors import BillingError

FIRST, LAST = date(1990, 1, 1), date(2199, 12, 31)


class BadDay(BillingError):
    """The day lies too far in the past or in the future."""


def check(day: date | None, name: str) -> None:
    """Raises `BadDay`, which names the field; no day at all is fine."""
    if day is not None and not FIRST <= day <= LAST:
        raise BadDay(f"The {name} lies between {FIRST} and {LAST}.")
