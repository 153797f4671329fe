"""Many rows at once, on PostgreSQL: one row, made the usual way, copied with what must differ."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

from django.db import connection


def copy(table: str, chosen: str, differing: Mapping[str, str], first: int, last: int) -> None:
    """The rows of `table` for which `chosen` holds, once for each `n` from `first` to `last`;
    `differing` are SQL expressions of `n`. Foreign keys are not looked up row by row."""
    with closing(connection.cursor()) as cursor:
        described = connection.introspection.get_table_description(cursor, table)
        names = [column.name for column in described]
        values = ", ".join(differing.get(name, f'"{name}"') for name in names)
        columns = ", ".join(f'"{name}"' for name in names)
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            f"INSERT INTO {table} ({columns}) "  # noqa: S608 - names of our own tables
            f"SELECT {values} FROM {table}, generate_series({first:d}, {last:d}) AS n WHERE {chosen}"
        )
        cursor.execute("SET session_replication_role = DEFAULT")


def settle(*tables: str) -> None:
    """What the database does by itself in quieter times."""
    with closing(connection.cursor()) as cursor:
        for table in tables:
            cursor.execute(f"VACUUM ANALYZE {table}")
