"""Django's SQLite backend with patient writers.

SQLite lets one connection write at a time. One that finds the lock taken looks again after 1, 2, 5,
10, 15, 20, 25, 50 and then every 100 ms: beside a busy writer it is overtaken for seconds. This one
looks about every millisecond, so that many short writers come to their turns soon and evenly.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import partial
from sqlite3 import SQLITE_BUSY, OperationalError
from typing import Any, TypeVar

from django.db.backends.sqlite3 import base
from django.db.backends.sqlite3.base import SQLiteCursorWrapper

T = TypeVar("T")

FIRST_LOOK, LONGEST_LOOK = 0.0003, 0.001
"""Seconds from one look to the next, growing by half each time."""
PRIMARY_CODE = 0xFF
"""SQLite's extended error codes hold the primary one in their lowest byte."""


class PatientCursor(SQLiteCursorWrapper):
    """Repeats a statement that found the database locked before it did anything."""

    patience: float = 5.0

    def execute(self, query: str, params: Any = None) -> Any:  # noqa: ANN401 - as the driver's
        return self._patiently(partial(super().execute, query, params))

    def _patiently(self, statement: Callable[[], T]) -> T:
        until = time.monotonic() + self.patience
        pause = FIRST_LOOK
        while True:
            try:
                return statement()
            except OperationalError as error:
                if not self._was_busy(error) or time.monotonic() > until:
                    raise
            # Uneven, so that those who wait do not look at the same moments.
            time.sleep(random.uniform(0.5, 1.5) * pause)  # noqa: S311 - spreads load
            pause = min(pause * 1.5, LONGEST_LOOK)

    def _was_busy(self, error: OperationalError) -> bool:
        # Within a transaction the lock is held already, and what was done before would be lost.
        busy = error.sqlite_errorcode & PRIMARY_CODE == SQLITE_BUSY
        return busy and not self.connection.in_transaction


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:  # noqa: ANN401
        patience = conn_params.get("timeout", PatientCursor.patience)
        self._cursor_class = type("PatientCursor", (PatientCursor,), {"patience": patience})
        connection = super().get_new_connection(conn_params)
        connection.execute("PRAGMA busy_timeout = 0")
        return connection

    def create_cursor(self, name: str | None = None) -> Any:  # noqa: ANN401
        del name
        return self.connection.cursor(factory=self._cursor_class)
