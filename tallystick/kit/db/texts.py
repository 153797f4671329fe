"""A primary key in a query as `str()` writes it."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.functions import Cast

_PARTS = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
"""Where the groups of a UUID begin in its hexadecimal digits, and how long they are."""


class AsText(Cast):
    """`AsText(model)`: the key of the row; `AsText(model, OuterRef("pk"))`: of the row outside.

    SQLite keeps a UUID as 32 digits without the dashes that `str()` puts in.
    """

    def __init__(self, model: type[models.Model], key: Any = "pk") -> None:  # noqa: ANN401
        super().__init__(key, models.CharField())
        self._is_uuid = isinstance(model._meta.pk, models.UUIDField)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, Any]:  # noqa: ANN401
        if not self._is_uuid:
            return super().as_sqlite(compiler, connection, **extra)
        pieces = " || '-' || ".join(
            f"substr(%(expressions)s, {start}, {size})" for start, size in _PARTS
        )
        sql, params = compiler.compile(self.source_expressions[0])
        return pieces.replace("%(expressions)s", sql), (*params,) * len(_PARTS)
