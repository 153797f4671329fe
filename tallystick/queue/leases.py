"""Leases: who may work on a row, until when, and the fence that keeps late comers out.

The fence grows with each acquisition. Whoever writes a result says which fence it holds; a worker
that slept past its lease holds an old one once another has taken over, and writes nothing.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Self

from django.db import connection, models, transaction

from tallystick.queue.clock import db_later, db_now, later_sql, now_sql


class LeaseLost(Exception):
    """Another worker has taken over; nothing was written."""

    def __init__(self, row: models.Model) -> None:
        super().__init__(f"{row._meta.label} {row.pk}")


def owner_name() -> str:
    """This process, as leases name it: host, process, and a draw against re-used process ids."""
    return _owner_name(os.getpid())


@cache
def _owner_name(pid: int) -> str:
    return f"{socket.gethostname()[:40]}:{pid}:{secrets.token_hex(3)}"


class Leased(models.Model):
    """A row that is worked on as a whole, by one worker at a time."""

    lease_owner = models.CharField(max_length=80, blank=True, default="", editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    fence = models.BigIntegerField(default=0, editable=False)

    class Meta:
        abstract = True

    def acquire(self, owner: str, seconds: float) -> bool:
        """Take the lease if it is free or has run out. Of many who try, one gets it."""
        quote = connection.ops.quote_name
        (until, until_values), (now, now_values) = later_sql(seconds), now_sql()
        statement = (
            f"UPDATE {quote(self._meta.db_table)} "  # noqa: S608 - names of our own model
            f"SET lease_owner = %s, lease_until = {until}, fence = fence + 1 "
            f"WHERE {quote(_pk_column(type(self)))} = %s "
            f"AND (lease_until IS NULL OR lease_until <= {now}) RETURNING fence"
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, [owner, *until_values, self.pk, *now_values])
            # Read to the end: SQLite commits when the statement is exhausted.
            found = cursor.fetchall()
        if found:
            self.lease_owner, self.fence = owner, found[0][0]
        return bool(found)

    def heartbeat(self, seconds: float) -> None:
        """The lease holds for `seconds` from now; raises `LeaseLost`."""
        if not self._held_row().update(lease_until=db_later(seconds)):
            raise LeaseLost(self)

    def release(self) -> None:
        """Give the lease back; nothing happens when it is no longer ours."""
        self._held_row().update(lease_owner="", lease_until=None)
        self.lease_owner = ""

    @contextmanager
    def guard(self) -> Iterator[None]:
        """A transaction in which the lease is ours: the row is locked, nobody can take over before
        the commit. Raises `LeaseLost` where another has."""
        with transaction.atomic():
            if not self._held_row().select_for_update().values_list("pk").first():
                raise LeaseLost(self)
            yield

    def _held_row(self) -> models.QuerySet[Self]:
        # Not by the model's own manager: a lease does not care whose tenant the row is.
        return models.QuerySet(type(self)).filter(pk=self.pk, fence=self.fence)


def is_free() -> models.Q:
    """A condition: nobody holds the lease."""
    return models.Q(lease_until=None) | models.Q(lease_until__lte=db_now())


def _pk_column(model: type[models.Model]) -> str:
    return str(model._meta.pk.column)
