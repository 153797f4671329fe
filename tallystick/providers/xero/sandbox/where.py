"""The filter language of `where` and `order`.

Status=="AUTHORISED" AND (Total>=100.00 OR Contact.ContactID==guid("..."))
EmailAddress!=null && EmailAddress.StartsWith("a") && Date>=DateTime(2026,1,31)
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tallystick.providers.xero.sandbox.answers import Element, Rejected, bad_query
from tallystick.providers.xero.sandbox.store import at

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>"(?:[^"\\]|\\.)*")
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<symbol>==|!=|<>|>=|<=|&&|\|\||[=<>(),.])
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    )""",
    re.VERBOSE,
)
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_METHODS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda held, part: part in held,
    "startswith": lambda held, part: held.startswith(part),
    "endswith": lambda held, part: held.endswith(part),
}
_CASES = {"tolower", "toupper"}
_CONSTANTS = {"true": True, "false": False, "null": None}
_ORDER = re.compile(
    r"\s*(?P<name>\w+)(?P<rest>(?:\.\w+)*)(?:\s+(?P<way>ASC|DESC))?\s*", re.IGNORECASE
)
_EQUALITY = {"==", "=", "!=", "<>"}
_LONGEST = 4000
_DEEPEST = 20


class BadWhere(Exception):
    """The text is not in the language."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`test` decides about one element. `keys` is what must hold for it to be true at all: one of
    these (path, value) pairs; None when that cannot be told."""

    test: Callable[[Element], bool]
    keys: tuple[tuple[str, str], ...] | None = None


def parse(text: str, fields: Container[str]) -> Condition:
    """Raises `Rejected` with Xero's answer when `text` is not in the language, or speaks of what is
    not among `fields`."""
    try:
        return _Parser(text, fields).condition()
    except BadWhere as error:
        raise Rejected(bad_query(str(error))) from None


class _Parser:
    def __init__(self, text: str, fields: Container[str]) -> None:
        if len(text) > _LONGEST:
            raise BadWhere("The where clause is too long")
        self._tokens = _tokens(text)
        self._fields = fields
        self._at = 0
        self._depth = 0

    def condition(self) -> Condition:
        found = self._either()
        if self._at < len(self._tokens):
            raise BadWhere(f"Syntax error near '{self._tokens[self._at]}'")
        return found

    def _either(self) -> Condition:
        found = self._both()
        while self._take("OR", "||"):
            found = _either(found, self._both())
        return found

    def _both(self) -> Condition:
        found = self._one()
        while self._take("AND", "&&"):
            found = _both(found, self._one())
        return found

    def _one(self) -> Condition:
        if not self._take("("):
            return self._comparison()
        self._depth += 1
        if self._depth > _DEEPEST:
            raise BadWhere("The where clause is nested too deeply")
        found = self._either()
        self._expect(")")
        return found

    def _comparison(self) -> Condition:
        path = [self._field()]
        while self._take("."):
            name = self._word()
            if name.lower() in _METHODS:
                return self._method(".".join(path), name.lower())
            if name.lower() in _CASES:
                self._expect("(")
                self._expect(")")
                continue
            path.append(name)
        symbol = self._next()
        if symbol not in _COMPARE:
            raise BadWhere("Operator expected")
        return _compared(".".join(path), symbol, self._literal())

    def _method(self, path: str, name: str) -> Condition:
        self._expect("(")
        part = str(self._literal()).lower()
        self._expect(")")
        if self._take("==", "="):
            self._literal()
        method = _METHODS[name]
        return Condition(lambda e: method(str(at(e, path) or "").lower(), part))

    def _literal(self) -> Any:  # noqa: ANN401 - a value of their language
        token = self._next()
        if token.startswith('"'):
            return re.sub(r"\\(.)", r"\1", token[1:-1])
        if token[0].isdigit() or token[0] == "-":
            return Decimal(token)
        if token.lower() in _CONSTANTS:
            return _CONSTANTS[token.lower()]
        if token.lower() in {"guid", "datetime"}:
            return self._call(token.lower())
        raise BadWhere(f"No property or field '{token}' exists")

    def _call(self, name: str) -> Any:  # noqa: ANN401 - a value of their language
        """`guid("...")`, `DateTime(2026,1,31)`, `DateTime.Parse("2026-01-31")`."""
        if self._take("."):
            self._word()
        self._expect("(")
        given = [self._literal()]
        while self._take(","):
            given.append(self._literal())
        self._expect(")")
        try:
            if name == "guid":
                return str(given[0]).lower()
            if isinstance(given[0], str):
                return datetime.fromisoformat(given[0]).replace(tzinfo=UTC)
            return datetime(*(int(part) for part in given), tzinfo=UTC)  # type: ignore[arg-type, misc] # three to six of them
        except (ValueError, TypeError):
            raise BadWhere(f"Not a {name}") from None

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise BadWhere("Expression expected")
        self._at += 1
        return self._tokens[self._at - 1]

    def _field(self) -> str:
        name = self._word()
        if name not in self._fields:
            raise BadWhere(f"No property or field '{name}' exists")
        return name

    def _word(self) -> str:
        token = self._next()
        if not (token[0].isalpha() or token[0] == "_"):
            raise BadWhere(f"Syntax error near '{token}'")
        return token

    def _take(self, *tokens: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at].upper() in tokens:
            self._at += 1
            return True
        return False

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise BadWhere(f"'{token}' expected")


