"""Pages that start at a row, not at a count: row values, and text in an order that an index keeps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models import F, Func, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Upper
from django.db.models.lookups import In
from django.db.models.sql.compiler import SQLCompiler

Sql = tuple[str, Any]


class Bytewise(Func):
    """Text in the order of its bytes, whatever the language of the database: a prefix is a range."""

    arity = 1
    template = "%(expressions)s"
    output_field = models.TextField()

    def as_postgresql(self, compiler: SQLCompiler, connection: Any, **context: Any) -> Sql:  # noqa: ANN401 - as in Django
        return self.as_sql(
            compiler, connection, template='(%(expressions)s COLLATE "C")', **context
        )


def folded(name: str) -> Bytewise:
    """The text of column `name`, in capitals, as it is indexed for searching."""
    return Bytewise(Upper(name))


class OrLast(Func):
    """A day, or one after all days where there is none: nothing sorts as null, which compares with
    nothing. Spelled out, for SQLite finds no index by an expression with parameters."""

    arity = 1
    template = "COALESCE(%(expressions)s, '9999-12-31')"
    output_field = models.DateField()


class Begins(Func):
    """Whether a `folded` text begins with a term, by the index of the text."""

    arity = 2
    output_field = models.BooleanField()
    conditional = True

    def as_postgresql(self, compiler: SQLCompiler, connection: Any, **context: Any) -> Sql:  # noqa: ANN401 - as in Django
        return self.as_sql(compiler, connection, template="%(expressions)s", arg_joiner=" LIKE ")

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **context: Any) -> Sql:  # noqa: ANN401 - as in Django
        text, term = (compiler.compile(part) for part in self.source_expressions)
        # The last character there is: nothing that begins with the term comes after it.
        sql = f"({text[0]} >= {term[0]} AND {text[0]} < {term[0]} || char(1114111))"
        return sql, (*text[1], *term[1], *text[1], *term[1])


def begins(name: str, term: str, *, vendor: str) -> Begins:
    """Rows whose `name` begins with `term`, whatever the case of their letters."""
    term = term.replace("\0", "\N{REPLACEMENT CHARACTER}")  # PostgreSQL takes none to compare
    if vendor == "postgresql":  # there by LIKE, which must be told what is no wildcard
        for sign in ("\\", "%", "_"):
            term = term.replace(sign, f"\\{sign}")
        term += "%"
    return Begins(folded(name), Upper(Value(term)))


def among(name: str, terms: Iterable[str]) -> In:
    """Rows whose `name` is one of `terms`, whatever the case of their letters, by the same index."""
    wanted: Any = [Upper(Value(term)) for term in sorted(terms)]
    return In(folded(name), wanted)


class Beyond(Func):
    """`(key, id) < (x, y)`, or `>`: as one row value, which an index answers in any place."""

    output_field = models.BooleanField()
    conditional = True

    def __init__(self, *parts: Any, forward: bool = True) -> None:
        super().__init__(*parts)
        self.sign = ">" if forward else "<"

    def as_sql(  # type: ignore[override] # no part of a template is asked for
        self,
        compiler: SQLCompiler,
        connection: Any,  # noqa: ANN401 - as in Django
        **context: Any,
    ) -> Sql:
        compiled = [compiler.compile(part) for part in self.source_expressions]
        key, pk, x, y = (sql for sql, _ in compiled)
        values = [value for _, values in compiled for value in values]
        return f"({key}, {pk}) {self.sign} ({x}, {y})", values


def beyond(
    key: str | Combinable, field: models.Field[Any, Any], value: object, pk: int, *, forward: bool
) -> Beyond:
    """The rows after (`value`, `pk`) in the order of `key` and id; before it unless `forward`."""
    expression = F(key) if isinstance(key, str) else key
    return Beyond(
        expression,
        F("pk"),
        Value(value, field),
        Value(pk, models.BigIntegerField()),
        forward=forward,
    )
