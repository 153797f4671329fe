"""How long a provider asks us to wait."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tallystick.kit import clock

LONGEST = 366 * 86_400.0
"""Seconds; what is beyond a year is not a time but a mistake, and does not fit every column."""
_SECONDS = re.compile(r"\d{1,300}(\.\d{1,30})?", re.ASCII)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that `Retry-After` asks for, given as a number or as a date; None without it.

    A date is measured from the answer's own `Date` where there is one: our clock may be wrong.
    """
    asked = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(asked):
        return min(float(asked), LONGEST)
    until = _date(asked)
    if until is None:
        return None
    since = stated_time(headers) or clock.now()
    return min(max((until - since).total_seconds(), 0.0), LONGEST)


def stated_time(headers: Mapping[str, str]) -> datetime | None:
    """When an answer was made, by the clock of whoever made it; None when it does not say."""
    return _date(headers.get("date", ""))


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
