"""References: what a client writes on a transfer, and how it is found in what the bank hands on.

A creditor reference of ISO 11649 is `RF`, two check digits and, of ours, the twelve characters of an
invoice's reference. The digits (ISO 7064, mod 97-10) catch every wrong digit, every letter taken for
another, and all but three of the possible swaps of neighbours (1B, 2M and 3X).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallystick.billing import tokens

if TYPE_CHECKING:
    from tallystick.billing.invoices import Invoice

_MODULUS = 97
_CHECK_BASE = 98
_HEAD = 4
_REFERENCE = re.compile(r"RF[0-9]{2}[0-9A-Z]{1,21}", re.ASCII)
# Between any two characters a bank or a client may put spaces, line ends or signs. A run of them is
# bounded, so that no text takes long.
_APART = r"[\s./:,_-]{0,4}"
_ID = f"[{tokens.ALPHABET}]"
_FOUND = re.compile(
    _APART.join(["R", "F", "[0-9]", "[0-9]"]) + _APART + f"((?:[0-9A-Z]{_APART}){{11}}[0-9A-Z])",
    re.ASCII,
)
_BARE = re.compile(
    rf"(?<![0-9A-Z])({_ID}{{4}}[\s-]?{_ID}{{4}}[\s-]?{_ID}{{4}})(?![0-9A-Z])", re.ASCII
)
_SIGNS = re.compile(r"[^0-9A-Z]", re.ASCII)
# What is read aloud or typed for another: none of these four is in a reference.
_READ_AS = str.maketrans("OIL", "011")


@dataclass(frozen=True, slots=True)
class Found:
    """What a text names: `structured` with check digits that are right; `mistyped` with one of O, I,
    L that are in no reference, and right when read as 0 and 1; `bare` without check digits, or with
    wrong ones."""

    structured: tuple[str, ...] = ()
    mistyped: tuple[str, ...] = ()
    bare: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.structured, *self.mistyped, *self.bare)


def structured_reference(invoice: Invoice) -> str:
    """What the client writes on a transfer for `invoice`: RF18…, without spaces."""
    return creditor_reference(invoice.reference_id)


def creditor_reference(text: str) -> str:
    """`text` (1 to 21 letters and digits) as a creditor reference of ISO 11649."""
    return f"RF{_CHECK_BASE - _remainder(f'{text}RF00'):02d}{text}"


def is_creditor_reference(text: str) -> bool:
    """Whether `text`, without spaces, is one whose check digits are right."""
    is_one = _REFERENCE.fullmatch(text) is not None
    return is_one and _remainder(text[_HEAD:] + text[:_HEAD]) == 1


def grouped(reference: str) -> str:
    """In groups of four, as it stands on paper."""
    return " ".join(reference[i : i + 4] for i in range(0, len(reference), 4))


def find(texts: Iterable[str]) -> Found:
    """The references of invoices that stand in what a bank hands on, whatever spaces, case and line
    ends the text has got on its way."""
    structured: dict[str, None] = {}
    mistyped: dict[str, None] = {}
    bare: dict[str, None] = {}
    for upper in map(_plain, texts):
        for digits, body in _candidates(upper):
            read = body.translate(_READ_AS)
            if is_creditor_reference(f"RF{digits}{body}"):
                structured[body] = None
            elif is_creditor_reference(f"RF{digits}{read}"):
                mistyped[read] = None
            else:
                bare[read] = None
        bare |= dict.fromkeys(_SIGNS.sub("", match[1]) for match in _BARE.finditer(upper))
    return Found(
        tuple(structured),
        tuple(each for each in mistyped if each not in structured),
        tuple(each for each in bare if each not in structured and each not in mistyped),
    )


def find_numbers(texts: Iterable[str], series: Mapping[str, int]) -> tuple[str, ...]:
    """The numbers of invoices (INV-2026-00001) in `texts`, also where signs and zeros were left out;
    `series` are their prefixes, each with how many digits it counts in."""
    if not series:
        return ()
    longest_first = sorted(series, key=len, reverse=True)
    pattern = re.compile(
        rf"(?<![0-9A-Z])({'|'.join(map(_loose, longest_first))}){_APART}"
        rf"(?:(20[0-9]{{2}}){_APART})?([0-9]{{1,12}})(?![0-9])",
        re.ASCII,
    )
    by_letters = {_letters(prefix): prefix for prefix in longest_first}
    found: dict[str, None] = {}
    for upper in map(_plain, texts):
        for match in pattern.finditer(upper):
            prefix = by_letters[_letters(match[1])]
            year = f"{match[2]}-" if match[2] else ""
            found[f"{prefix}-{year}{int(match[3]):0{series[prefix]}d}"] = None
    return tuple(found)


def _candidates(upper: str) -> Iterator[tuple[str, str]]:
    """Every "RF" in `upper` that two digits and twelve characters follow: digits and characters."""
    start = 0
    while match := _FOUND.search(upper, start):
        written = _SIGNS.sub("", match[0])
        yield written[2:4], written[4:16]
        start = match.start() + 1


def _plain(text: str) -> str:
    """In capitals; a space is a space and a digit a digit, whatever its form."""
    return unicodedata.normalize("NFKC", text).upper()


def _remainder(text: str) -> int:
    """Mod 97, of the digits with letters as 10 to 35."""
    return int("".join(str(int(character, 36)) for character in text)) % _MODULUS


def _letters(text: str) -> str:
    return _SIGNS.sub("", text.upper())


def _loose(prefix: str) -> str:
    return _APART.join(_letters(prefix)) or re.escape(prefix)
