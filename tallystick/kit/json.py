"""JSON as we exchange and hash it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from uuid import UUID

JsonValue = None | bool | int | float | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"]


def canonical(value: object) -> bytes:
    """One spelling per value (keys sorted, no spaces, UTF-8): for hashes and fingerprints."""
    return json.dumps(
        value, default=plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()


def plain(value: object) -> str:
    """How values that JSON does not know are written: decimals and times as text."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum | UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
