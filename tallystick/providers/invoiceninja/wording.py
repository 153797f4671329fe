"""Texts and amounts as Invoice Ninja takes them."""

from __future__ import annotations

import hashlib
import logging
import re
import unicodedata
from decimal import Decimal

from tallystick.ports.errors import Refused

logger = logging.getLogger(__name__)

LINE = 191
"""Characters of a column of one line in the server's database."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_JOINER = "\u200d"
_MARKS = frozenset({"Mn", "Mc", "Me"})
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
_DIGEST = 12
_TOO_LARGE = Decimal(10**14)
_PLACES = 6


def fitted(text: str, most: int, field: str) -> str:
    """`text` without control characters, cut to `most`; that it was is logged, without the text."""
    text = _CONTROL.sub("", text)
    if len(text) <= most:
        return text
    logger.info("%s is longer than the %d characters it may have; it was cut.", field, most)
    return cut(text, most - 1) + "…"


def code(text: str, most: int) -> str:
    """`text` as a code of at most `most` characters; different texts give different codes."""
    text = _CONTROL.sub("", text)
    return text if len(text) <= most else told_apart(text, text, most)


def told_apart(text: str, by: str, most: int) -> str:
    """A code that begins as `text` and ends as no other does: in a digest of `by`."""
    suffix = "-" + hashlib.sha256(by.encode()).hexdigest()[:_DIGEST]
    return cut(text, most - len(suffix)) + suffix


def cut(text: str, most: int) -> str:
    """At most `most` code points of `text`, none of them part of a character that goes on."""
    while most and most < len(text) and _goes_on(text, most):
        most -= 1
    return text[:most]


def exact(value: Decimal) -> float:
    """A number as the server keeps it. Raises `Refused` for one that it cannot hold."""
    if not -_TOO_LARGE < value < _TOO_LARGE:
        raise Refused("Invoice Ninja cannot hold a number of this many digits.")
    if round(value, _PLACES) != value:
        raise Refused(f"Invoice Ninja keeps {_PLACES} decimal places, and this number has more.")
    return float(value)


def _goes_on(text: str, place: int) -> bool:
    """Whether what a reader sees as one character lies on both sides of `place`."""
    before, after = text[place - 1], text[place]
    if unicodedata.category(after) in _MARKS or ord(after) in _SKIN_TONES:
        return True
    if _JOINER in (before, after):
        return True
    letters = 0
    while letters < place and ord(text[place - 1 - letters]) in _FLAG_LETTERS:
        letters += 1
    return ord(after) in _FLAG_LETTERS and letters % 2 == 1
