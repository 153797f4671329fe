"""Negative controls: a worker process without one of its safeguards, as `QUEUEAPP_WITHOUT` says.

With any of them the tests that count effects must fail.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from django.db import models

from tallystick.queue import statements, stopping
from tallystick.queue.clock import now_sql


def apply() -> None:
    without = os.environ.get("QUEUEAPP_WITHOUT", "").split(",")
    if "fence" in without:
        statements.update = _update_whoever_holds_it
    if "leases" in without:
        # Claimed rows are due again at once.
        vars(statements)["later_sql"] = _no_later
    if seconds := os.environ.get("QUEUEAPP_FINISH_SECONDS"):
        stopping.FINISH_SECONDS = float(seconds)


def _update_whoever_holds_it(row: models.Model, values: Mapping[str, object]) -> bool:
    return bool(models.QuerySet(type(row)).filter(pk=row.pk).update(**values))


def _no_later(seconds: float) -> tuple[str, list[object]]:
    del seconds
    return now_sql()
