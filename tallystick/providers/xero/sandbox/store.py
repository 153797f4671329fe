"""Where one organisation's things are kept: rows by id, found by their keys, with a way back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tallystick.providers.xero.sandbox.answers import Element


def at(element: Element, path: str) -> Any:  # noqa: ANN401 - whatever stands there
    """The value at a dotted path such as `Invoice.InvoiceID`; None where it ends early."""
    value: Any = element
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


class Undo:
    """What takes back the changes of one request, newest last."""

    def __init__(self) -> None:
        self._steps: list[Callable[[], None]] = []

    def push(self, step: Callable[[], None]) -> None:
        self._steps.append(step)

    def mark(self) -> int:
        return len(self._steps)

    def back(self, mark: int) -> None:
        """Take back all that was done since `mark`."""
        while len(self._steps) > mark:
            self._steps.pop()()

    def forget(self) -> None:
        self._steps.clear()


class Shelf:
    """Things of one kind. An element put here is never changed in place: a change puts a new one.

    `id_name` is the JSON name of the id, `keys` are paths of texts that things are looked up by,
    whatever their case.
    """

    def __init__(self, id_name: str, keys: Iterable[str], undo: Undo) -> None:
        self.id_name = id_name
        self.keys = frozenset(keys)
        self.version = 0
        self._undo = undo
        self._rows: dict[str, Element] = {}
        self._index: dict[str, dict[str, dict[str, None]]] = {key: {} for key in self.keys}
        self._query: tuple[int, object, list[Element]] = (-1, None, [])

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Element]:
        return iter(self._rows.values())

    def newest(self, count: int) -> list[Element]:
        """The last `count` that were made, newest first."""
        found: list[Element] = []
        for element in reversed(self._rows.values()):
            if len(found) == count:
                break
            found.append(element)
        return found

    def get(self, identity: str) -> Element | None:
        return self._rows.get(identity.lower())

    def find(self, key: str, value: str) -> list[Element]:
        """Those whose `key` is `value`, oldest first."""
        return list(self.each(key, value))

    def each(self, key: str, value: str) -> Iterator[Element]:
        """`find`, one after the other, for who needs only the first few."""
        ids = self._index[key].get(value.lower(), ()) if value else ()
        return (self._rows[identity] for identity in ids)

    def put(self, element: Element) -> Element:
        before = self._place(element)
        self._undo.push(lambda: self._restore(element, before))
        return element

    def remembered(self, question: object, answer: Callable[[], list[Element]]) -> list[Element]:
        """`answer()`, worked out once for the pages of one listing while nothing changes."""
        version, asked, found = self._query
        if (version, asked) != (self.version, question):
            found = answer()
            self._query = (self.version, question, found)
        return found

    def _restore(self, element: Element, before: Element | None) -> None:
        if before is not None:
            self._place(before)
            return
        identity = self._identity(element)
        for key in self.keys:
            self._index[key].get(_key(element, key), {}).pop(identity, None)
        del self._rows[identity]
        self.version += 1

    def _place(self, element: Element) -> Element | None:
        identity = self._identity(element)
        before = self._rows.get(identity)
        self._rows[identity] = element
        for key in self.keys:
            old, new = _key(before, key), _key(element, key)
            if old != new:
                self._index[key].get(old, {}).pop(identity, None)
                self._index[key].setdefault(new, {})[identity] = None
        self.version += 1
        return before

    def _identity(self, element: Element) -> str:
        return str(element[self.id_name]).lower()


def _key(element: Element | None, path: str) -> str:
    """What the index files it under; empty for nothing, which is never looked up."""
    return str(at(element, path) or "").lower() if element else ""
