"""Lists: filters, order, pages, changes since."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from http import HTTPStatus

from tallystick.ports.sandboxing import Answer, Request
from tallystick.providers.xero.sandbox import reading, where
from tallystick.providers.xero.sandbox.answers import (
    Element,
    Rejected,
    listing,
    problem,
)
from tallystick.providers.xero.sandbox.books import Books
from tallystick.providers.xero.sandbox.nouns import Noun
from tallystick.providers.xero.sandbox.store import at

_PAGE_SIZE, _LARGEST_PAGE = 100, 1000
_LONGEST_QUERY = 2048


def listed(books: Books, noun: Noun, request: Request) -> Answer:
    query = {name.lower(): value for name, value in request.query.items()}
    if sum(len(name) + len(value) for name, value in request.query.items()) > _LONGEST_QUERY:
        raise Rejected(problem(HTTPStatus.REQUEST_URI_TOO_LONG, "The query is too long"))
    since = request.headers.get("if-modified-since", "")
    question = (tuple(sorted(query.items() - {("page", query.get("page", ""))})), since)
    shelf = noun.shelf(books)
    found = shelf.remembered(question, lambda: _found(books, noun, query, since))
    now = books.now()
    if not (noun.is_paged and "page" in query):
        elements = [noun.show(books, element, whole=not noun.is_paged) for element in found]
        return listing(noun.name, elements, now=now)
    page, size = _whole_number(query, "page", 1), _whole_number(query, "pagesize", _PAGE_SIZE)
    size = min(size, _LARGEST_PAGE)
    cut = found[(page - 1) * size : page * size]
    whole = query.get("summaryonly", "").lower() != "true"
    elements = [noun.show(books, element, whole=whole) for element in cut]
    pagination = {
        "page": page,
        "pageSize": size,
        "pageCount": -(-len(found) // size),
        "itemCount": len(found),
    }
    return listing(noun.name, elements, now=now, pagination=pagination)


def _found(books: Books, noun: Noun, query: dict[str, str], since: str) -> list[Element]:
    """All that match, in order."""
    text = query.get("where", "")
    condition = where.parse(text, noun.fields) if text else None
    elements: Iterable[Element] = _candidates(books, noun, query, condition)
    if modified := reading.since(since):
        elements = (e for e in elements if _changed(e, modified))
    if noun.name == "Contacts" and query.get("includearchived", "").lower() != "true":
        asked = query.get("ids")
        elements = (e for e in elements if asked or e["ContactStatus"] == "ACTIVE")
    for parameter, path in noun.filters:
        if wanted := _wanted(query, parameter):
            elements = _among(elements, path, wanted)
    if term := query.get("searchterm", "").lower():
        elements = (e for e in elements if _speaks_of(e, noun, term))
    if condition:
        elements = (e for e in elements if condition.test(noun.join(books, e)))
    found = list(elements)
    if order := query.get("order"):
        found = where.ordering(order, noun.fields)(found)
    return found


def _candidates(
    books: Books, noun: Noun, query: dict[str, str], condition: where.Condition | None
) -> Iterable[Element]:
    """Those that can match at all, by an index where there is one."""
    shelf = noun.shelf(books)
    for parameter, path in noun.filters:
        wanted = _wanted(query, parameter)
        if wanted and path == shelf.id_name:
            return [e for e in map(shelf.get, wanted) if e is not None]
        if wanted and path in shelf.keys:
            return _distinct(e for value in wanted for e in shelf.find(path, value))
    keys = condition.keys if condition else None
    if keys and all(path in shelf.keys for path, _ in keys):
        return _distinct(e for path, value in keys for e in shelf.find(path, value))
    return shelf


def _distinct(elements: Iterable[Element]) -> list[Element]:
    return list({id(element): element for element in elements}.values())


def _wanted(query: dict[str, str], parameter: str) -> dict[str, None]:
    values = query.get(parameter.lower(), "").split(",")
    return dict.fromkeys(value.strip().strip('"').lower() for value in values if value.strip())


def _among(elements: Iterable[Element], path: str, wanted: dict[str, None]) -> list[Element]:
    return [e for e in elements if str(at(e, path)).lower() in wanted]


def _speaks_of(element: Element, noun: Noun, term: str) -> bool:
    return any(term in str(element.get(name) or "").lower() for name in noun.searched)


def _changed(element: Element, since: datetime) -> bool:
    updated = element.get("UpdatedDateUTC")
    return updated is None or updated >= since


def _whole_number(query: dict[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    return max(1, int(text)) if text.isdecimal() and len(text) < 10 else default  # noqa: PLR2004
