"""What went wrong, in one line that can be kept and shown: no secret, no markup, no novel."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from pathlib import Path

LONGEST = 500
_HIDDEN = "[hidden]"
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_MASKS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    # https://user:password@host
    (re.compile(r"(?<=://)[^\s/@]+@"), f"{_HIDDEN}@"),
    # The query of an address carries tokens and names.
    (re.compile(r"(https?://[^\s?#]+)[?#]\S+"), rf"\1?{_HIDDEN}"),
    # Authorization: Bearer abc, api_key='abc', "password": "abc"
    (
        re.compile(
            r"(?i)((?:authorization|bearer|basic|\w*(?:password|passwd|secret|token|api[_-]?key))"
            r"[\"']?\s*[:= ]\s*)(?:bearer\s+|basic\s+)?[\"']?[^\s\"',;&}]+"
        ),
        rf"\1{_HIDDEN}",
    ),
    # Whatever else looks drawn at random: long, and digits among the letters. Not our own ids.
    (
        re.compile(rf"\b({_UUID})\b|\b(?=[\w+/=.-]*\d)(?=[\w+/=.-]*[A-Za-z])[\w+/=-]{{24,}}"),
        lambda found: found[1] or _HIDDEN,
    ),
    # Card numbers.
    (re.compile(r"\b\d(?:[ -]?\d){12,18}\b"), _HIDDEN),
)


def reason_of(error: BaseException | str) -> str:
    """The error's class and message, secrets masked, on one line of at most 500 characters."""
    if isinstance(error, BaseException):
        text = f"{type(error).__name__}: {error}".removesuffix(": ")
    else:
        text = error
    # The cut before the masks bounds the work; the one after it bounds the answer.
    text = " ".join(_printable(text[: 4 * LONGEST]).split())
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def trace_of(error: BaseException) -> str:
    """What was raised, and where. Its message, which may hold a person's data, is left out."""
    return f"{type(error).__name__} ({place_of(error)})"


def place_of(error: BaseException) -> str:
    """Where it was raised, innermost last: the part of a traceback that holds no values."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return " > ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
