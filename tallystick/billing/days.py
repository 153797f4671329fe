"""The days that a document can bear: outside of them lie slips of the keyboard, and years that
neither numbers nor time zones can be reckoned with."""

from __future__ import annotations

from datetime import date, timedelta

from django.utils.translation import gettext

from tallystick.accounts.websites import MOST_DAYS_TO_PAY
from tallystick.billing.errors import BillingError

FIRST, LAST = date(1990, 1, 1), date(2199, 12, 31)
AHEAD = timedelta(days=31)
_YEARS_BACK = 10


class BadDay(BillingError):
    """The day lies too far in the past or in the future."""

    pointer = ""
    """Where in the body of a request it stands."""


def holds(day: date) -> bool:
    """Whether a document can bear it."""
    return FIRST <= day <= LAST


def check(day: date | None, name: str) -> None:
    """Raises `BadDay`, which names the field; no day at all is fine."""
    if day is not None and not holds(day):
        raise BadDay(f"The {name} lies between {FIRST} and {LAST}.")


def check_issue(day: date | None, today: date) -> None:
    """The same for what is issued `today`: its number is of the year of its date, and a year that is
    mistyped would have a series of its own for ever."""
    check(day, "date of issue")
    first, last = _years_before(today), today + AHEAD
    if day is not None and not first <= day <= last:
        problem = BadDay(f"The date of issue lies between {first} and {last}.")
        problem.pointer = "/issue_date"
        raise problem


def check_received(day: date | None, today: date) -> None:
    """The same for money that has come; somewhere on earth it is tomorrow."""
    first, last = _years_before(today), today + timedelta(days=1)
    if day is not None and not first <= day <= last:
        raise BadDay(
            gettext("The day it was received on lies between %(first)s and %(last)s.")
            % {"first": first, "last": last}
        )


def due(issued: date, terms: int) -> date:
    """So many days after it was issued. Raises `BadDay`, which names the setting."""
    if terms > MOST_DAYS_TO_PAY:
        raise BadDay(f"The website's days to pay are at most {MOST_DAYS_TO_PAY}.")
    return issued + timedelta(days=terms)


def _years_before(today: date) -> date:
    day = min(today.day, 28) if today.month == 2 else today.day  # noqa: PLR2004 - 29 February
    return today.replace(year=today.year - _YEARS_BACK, day=day)
