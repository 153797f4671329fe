"""JSON as we exchange and hash it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
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


def pieces(document: Mapping[str, object]) -> Iterator[str]:
    """`document` as text, piece by piece: a member that is an iterator becomes a list whose items
    are read as they are written, so that a long one takes no memory. Its members are in order, and
    one that can be called is asked for when it is its turn."""
    opening = "{"
    for name, value in document.items():
        yield f"{opening}\n  {json.dumps(name)}: "
        opening = ","
        if isinstance(value, Iterator):
            yield from _items(value)
        else:
            yield json.dumps(value() if callable(value) else value, default=plain)
    yield "\n}" if document else "{}"


def _items(values: Iterator[object]) -> Iterator[str]:
    opening = "["
    for value in values:
        yield f"{opening}\n    {json.dumps(value, default=plain)}"
        opening = ","
    yield "[]" if opening == "[" else "\n  ]"
