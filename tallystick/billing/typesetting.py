"""Documents as PDF: typst in process, the same on every machine, PDF/A-3 and PDF/UA-1.

Data reaches the templates of `look/` as JSON, never as markup. What the faces at hand cannot show
is left out or replaced beforehand, because an archivable PDF may not hold such text at all.
"""

from __future__ import annotations

import json
import re
import threading
import unicodedata
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

import typst

LOOK = Path(__file__).parent / "look"
_STANDARDS: list[typst.PDFStandard] = ["a-3a", "ua-1"]
# Symbols (emoji among them), marks, controls, formats, surrogates, unassigned: dropped when unknown.
_DROPPED = {"So", "Sk", "Mn", "Cc", "Cf", "Cs", "Co", "Cn"}

# A compiler is not to be entered twice; two of them at once would gain nothing.
_one_at_a_time = threading.Lock()


def pdf(template: Literal["invoice", "receipt"], data: dict[str, Any], at: datetime) -> bytes:
    """`data` set in `look/{template}.typ`; `at` is the time of creation that the file states."""
    whole_second = at.replace(microsecond=0)  # typst takes no finer one
    inputs = {"data": json.dumps(printable({**data, "tokens": tokens()["light"]}))}
    with _one_at_a_time:
        made = _compiler(template).compile(
            format="pdf", pdf_standards=_STANDARDS, sys_inputs=inputs, timestamp=whole_second
        )
    if not isinstance(made, bytes):
        raise TypeError("A PDF is one file.")
    return made


@cache
def tokens() -> dict[str, dict[str, str]]:
    """The design tokens, by theme: colours as `#rrggbb`."""
    themes: dict[str, dict[str, str]] = json.loads((LOOK / "tokens.json").read_text())
    return themes


def printable(value: Any) -> Any:  # noqa: ANN401 - JSON in, JSON out
    """`value` with every text in it reduced to what the faces can show."""
    if isinstance(value, str):
        return _printable_text(value)
    if isinstance(value, dict):
        return {name: printable(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [printable(part) for part in value]
    return value


def _printable_text(text: str) -> str:
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    return _uncovered().sub(_stand_in, composed)


def _stand_in(found: re.Match[str]) -> str:
    character = found[0]
    plainer = unicodedata.normalize("NFKC", character)
    if plainer != character and not _uncovered().search(plainer):
        return plainer
    if unicodedata.category(character) == "Zs":
        return " "
    return "" if unicodedata.category(character) in _DROPPED else "?"


@cache
def _uncovered() -> re.Pattern[str]:
    ranges = json.loads((LOOK / "fonts" / "coverage.json").read_text())
    covered = "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)
    return re.compile(f"[^\\n{covered}]")


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(LOOK / "fonts")],
    )


@cache
def _compiler(template: str) -> typst.Compiler:
    # By path: a compiler of bytes compiles once only (typst-py 0.15).
    return typst.Compiler(str(LOOK / f"{template}.typ"), root=str(LOOK), font_paths=_fonts())
