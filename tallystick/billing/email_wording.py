"""Wording: what staff write for a mail. `{{ name }}` stands for a value, `{% if name %}` asks whether
there is one; nothing else is special, nothing is run, and no value holds more than text.

    Dear {{ client_name }},

    {% if due_date %}please pay by {{ due_date }}.{% else %}please pay.{% endif %}

As HTML, blank lines part paragraphs, lines that begin with "- " are a list, `**words**` are bold, and
addresses that begin with https:// are links. Everything else is escaped.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NoReturn, TypeAlias

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from tallystick.billing.errors import BillingError

LONGEST_VALUE = 2_000
LONGEST_RESULT = 50_000
_DEEPEST = 5
_TAG = re.compile(r"\{\{(.*?)\}\}|\{%(.*?)%\}", re.DOTALL)
_NAME = re.compile(r"[a-z_]+(\.[a-z_]+)?", re.ASCII)
_IF = re.compile(r"(if|elif)\s+(not\s+)?(\S+)", re.ASCII)
_BOLD = re.compile(r"\*\*(?=\S)([^*\n]{1,500}?)(?<=\S)\*\*")
_LINK = re.compile(r"https://[^\s<>\"'*]{1,2000}[^\s<>\"'*.,;:!?)\]]")
_STRAY = re.compile(r"\{\{|\}\}|\{%|%\}")

Values = Mapping[str, "str | Mapping[str, str]"]


class BadWording(BillingError):
    """The words cannot be used: something in them is not as it has to be."""

    def __init__(self, message: str, *, line: int = 0, part: str = "") -> None:
        self.line, self.part = line, part
        super().__init__(f"Line {line}: {message}" if line else message)


@dataclass
class _Branch:
    """`parts` are said where `name` is there, or is not; a branch without a name is the last."""

    name: str
    negated: bool
    parts: _Parts = field(default_factory=list)

    def holds(self, values: Values) -> bool:
        return not self.name or bool(_value(values, self.name)) is not self.negated


@dataclass(frozen=True)
class _Name:
    name: str


_Parts: TypeAlias = "list[str | _Name | list[_Branch]]"


class Wording:
    """Read when it is made: raises `BadWording`. `names` are those that it may use."""

    def __init__(self, text: str, names: Collection[str], *, part: str = "") -> None:
        self._names, self._part = names, part
        self.parts = self._read(text)

    def render(self, values: Values) -> str:
        """The words with `values` in place; raises `BadWording` when that is too long."""
        pieces, length = [], 0
        for piece in _pieces(self.parts, values):
            length += len(piece)
            if length > LONGEST_RESULT:
                raise BadWording(f"It becomes longer than {LONGEST_RESULT} characters.")
            pieces.append(piece)
        return re.sub(r"\n{3,}", "\n\n", "".join(pieces))

    def _read(self, text: str) -> _Parts:
        root: _Parts = []
        open_ifs: list[tuple[int, list[_Branch]]] = []
        at, end = root, 0
        for found in _TAG.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            at.append(self._plain(text, end, found.start()))
            end = found.end()
            if found[1] is not None:
                at.append(_Name(self._known(found[1].strip(), line)))
            else:
                at = self._tag(found[2].strip(), line, at, root, open_ifs)
        at.append(self._plain(text, end, len(text)))
        if open_ifs:
            self._refuse("This {% if %} has no {% endif %}.", open_ifs[-1][0])
        return root

    def _tag(
        self,
        tag: str,
        line: int,
        at: _Parts,
        root: _Parts,
        open_ifs: list[tuple[int, list[_Branch]]],
    ) -> _Parts:
        """Take one tag in; returns where what follows it belongs."""
        if found := _IF.fullmatch(tag):
            branch = _Branch(self._known(found[3], line), negated=bool(found[2]))
            if found[1] == "if":
                if len(open_ifs) == _DEEPEST:
                    self._refuse(f"More than {_DEEPEST} {{% if %}} in one another.", line)
                branches = [branch]
                at.append(branches)
                open_ifs.append((line, branches))
                return branch.parts
        elif tag == "else":
            branch = _Branch("", negated=False)
        elif tag == "endif" and open_ifs:
            open_ifs.pop()
            return open_ifs[-1][1][-1].parts if open_ifs else root
        else:
            self._refuse(f"{{% {tag[:40]} %}} is not known or has no {{% if %}} before it.", line)
        if not open_ifs or not open_ifs[-1][1][-1].name:
            self._refuse(f"{{% {tag[:40]} %}} stands without an {{% if %}} before it.", line)
        open_ifs[-1][1].append(branch)
        return branch.parts

    def _known(self, name: str, line: int) -> str:
        if name not in self._names:
            self._refuse_name(name, line)
        return name

    def _refuse_name(self, name: str, line: int) -> NoReturn:
        close = difflib.get_close_matches(name[:60], self._names, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        self._refuse(f"There is no value named {name[:60] or 'nothing'}.{hint}", line)

    def _plain(self, text: str, start: int, end: int) -> str:
        piece = text[start:end]
        if stray := _STRAY.search(piece):
            line = text.count("\n", 0, start + stray.start()) + 1
            self._refuse(f"{stray[0]} is not closed, or closes nothing.", line)
        return piece

    def _refuse(self, message: str, line: int) -> NoReturn:
        raise BadWording(message, line=line, part=self._part)


def as_html(words: str, accent: str) -> SafeString:
    """Rendered words as HTML: paragraphs, lists, bold, links; all else escaped."""
    blocks = re.split(r"\n\s*\n", words.strip())
    return mark_safe("\n".join(_block(block, accent) for block in blocks if block.strip()))  # noqa: S308


def as_text(words: str) -> str:
    return _BOLD.sub(r"\1", words).strip()


def _pieces(parts: _Parts, values: Values) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        elif isinstance(part, _Name):
            yield _value(values, part.name)
        else:
            branch = next((branch for branch in part if branch.holds(values)), None)
            if branch:
                yield from _pieces(branch.parts, values)


def _value(values: Values, name: str) -> str:
    first, _, second = name.partition(".")
    value = values.get(first, "")
    if second:
        value = value.get(second, "") if isinstance(value, Mapping) else ""
    return value[:LONGEST_VALUE] if isinstance(value, str) else ""


def _block(block: str, accent: str) -> str:
    lines = [line.strip() for line in block.strip().splitlines()]
    if all(line.startswith("- ") for line in lines):
        items = "".join(
            f'<li style="margin:0 0 4px">{_inline(line[2:], accent)}</li>' for line in lines
        )
        return (
            f'<ul class="ink" style="margin:0 0 16px;padding:0 0 0 24px;color:#171c19">{items}</ul>'
        )
    words = "<br>".join(_inline(line, accent) for line in lines)
    return f'<p class="ink" style="margin:0 0 16px;color:#171c19">{words}</p>'


def _inline(line: str, accent: str) -> str:
    """One line: what is between the links is escaped, and so are they."""
    made, end = [], 0
    for link in _LINK.finditer(line):
        made.append(_words(line[end : link.start()]))
        address = escape(link[0])
        made.append(
            f'<a class="link" href="{address}" style="color:{accent};word-break:break-all">{address}</a>'
        )
        end = link.end()
    return "".join([*made, _words(line[end:])])


def _words(text: str) -> str:
    return _BOLD.sub(r"<b>\1</b>", escape(text))
