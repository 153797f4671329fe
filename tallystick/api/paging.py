"""Pages by key: a page starts at a row, so that the millionth is as quick as the first.

What is asked for is split into arms, each of one website, client or status, that an index gives in
the order wanted; of several arms the first rows of each are merged. A cursor names the row to start
behind. It is signed, and good for the same question by the same caller only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import F, Q
from django.db.models.expressions import Combinable
from rest_framework.request import Request

from tallystick.api.problems import Problem
from tallystick.kit import json
from tallystick.kit.db.keysets import beyond
from tallystick.kit.signing import digest

DEFAULT_LIMIT, MAX_LIMIT = 50, 100
COUNTED = 10_000
_MOST_ARMS = 150
_SALT = "tallystick.api.cursor"


@dataclass(frozen=True)
class Order:
    """Rows by `key`, of the type of `field`, and by id where that is the same. `read` makes the key
    of what a cursor holds."""

    key: str | Combinable
    field: models.Field[Any, Any]
    read: Callable[[str], object] = str

    def expression(self) -> Combinable:
        return F(self.key) if isinstance(self.key, str) else self.key


BY_AGE = Order("created_at", models.DateTimeField(), datetime.fromisoformat)
BY_ID = Order("pk", models.BigIntegerField(), int)


def by_day(key: str | Combinable) -> Order:
    return Order(key, models.DateField(), date.fromisoformat)


def by_amount(key: str) -> Order:
    return Order(key, models.DecimalField(max_digits=19, decimal_places=4), Decimal)


@dataclass
class Question:
    """Which rows, in which order. `arms` are conditions that exclude each other; none: one arm."""

    rows: models.QuerySet[Any]
    arms: Sequence[Q] = ()
    order: Order = BY_AGE
    descending: bool = True
    names: tuple[str, ...] = ()
    binding: str = ""
    """Who asks, beyond what the address says."""

    def queries(self) -> list[models.QuerySet[Any]]:
        if len(self.arms) > _MOST_ARMS:
            return [self.rows.filter(reduce(or_, self.arms))]
        return [self.rows.filter(arm) for arm in self.arms] or [self.rows]

    def first_ids(self, many: int) -> list[int]:
        """The ids of the first rows, in the order asked for."""
        key = self.order.expression()
        queries = [query.annotate(page_key=key) for query in self.queries()]
        return _merged(queries, "-" if self.descending else "", many)


@dataclass
class Page:
    rows: list[dict[str, Any]]
    next: str | None = None
    previous: str | None = None
    count: dict[str, Any] | None = None

    def body(self, results: list[Any]) -> dict[str, Any]:
        body: dict[str, Any] = {"next": self.next, "previous": self.previous}
        if self.count is not None:
            body["count"] = self.count
        return body | {"results": results}


@dataclass
class _Cursor:
    back: bool = False
    key: object = None
    pk: int = 0
    is_start: bool = True


def page(request: Request, question: Question) -> Page:
    """The page that the request's `limit` and `cursor` ask for. Raises `Problem`."""
    limit = limit_of(request)
    bound = _binding(request, question)
    cursor = _read(request.query_params.get("cursor"), bound, question.order)
    found = list(_fetch(question, cursor, limit + 1))
    more = len(found) > limit
    rows = found[:limit]
    if cursor.back:
        rows.reverse()
    result = Page(rows)
    if rows:
        has_next = more or cursor.back
        has_previous = more if cursor.back else not cursor.is_start
        result.next = _link(request, bound, rows[-1], back=False) if has_next else None
        result.previous = _link(request, bound, rows[0], back=True) if has_previous else None
    if request.query_params.get("count") == "true":
        result.count = _count(question)
    return result


def limit_of(request: Request) -> int:
    text = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MAX_LIMIT):
        raise Problem("bad_query", f"`limit` is from 1 to {MAX_LIMIT}.", "limit")
    return int(text)


def _fetch(question: Question, cursor: _Cursor, many: int) -> Iterator[dict[str, Any]]:
    descending = question.descending != cursor.back
    order, key = question.order, question.order.expression()
    sign = "-" if descending else ""
    queries = []
    for rows in question.queries():
        queries.append(rows)
        if not cursor.is_start:
            behind = beyond(order.key, order.field, cursor.key, cursor.pk, forward=not descending)
            queries[-1] = rows.filter(behind)
    names = [*question.names, "pk"]
    if len(queries) > 1:
        ids = _merged([query.annotate(page_key=key) for query in queries], sign, many)
        whole = question.rows.model.objects.everywhere().filter(pk__in=ids)
    else:
        whole = queries[0]
    keyed = whole.annotate(page_key=key).order_by(f"{sign}page_key", f"{sign}pk")
    yield from keyed.values(*names, "page_key")[:many]


def _merged(queries: list[models.QuerySet[Any]], sign: str, many: int) -> list[int]:
    """The ids of the first rows of all, of the first rows of each."""
    parts: list[str] = []
    values: list[Any] = []
    for query in queries:
        first = query.order_by(f"{sign}page_key", f"{sign}pk").values_list("pk", "page_key")[:many]
        try:
            sql, params = first.query.sql_with_params()
        except EmptyResultSet:
            continue
        parts.append(f"SELECT * FROM ({sql}) AS arm{len(parts)} (id, page_key)")  # noqa: S608 - ours
        values += params
    if not parts:
        return []
    if connection.vendor == "sqlite":  # it names no columns of a subquery; they have names already
        parts = [part.rpartition(" AS ")[0] for part in parts]
    way = "DESC" if sign else "ASC"
    union = f"{' UNION ALL '.join(parts)} ORDER BY 2 {way}, 1 {way} LIMIT {many}"
    with connection.cursor() as cursor:
        cursor.execute(union, values)
        return [row[0] for row in cursor.fetchall()]


def _count(question: Question) -> dict[str, Any]:
    """How many there are, exactly up to a bound; beyond it nobody waits for the rest."""
    queries = question.queries()
    total = 0
    for query in queries:
        total += query.order_by()[: COUNTED + 1 - total].count()
        if total > COUNTED:
            break
    return {"value": min(total, COUNTED), "is_exact": total <= COUNTED}


def _binding(request: Request, question: Question) -> str:
    """What a cursor is good for: the same address, the same filters, the same caller."""
    asked = sorted(
        (name, value)
        for name, values in request.query_params.lists()
        for value in values
        if name not in ("cursor", "limit", "count")
    )
    return digest(json.canonical([request.path, asked, question.binding]).decode())[:22]


def _read(text: str | None, bound: str, order: Order) -> _Cursor:
    if text is None:
        return _Cursor()
    try:
        tag, back, key, pk = signing.loads(text, salt=_SALT)
        if tag != bound:
            raise Problem("bad_cursor", pointer="cursor")
        return _Cursor(bool(back), order.read(str(key)), int(pk), is_start=False)
    except (signing.BadSignature, ArithmeticError, ValueError, TypeError):
        raise Problem("bad_cursor", pointer="cursor") from None


def _link(request: Request, bound: str, row: Mapping[str, Any], *, back: bool) -> str:
    key = row["page_key"]
    written = key.isoformat() if isinstance(key, datetime | date) else str(key)
    cursor = signing.dumps([bound, int(back), written, row["pk"]], salt=_SALT, compress=False)
    query = [
        (name, value)
        for name, values in request.query_params.lists()
        for value in values
        if name not in ("cursor", "count")
    ]
    address = request.build_absolute_uri(request.path)
    return f"{address}?{urlencode([*query, ('cursor', cursor)])}"
