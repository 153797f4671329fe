"""Pages of long lists: found by the row where they begin, however far down that is."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from django.db import models

from tallystick.kit.db.keysets import Beyond, beyond

M = TypeVar("M", bound=models.Model)

SIZE = 50
_MOST_ARMS = 24
"""Beyond so many one query that sorts is quicker than that many that do not."""


@dataclass(frozen=True, slots=True)
class Order:
    """By `column`, rows of the same value by id; `down`: the largest first."""

    column: str
    down: bool = True

    def beyond(self, row: models.Model, *, back: bool) -> Beyond:
        field: Any = row._meta.get_field(self.column)
        value = getattr(row, self.column)
        return beyond(self.column, field, value, row.pk, forward=self.down == back)

    def names(self, *, back: bool) -> tuple[str, str]:
        sign = "-" if self.down != back else ""
        return f"{sign}{self.column}", f"{sign}id"


NEWEST = Order("created_at")


@dataclass(frozen=True)
class Page(Generic[M]):
    """`after` and `before` are what `?after=` and `?before=` say to reach the neighbours; empty where
    there is none."""

    rows: list[M] = field(default_factory=list)
    before: str = ""
    after: str = ""

    def __iter__(self) -> Any:  # noqa: ANN401 - what templates loop over
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def page(
    rows: models.QuerySet[M],
    asked: Mapping[str, str],
    order: Order = NEWEST,
    size: int = SIZE,
    *,
    arms: Sequence[models.Q] = (),
) -> Page[M]:
    """The page of `rows` that the address asks for. A place that is not in `rows` is the top.

    `arms` are conditions that exclude each other and together let all of `rows` through, such as one
    for each website: of each an index gives the first rows in order, of all together it does not."""
    back = "before" in asked
    start = _row(rows, asked.get("before") or asked.get("after") or "")
    found = rows.order_by(*order.names(back=back and start is not None))
    if start is not None:
        found = found.filter(order.beyond(start, back=back))
    taken = _first(found, order, arms, size + 1)
    more, taken = len(taken) > size, taken[:size]
    if start is None:
        return Page(taken, "", _uid(taken[-1]) if more else "")
    if back:
        taken.reverse()
        return Page(taken, _uid(taken[0]) if more else "", _uid(taken[-1]) if taken else "")
    return Page(taken, _uid(taken[0]) if taken else "", _uid(taken[-1]) if more else "")


def _first(found: models.QuerySet[M], order: Order, arms: Sequence[models.Q], many: int) -> list[M]:
    if not 1 < len(arms) <= _MOST_ARMS:
        return list(found[:many])
    places = [
        place for arm in arms for place in found.filter(arm).values_list(order.column, "pk")[:many]
    ]
    places.sort(reverse=str(found.query.order_by[0]).startswith("-"))
    return list(found.filter(pk__in=[pk for _value, pk in places[:many]]))


def _row(rows: models.QuerySet[M], uid: str) -> M | None:
    try:
        return rows.filter(uid=uuid.UUID(uid)).first() if uid else None
    except ValueError:
        return None


def _uid(row: models.Model) -> str:
    return str(row.uid)  # type: ignore[attr-defined] # every row that is listed has one
