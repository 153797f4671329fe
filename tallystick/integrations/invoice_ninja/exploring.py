"""The shape of what Invoice Ninja has: read, never written. Whatever may be a secret, or somebody's,
is masked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

LABELS = ("Referral Code", "Referred By", "Nationality", "Django User ID")
"""What the four custom fields of a client are called there, so that people can read them."""
_TYPE = "single_line_text"
_LONGEST = 40
_OPEN_TYPES = (bool, int, float, type(None))

_SECRET = re.compile(
    r"token|secret|password|passw|hash|key$|_key|header|signature|link|url", re.IGNORECASE
)
_PERSONAL = re.compile(
    r"name$|email|phone|address|city|state$|postal|vat|id_number|notes|website|custom_value|"
    r"birth|contact|terms|footer|reference|latitude|longitude|\bip\b|last_login",
    re.IGNORECASE,
)
_PLAIN = frozenset({"product_key", "tax_name1", "tax_name2", "tax_name3", "status_name"})


@dataclass(frozen=True, slots=True)
class Field:
    """`name` leads to it (`contacts[].email`); `type` is that of JSON, several with bars between."""

    name: str
    type: str
    example: object


def shape(rows: Sequence[Mapping[str, object]], *, shows_values: bool = False) -> list[Field]:
    """The fields of all `rows`, in the order met; the example is the first that is not empty."""
    types: dict[str, dict[str, None]] = {}
    examples: dict[str, object] = {}
    for row in rows:
        for name, value in _leaves(row):
            types.setdefault(name, {})[_type(value)] = None
            if examples.get(name) in (None, ""):
                examples[name] = value
    return [
        Field(name, "|".join(kinds), _example(name, examples[name], shows_values=shows_values))
        for name, kinds in types.items()
    ]


def mislabelled(custom_fields: Mapping[str, str]) -> list[str]:
    """What is to be set up in the company's custom fields, in words; nothing when all is well."""
    found = []
    for place, label in enumerate(LABELS, 1):
        name, _, kind = custom_fields.get(f"client{place}", "").partition("|")
        if name.strip().lower() == label.lower() and kind in {"", _TYPE}:
            continue
        is_now = f"it is {name.strip()!r}" if name.strip() else "it has no label"
        found.append(
            f"Settings > Custom Fields > Clients: field {place} is to be {label!r}, single-line "
            f"text; {is_now}{f' of type {kind}' if kind not in {'', _TYPE} else ''}."
        )
    return found


def _leaves(row: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in row.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{name}.")
        elif isinstance(value, list) and value and all(isinstance(v, Mapping) for v in value):
            for part in value:
                yield from _leaves(part, f"{name}[].")
        else:
            yield name, value


def _type(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    names: dict[type, str] = {str: "string", list: "array", dict: "object", type(None): "null"}
    return names.get(type(value), "string")


def _example(name: str, value: object, *, shows_values: bool) -> object:
    if value in (None, "", [], {}):
        return value
    if not shows_values and _is_masked(name, value):
        return "***"
    text = value if isinstance(value, str) else None
    if text is None:
        return value if isinstance(value, _OPEN_TYPES) else "..."
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _is_masked(name: str, value: object) -> bool:
    last = name.rpartition(".")[2]
    if last in _PLAIN or isinstance(value, bool):
        return False
    return bool(_SECRET.search(last) or _PERSONAL.search(last)) or "@" in str(value)
