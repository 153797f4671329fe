"""XML by local names: whichever version of a message it is, in whichever namespace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def all_of(element: Element | None, name: str) -> Iterator[Element]:
    """The children of that name."""
    for child in () if element is None else element:
        if child.tag.rpartition("}")[2] == name:
            yield child


def only(element: Element | None, name: str) -> Element | None:
    return next(all_of(element, name), None)


def first(element: Element | None, *names: str) -> Element | None:
    """The first one along this path."""
    for name in names:
        element = only(element, name)
    return element


def value(element: Element | None, *names: str) -> str:
    """The text there; empty where there is none."""
    found = first(element, *names)
    return "" if found is None else (found.text or "").strip()


def joined(elements: Iterable[Element], *names: str) -> str:
    """All texts along this path, wherever it parts, each on a line of its own."""
    found = list(elements)
    for name in names:
        found = [child for element in found for child in all_of(element, name)]
    return "\n".join(filter(None, ((each.text or "").strip() for each in found)))
