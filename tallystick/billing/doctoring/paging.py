"""Reading big tables page by page, by their key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

PAGE = 500

M = TypeVar("M", bound=Model)


def pages(rows: QuerySet[M], size: int = PAGE) -> Iterator[list[M]]:
    """`rows` by their id, `size` at a time."""
    last = 0
    while page := list(rows.filter(pk__gt=last).order_by("pk")[:size]):
        yield page
        last = page[-1].pk


def grouped(rows: Iterable[M], by: str) -> dict[Any, list[M]]:
    """`rows` by the value of their attribute `by`."""
    groups: dict[Any, list[M]] = defaultdict(list)
    for row in rows:
        groups[getattr(row, by)].append(row)
    return groups


def sums(rows: QuerySet[Any], by: str, amount: str = "amount") -> dict[int, Decimal]:
    """The amounts of `rows` added up by `by`: here, for SQLite adds up decimals in binary."""
    totals: dict[int, Decimal] = defaultdict(Decimal)
    for key, value in rows.order_by().values_list(by, amount):
        totals[key] += value
    return totals


def keys(page: Sequence[Model]) -> list[int]:
    return [row.pk for row in page]
