"""HTML by functions: what is not `Html` is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

Child: TypeAlias = "str | int | Iterable[Child] | None"

_VOID = {"br", "hr", "img", "input", "link", "meta"}


class Html(str):
    """Markup, as opposed to text."""

    __slots__ = ()


def tag(name: str, /, *children: Child, **attributes: str | int | bool | None) -> Html:
    """`<name attributes>children</name>`. An attribute that is None or False is left out; True
    stands without a value; a trailing underscore and inner ones are for Python: `class_`,
    `http_equiv`."""
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(*children)}</{name}>")


def join(*children: Child) -> Html:
    return Html("".join(_spelled(child) for child in children))


def _spelled(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return child
    if isinstance(child, str | int):
        return escape(str(child))
    return "".join(_spelled(each) for each in child)


def _attribute(name: str, value: str | int | bool | None) -> str:
    spelled = name.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    return f" {spelled}" if value is True else f' {spelled}="{escape(str(value))}"'
