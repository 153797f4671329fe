"""How rows of money are locked: invoice first, then payment, then wallet, then series.

SQLite has no row locks and needs none: its transactions begin by taking the one write lock.
"""

from __future__ import annotations

from typing import TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.http import Http404

M = TypeVar("M", bound=models.Model)


class Gone(Http404):
    """It was deleted in the meantime."""


def for_update(rows: models.QuerySet[M]) -> models.QuerySet[M]:
    """`rows`, locked until the transaction ends. Rows that merely point at them may still be
    inserted (`NO KEY`), so that an e-mail or a log line never waits for a payment."""
    return rows.select_for_update(of=("self",), no_key=True)


def hold(row: models.Model) -> None:
    """Lock `row` and read it again. Related objects that it holds are kept while they are the same:
    what they say of names and terms may be a moment old. Raises `Gone`."""
    fields = row._meta.concrete_fields
    rows: models.QuerySet[models.Model] = models.QuerySet(type(row)).filter(pk=row.pk)
    try:
        values = for_update(rows).values_list(*(field.attname for field in fields)).get()
    except ObjectDoesNotExist:
        raise Gone from None
    for field, value in zip(fields, values, strict=True):
        moved = getattr(row, field.attname) != value
        if moved and isinstance(field, models.ForeignKey) and field.is_cached(row):
            field.delete_cached_value(row)
        setattr(row, field.attname, value)
    vars(row).pop("_prefetched_objects_cache", None)
