"""Lists: filters, order, pages. What is not known as a filter or a column is ignored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from tallystick.ports.sandboxing import Answer
from tallystick.providers.invoiceninja.sandbox.answers import Row, answered
from tallystick.providers.invoiceninja.sandbox.company import Company
from tallystick.providers.invoiceninja.sandbox.nouns import Noun, Query
from tallystick.providers.invoiceninja.sandbox.showing import included, shown

_PAGE_SIZE, _LARGEST_PAGE = 20, 5000
_STATES: dict[str, Callable[[Row], bool]] = {
    "active": lambda row: not row.get("archived_at") and not row.get("is_deleted"),
    "archived": lambda row: bool(row.get("archived_at")) and not row.get("is_deleted"),
    "deleted": lambda row: bool(row.get("is_deleted")),
}
_NAMES = "name number id_number balance paid_to_date product_key price cost quantity date due_date"
_COLUMNS = frozenset((*_NAMES.split(), "amount", "status_id"))


def listed(company: Company, noun: Noun, query: Query, public_url: str) -> Answer:
    asked = included(noun, query)
    question = tuple(sorted((n, v) for n, v in query.items() if n not in {"page", "per_page"}))
    # What is overdue depends on the day.
    found = company.shelves[noun.name].remembered(
        (question, company.today()), lambda: _found(company, noun, query)
    )
    size = min(_whole(query, "per_page", _PAGE_SIZE), _LARGEST_PAGE)
    page = _whole(query, "page", 1)
    cut = found[(page - 1) * size : page * size]
    pagination = {
        "total": len(found),
        "count": len(cut),
        "per_page": size,
        "current_page": page,
        "total_pages": max(1, -(-len(found) // size)),
        "links": _links(noun, page, len(found) > page * size, public_url),
    }
    data = [shown(company, noun, row, asked, public_url) for row in cut]
    return answered({"data": data, "meta": {"pagination": pagination}})


def _found(company: Company, noun: Noun, query: Query) -> list[Row]:
    """All that match, in order."""
    column, _, way = query.get("sort", "").partition("|")
    rows: Iterable[Row] = _candidates(company, noun, query, column)
    for test in _tests(company, noun, query):
        rows = filter(test, rows)
    found = list(rows)
    if column in _COLUMNS:
        found.sort(key=lambda row: _sort_key(row.get(column)))
    return found[::-1] if way.lower() == "desc" else found


def _candidates(company: Company, noun: Noun, query: Query, column: str) -> Iterable[Row]:
    """Those that can match at all, by an index where there is one."""
    shelf = company.shelves[noun.name]
    for name in noun.exact:
        if query.get(name):
            found = shelf.find(name, query[name])
            return sorted(found, key=_changed) if column == "updated_at" else found
    if column == "updated_at":
        return shelf.changed_since(_moment(query.get("updated_at", "")) or 0)
    return shelf


def _tests(company: Company, noun: Noun, query: Query) -> Iterable[Callable[[Row], bool]]:
    shelf = company.shelves[noun.name]
    for name in noun.exact:
        if value := query.get(name):
            ids = {row["id"] for row in shelf.find(name, value)}
            yield lambda row, ids=ids: row["id"] in ids  # type: ignore[misc] # binds the loop's
    for name, match in noun.loose.items():
        if value := query.get(name):
            yield lambda row, match=match, value=value: match(company, row, value)  # type: ignore[misc]
    yield from _common(noun, query)


def _common(noun: Noun, query: Query) -> Iterable[Callable[[Row], bool]]:
    """What every list can be asked for."""
    if words := query.get("filter", "").lower().split():
        yield lambda row: all(word in _text(noun, row) for word in words)
    states = [_STATES[name] for name in query.get("status", "").split(",") if name in _STATES]
    if len(states) == 1:
        yield states[0]
    elif states:
        yield lambda row: any(state(row) for state in states)
    if (deleted := query.get("is_deleted", "").lower()) in {"true", "false", "1", "0"}:
        yield lambda row: bool(row.get("is_deleted")) is (deleted in {"true", "1"})
    for name in ("created_at", "updated_at"):
        since = _moment(query.get(name, ""))
        if since is not None:
            yield lambda row, name=name, since=since: row[name] >= since  # type: ignore[misc]


def _text(noun: Noun, row: Row) -> str:
    """What `filter` looks through."""
    parts = []
    for name in noun.searched:
        value = row.get(name) or ""
        people = value if isinstance(value, list) else ()
        parts += [str(person[n]) for person in people for n in ("first_name", "last_name", "email")]
        parts += [] if people else [str(value)]
    return "\n".join(parts).lower()


def _moment(text: str) -> int | None:
    """Unix seconds, or a date with or without a time; None for what is neither."""
    if text.isdecimal():
        return int(text)
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None


def _whole(query: Query, name: str, default: int) -> int:
    text = query.get(name, "")
    return int(text) if text.isdecimal() and int(text) else default


def _changed(row: Row) -> int:
    stamp: int = row["updated_at"]
    return stamp


def _sort_key(value: Any) -> tuple[bool, Any]:  # noqa: ANN401 - whatever is sorted by
    return (bool(value), value.lower() if isinstance(value, str) else value or 0)


def _links(noun: Noun, page: int, more: bool, public_url: str) -> dict[str, str]:
    base = f"{public_url}/api/v1/{noun.name}?page="
    links = {"previous": f"{base}{page - 1}"} if page > 1 else {}
    return {**links, "next": f"{base}{page + 1}"} if more else links
