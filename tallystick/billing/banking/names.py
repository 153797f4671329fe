"""Whether two names are of one person or firm, as banks and clients write them."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[a-z0-9]+")
_NAMELESS = """
mr mrs ms dr prof herr frau firma mme m und and et y ve co kg gmbh mbh ag ug ohg ltd limited llc inc plc
sarl sas sa srl sl bv nv ab oy as aps sti a s the of der die das de di da van von
"""
_FILLERS = frozenset(_WORD.findall(_NAMELESS))
_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "o", "ł": "l", "ı": "i"})
_LIKE = 0.6


def alike(one: str, other: str) -> bool:
    """Whether most words of the shorter are in the longer: order, case, accents, titles and legal
    forms aside. One word that is shared is enough only where there is no more of it."""
    return any(
        _share(_words(one, fold=fold), _words(other, fold=fold)) >= _LIKE for fold in (True, False)
    )


def _share(one: frozenset[str], other: frozenset[str]) -> float:
    if not one or not other:
        return 0
    return len(one & other) / max(min(len(one), len(other)), 1)


def _words(name: str, *, fold: bool) -> frozenset[str]:
    """Ü is ue in one bank's file and u in another's."""
    lower = name.casefold() if fold else name.lower().translate(_SPELLED)
    bare = unicodedata.normalize("NFKD", lower)
    plain = "".join(each for each in bare if not unicodedata.combining(each))
    words = frozenset(_WORD.findall(plain.translate(_SPELLED)))
    return words - _FILLERS or words
