"""How rows of money are locked: invoice first, then payment, then wallet, then series.

SQLite has no row locks and needs none: its transactions begin by taking the one write lock.
"""

from __future__ import annotations

from typing import TypeVar

from django.db import models

M = TypeVar("M", bound=models.Model)


def for_update(rows: models.QuerySet[M]) -> models.QuerySet[M]:
    """`rows`, locked until the transaction ends. Rows that merely point at them may still be
    inserted (`NO KEY`), so that an e-mail or a log line never waits for a payment."""
    return rows.select_for_update(of=("self",), no_key=True)