def _tokens(text: str) -> list[str]:
    found, place = [], 0
    text = text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise BadWhere(f"Syntax error at position {place}")
        found.append(match[0].strip())
        place = match.end()
    return found


def _both(left: Condition, right: Condition) -> Condition:
    keys = left.keys if left.keys is not None else right.keys
    return Condition(lambda e: left.test(e) and right.test(e), keys)


def _either(left: Condition, right: Condition) -> Condition:
    known = left.keys is not None and right.keys is not None
    keys = (*(left.keys or ()), *(right.keys or ())) if known else None
    return Condition(lambda e: left.test(e) or right.test(e), keys)


def _compared(path: str, symbol: str, wanted: Any) -> Condition:  # noqa: ANN401 - a value of theirs
    compare, right = _COMPARE[symbol], _folded(wanted)

    def test(element: Element) -> bool:
        left = _folded(at(element, path))
        if right is None and left == "":
            left = None
        if left is None or right is None:
            return symbol in _EQUALITY and bool(compare(left, right))
        try:
            return bool(compare(left, right))
        except TypeError:
            return False

    is_key = symbol in {"==", "="} and isinstance(right, str)
    return Condition(test, ((path, str(right)),) if is_key else None)


def _folded(value: Any) -> Any:  # noqa: ANN401 - whatever is compared
    """Texts compare without case, dates as midnight UTC, ints as decimals."""
    if isinstance(value, str):
        return value.lower()
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    return value


def ordering(text: str, fields: Container[str]) -> Callable[[list[Element]], list[Element]]:
    """What puts elements in the order `text` asks for, such as `UpdatedDateUTC DESC, Name`."""
    wanted = []
    for part in text.split(","):
        match = _ORDER.fullmatch(part)
        if match is None or match["name"] not in fields:
            raise Rejected(bad_query(f"Syntax error in order '{text[:80]}'"))
        wanted.append((match["name"] + match["rest"], (match["way"] or "").upper() == "DESC"))

    def ordered(elements: list[Element]) -> list[Element]:
        for path, descending in reversed(wanted):
            elements = sorted(elements, key=lambda e: _sort_key(at(e, path)), reverse=descending)
        return elements

    return ordered


def _sort_key(value: Any) -> tuple[bool, Any]:  # noqa: ANN401 - whatever is sorted by
    return (value is not None, _folded(value) if value is not None else 0)
