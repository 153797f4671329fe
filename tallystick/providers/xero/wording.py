"""Texts and amounts as Xero takes them."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from urllib.parse import quote

from tallystick.kit.money import round_to
from tallystick.ports.errors import Refused

logger = logging.getLogger(__name__)

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_SHORT = 6
# An address as a whole may have some 2,000 characters.
_QUERY = 1200
_TOO_LARGE = Decimal(10**11)


def fitted(text: str, most: int, field: str) -> str:
    """`text` without what XML cannot hold, cut to `most` characters: Xero would refuse more.

    Xero counts UTF-16: a character beyond the first plane is two.
    """
    text = _CONTROL.sub("", text)
    if 2 * len(text) <= most or _length(text) <= most:
        return text
    logger.info("%s is longer than the %d characters Xero takes; it was cut.", field, most)
    return text.encode("utf-16-le")[: 2 * (most - 1)].decode("utf-16-le", "ignore") + "…"


def suffixed(text: str, key: str, most: int) -> str:
    """`text` told apart from another of the same wording by a piece of our key."""
    suffix = f" ({key[-_SHORT:]})"
    return fitted(text, most - len(suffix), "A name") + suffix


def code(text: str, most: int) -> str:
    """`text` as a code of at most `most` characters; different texts give different codes."""
    text = _CONTROL.sub("", text)
    if 2 * len(text) <= most or _length(text) <= most:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[: 2 * _SHORT]
    head = text.encode("utf-16-le")[: 2 * (most - len(digest) - 1)]
    return f"{head.decode('utf-16-le', 'ignore')}-{digest}"


def quoted(text: str) -> str:
    """A text inside a `where`."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def address_sized(texts: Sequence[str], *, most: int) -> Iterator[list[str]]:
    """`texts` in groups of at most `most`, each short enough for the query of one address."""
    group: list[str] = []
    size = 0
    for text in texts:
        length = len(quote(text))
        if group and (len(group) == most or size + length > _QUERY):
            yield group
            group, size = [], 0
        group.append(text)
        size += length
    if group:
        yield group


def amount(value: Decimal) -> float:
    """An amount of money. Raises `Refused` for what Xero cannot hold: it has two decimal places,
    whatever the currency."""
    if round_to(value, 2) != value:
        raise Refused("Xero keeps two decimal places, and this amount has more.")
    return exact(value)


def exact(value: Decimal) -> float:
    """A number of at most four decimal places; a JSON number keeps fifteen digits of it. Raises
    `Refused` for a larger one."""
    if not -_TOO_LARGE < value < _TOO_LARGE:
        raise Refused("Xero cannot hold a number of this many digits.")
    return float(value)


def _length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
