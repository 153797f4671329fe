"""Where a company's things are kept: rows by id, found by their keys, in the order of change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from tallystick.providers.invoiceninja.sandbox.answers import Row

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LENGTH = 10
_SPREAD = 3_141_592_653_589_793  # shares no factor with 62: no two numbers get one id


def hashed(number: int) -> str:
    """The short id of the `number`th row: the same for every kind of thing."""
    rest, letters = number * _SPREAD % len(_LETTERS) ** _LENGTH, ""
    for _ in range(_LENGTH):
        rest, place = divmod(rest, len(_LETTERS))
        letters += _LETTERS[place]
    return letters


class Shelf:
    """Things of one kind. A row put here is never changed in place: a change puts a new one.

    `keys`: name -> the texts by which a row is found, whatever their case.
    """

    def __init__(self, keys: Mapping[str, Callable[[Row], Iterable[str]]]) -> None:
        self.version = 0
        self._keys = keys
        self._numbers = 0
        self._rows: dict[str, Row] = {}
        self._changed: dict[str, None] = {}
        self._index: dict[str, dict[str, dict[str, None]]] = {name: {} for name in keys}
        self._query: tuple[int, object, list[Row]] = (-1, None, [])

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        """By number, oldest first."""
        return iter(self._rows.values())

    def changed_since(self, stamp: int) -> list[Row]:
        """Those whose `updated_at` is at or after `stamp`, the one that changed longest ago
        first."""
        if not stamp:
            return [self._rows[identity] for identity in self._changed]
        found = []
        for identity in reversed(self._changed):
            row = self._rows[identity]
            if row["updated_at"] < stamp:
                break
            found.append(row)
        return found[::-1]

    def newest(self, count: int) -> list[Row]:
        """The last `count` that were made, newest first."""
        return [row for row, _ in zip(reversed(self._rows.values()), range(count), strict=False)]

    def next_id(self) -> str:
        self._numbers += 1
        return hashed(self._numbers)

    def get(self, identity: object) -> Row | None:
        return self._rows.get(identity) if isinstance(identity, str) else None

    def find(self, name: str, value: object) -> list[Row]:
        """Those whose key `name` is `value`, oldest first."""
        text = str(value or "").lower()
        ids = self._index[name].get(text, ()) if text else ()
        return [self._rows[identity] for identity in ids]

    def put(self, row: Row) -> Row:
        identity = row["id"]
        before = self._rows.get(identity)
        self._rows[identity] = row
        for name, texts in self._keys.items():
            self._file(name, identity, texts(before) if before else (), texts(row))
        self._changed.pop(identity, None)
        self._changed[identity] = None
        self.version += 1
        return row

    def remembered(self, question: object, answer: Callable[[], list[Row]]) -> list[Row]:
        """`answer()`, worked out once for the pages of one list while nothing changes."""
        version, asked, found = self._query
        if (version, asked) != (self.version, question):
            found = answer()
            self._query = (self.version, question, found)
        return found

    def _file(self, name: str, identity: str, old: Iterable[str], new: Iterable[str]) -> None:
        index, before, after = self._index[name], _folded(old), _folded(new)
        for text in before - after:
            ids = index[text]
            del ids[identity]
            if not ids:
                del index[text]
        for text in after - before:
            index.setdefault(text, {})[identity] = None


def _folded(texts: Iterable[str]) -> set[str]:
    return {text.lower() for text in texts if text}
