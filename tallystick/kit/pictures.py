"""Pictures that somebody uploaded: what they are by their bytes, whatever their name says."""

from __future__ import annotations

import json
import threading
from functools import cache, lru_cache
from pathlib import Path

import typst

LARGEST = 400_000
"""In bytes: a logo goes into every document."""
_HEADS = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg"}

# A compiler is not to be entered twice.
_one_at_a_time = threading.Lock()


def kind_of(data: bytes) -> str:
    """png, jpeg, or nothing, by how it begins."""
    return next((kind for head, kind in _HEADS.items() if data.startswith(head)), "")


@lru_cache(maxsize=64)
def is_whole(data: bytes) -> bool:
    """Whether a document can show `data`: a PNG or JPEG that is whole."""
    if not kind_of(data):
        return False
    inputs = {"data": json.dumps({"picture": list(data)})}
    with _one_at_a_time:
        try:
            _compiler().compile(format="pdf", sys_inputs=inputs)
        except typst.TypstError:
            return False
    return True


@cache
def _compiler() -> typst.Compiler:
    # By path: a compiler of bytes compiles once only (typst-py 0.15).
    here = Path(__file__).parent
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False)
    return typst.Compiler(str(here / "picture.typ"), root=str(here), font_paths=fonts)
