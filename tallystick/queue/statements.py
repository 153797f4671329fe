"""The statements of a queue's life that the ORM cannot say, or says too slowly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache, reduce
from operator import or_
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import connection, models, transaction

from tallystick.queue.clock import later_sql, now_sql

if TYPE_CHECKING:
    from django.db.models.sql.compiler import SQLCompiler

    from tallystick.queue.rows import QueueRow

Row = TypeVar("Row", bound="QueueRow")


class Literal(models.Value):
    """A constant in the text of a statement: SQLite uses a partial index only where it can read
    the condition, and a bound parameter hides it."""

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[()]]:  # noqa: ANN401
        del compiler, connection
        return f"'{self.value}'", ()


OPEN = [Literal("due"), Literal("uncertain")]


def claim(
    model: type[Row], limit: int, owner: str, seconds: float, among: models.Q | None
) -> list[Row]:
    """Mark up to `limit` due rows as the owner's and return them, in the order they were made."""
    (now, now_values), (until, until_values) = now_sql(), later_sql(seconds)
    where, where_values = _condition(model, among)
    values = [owner, *until_values, *now_values, *where_values, limit]
    statement = _claim(model, connection.vendor, now, until, where)
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        # All at once, before any model is made of it: SQLite holds its write lock until then.
        found = cursor.fetchall()
    return sorted(_instances(model, found), key=lambda row: row.pk)


def _instances(model: type[Row], found: Sequence[Sequence[object]]) -> list[Row]:
    """Model instances of what a statement returned, all columns in order."""
    fields = model._meta.concrete_fields
    compiler = models.QuerySet(model).query.get_compiler(connection=connection)
    columns = [field.get_col(model._meta.db_table) for field in fields]
    names = [field.attname for field in fields]
    rows = compiler.apply_converters(found, compiler.get_converters(columns))
    return [model.from_db(connection.alias, names, row) for row in rows]


@cache
def _claim(model: type[models.Model], vendor: str, now: str, until: str, where: str) -> str:
    quote = connection.ops.quote_name
    table, pk = quote(model._meta.db_table), quote(str(model._meta.pk.column))
    columns = ", ".join(quote(str(field.column)) for field in model._meta.concrete_fields)
    chosen = (
        f"SELECT {pk} FROM {table} WHERE state IN ('due', 'uncertain') AND due_at <= {now}"  # noqa: S608
        f"{where} ORDER BY due_at LIMIT %s"
    )
    if vendor == "postgresql":
        # An array is computed once; a plain IN may be run again for each row it is joined to.
        chosen = f"= ANY(ARRAY({chosen} FOR UPDATE SKIP LOCKED))"
    else:
        chosen = f"IN ({chosen})"
    return (
        f"UPDATE {table} SET lease_owner = %s, due_at = {until}, "  # noqa: S608
        f"fence = fence + 1, attempts = attempts + 1 WHERE {pk} {chosen} RETURNING {columns}"
    )


def _condition(model: type[models.Model], among: models.Q | None) -> tuple[str, Sequence[Any]]:
    """`among` as text to go on a WHERE, with its parameters."""
    if not among:
        return "", ()
    query = models.QuerySet(model).filter(among).query
    compiler = query.get_compiler(connection=connection)
    compiler.pre_sql_setup()
    text, values = compiler.compile(query.where)
    return f" AND {text}", values


def update(row: QueueRow, values: Mapping[str, object]) -> bool:
    """Store `values` if the fence is still the row's own."""
    model = type(row)
    if any(hasattr(value, "resolve_expression") for value in values.values()):
        return bool(held_by([row]).update(**values))
    statement, fields = _update(model, tuple(values), connection.vendor)
    prepared = [
        field.get_db_prep_save(value, connection)
        for field, value in zip(fields, values.values(), strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement, [*prepared, row.pk, row.fence])
        return bool(cursor.rowcount)


@cache
def _update(
    model: type[models.Model], names: tuple[str, ...], vendor: str
) -> tuple[str, list[models.Field[Any, Any]]]:
    del vendor  # part of the key: it decides the quotes
    quote = connection.ops.quote_name
    by_name = {field.name: field for field in model._meta.concrete_fields}
    fields = [by_name[name] for name in names]
    sets = ", ".join(f"{quote(str(field.column))} = %s" for field in fields)
    table, pk = quote(model._meta.db_table), quote(str(model._meta.pk.column))
    return f"UPDATE {table} SET {sets} WHERE {pk} = %s AND fence = %s", fields  # noqa: S608


def update_many(rows: Sequence[Row], names: Sequence[str]) -> list[Row]:
    """Store the named fields of each row whose fence is still its own; returns the others."""
    if not rows:
        return []
    statement, fields = _update(type(rows[0]), tuple(names), connection.vendor)
    values = [
        [
            *(field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields),
            row.pk,
            row.fence,
        ]
        for row in rows
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(statement, values)
        if cursor.rowcount == len(rows):
            return []
        ours = set(held_by(rows).values_list("pk", flat=True))
    return [row for row in rows if row.pk not in ours]


def mark_done(rows: Sequence[Row], now: datetime) -> list[Row]:
    """Mark each row whose fence is still its own as done; returns the others."""
    if not rows:
        return []
    values: list[Any] = [connection.ops.adapt_datetimefield_value(now)]
    values += [row.pk for row in rows]
    for row in rows:
        values += (row.pk, row.fence)
    with connection.cursor() as cursor:
        cursor.execute(_mark_done(type(rows[0]), len(rows), connection.vendor), values)
        done = {pk for (pk,) in cursor.fetchall()}
    return [row for row in rows if row.pk not in done]


@cache
def _mark_done(model: type[models.Model], count: int, vendor: str) -> str:
    del vendor  # part of the key: it decides the quotes
    quote = connection.ops.quote_name
    table, pk = quote(model._meta.db_table), quote(str(model._meta.pk.column))
    pks, held = ", ".join(["%s"] * count), ", ".join(["(%s, %s)"] * count)
    # The keys by themselves as well: for pairs alone SQLite reads the whole table.
    return (
        f"UPDATE {table} SET state = 'done', lease_owner = '', last_error = '', updated_at = %s "  # noqa: S608
        f"WHERE {pk} IN ({pks}) AND ({pk}, fence) IN (VALUES {held}) RETURNING {pk}"
    )


def held_by(rows: Sequence[Row]) -> models.QuerySet[Row]:
    """Those of `rows` whose fence has not moved."""
    mine = reduce(or_, (models.Q(pk=row.pk, fence=row.fence) for row in rows))
    return models.QuerySet(type(rows[0])).filter(mine)
