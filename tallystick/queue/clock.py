"""Whose time leases go by: the database's, so that hosts with wrong clocks cannot share a lease.

SQLite has no server: its users share one machine, and so one clock. A virtual clock, where one is
in use, stands in for the database's too.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, Value
from django.db.models.expressions import BaseExpression
from django.db.models.functions import Now

from tallystick.kit import clock


def db_now() -> BaseExpression:
    """The time leases go by, as an expression for a query."""
    return Now() if _database_has_a_clock() else Value(clock.now(), DateTimeField())


def db_later(seconds: float) -> BaseExpression:
    """`db_now()` and `seconds` more."""
    delta = timedelta(seconds=seconds)
    if not _database_has_a_clock():
        return Value(clock.now() + delta, DateTimeField())
    return ExpressionWrapper(Now() + Value(delta, DurationField()), output_field=DateTimeField())


def now_sql() -> tuple[str, list[Any]]:
    """`db_now()` for a raw statement: its text and parameters."""
    return later_sql(0)


def later_sql(seconds: float) -> tuple[str, list[Any]]:
    """`db_later()` for a raw statement: its text and parameters."""
    if _database_has_a_clock():
        return "(STATEMENT_TIMESTAMP() + %s * INTERVAL '1 second')", [seconds]
    later = clock.now() + timedelta(seconds=seconds)
    return "%s", [connection.ops.adapt_datetimefield_value(later)]


def _database_has_a_clock() -> bool:
    return connection.vendor == "postgresql" and isinstance(clock.current(), clock.SystemClock)
