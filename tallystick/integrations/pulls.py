"""Pull: the catch-up of one data type at one connection, with its cursor."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models

from tallystick.kit import clock
from tallystick.ports.records import Kind
from tallystick.ports.roles import Subscribes, pulled_kinds
from tallystick.queue.rows import QueueRow

if TYPE_CHECKING:
    from tallystick.integrations.connections import Connection

OVERLAP_SECONDS = 300
"""A catch-up asks this much further back than it has seen: clocks differ, commits come late."""
HASTE = timedelta(seconds=60)
"""So soon a catch-up follows a webhook: what comes within it is one catch-up."""
WEBHOOKS = "webhooks"
"""The data type of the row that says when webhooks are seen to be ordered."""
DAY = 86400


def first_read(provider: type) -> list[Kind]:
    """Of which all that is there is known before anything is made there."""
    return [kind for kind in (Kind.CUSTOMER, Kind.PRODUCT) if kind in pulled_kinds(provider)]


class Pull(QueueRow):
    """`since`: everything changed before it is here; None: nothing is yet. `page`: how far the running
    catch-up has come (resumed after a kill); `reached` is what `since` becomes when it ends. `every`
    is in seconds."""

    connection = models.ForeignKey(
        "integrations.Connection", on_delete=models.CASCADE, related_name="pulls"
    )
    data_type = models.CharField(max_length=20)
    every = models.PositiveIntegerField(default=900)
    since = models.DateTimeField(null=True)
    reached = models.DateTimeField(null=True)
    page = models.CharField(max_length=200, blank=True)
    completed_at = models.DateTimeField(null=True)

    class Meta(QueueRow.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(fields=["connection", "data_type"], name="pull_once_per_type")
        ]

    def __str__(self) -> str:
        return self.data_type

    def postpone(self, by: timedelta | None = None) -> None:
        """Not before the usual time, or `by`, has passed; unless it was asked for since it was read."""
        later = clock.now() + (by or timedelta(seconds=self.every))
        Pull.objects.filter(pk=self.pk, due_at=self.due_at).update(due_at=later)


def ensure(connection: Connection) -> int:
    """Make the rows that `connection` has none of yet; returns how many. Invoices from the day of the
    connection on: what changed before is not ours. Of the rest, all that is there."""
    at = connection.created_at
    wanted = [
        Pull(
            connection=connection,
            data_type=kind.value,
            since=at if kind is Kind.INVOICE else None,
            due_at=at,
        )
        for kind in pulled_kinds(connection.provider)
    ]
    if issubclass(connection.provider, Subscribes):
        wanted.append(Pull(connection=connection, data_type=WEBHOOKS, every=DAY, due_at=at))
    known = set(Pull.objects.filter(connection=connection).values_list("data_type", flat=True))
    missing = [pull for pull in wanted if pull.data_type not in known]
    Pull.objects.bulk_create(missing, ignore_conflicts=True)
    return len(missing)


def hasten(connection: Connection, kind: Kind) -> int:
    """The provider says that something of `kind` has changed: catch up soon. One that is under way may
    be past it: it is due again once it ends."""
    now = clock.now()
    pulls = Pull.objects.filter(connection=connection, data_type=kind.value)
    running = pulls.filter(due_at__lte=now).update(due_at=now)
    return running or pulls.filter(due_at__gt=now + HASTE).update(due_at=now + HASTE)
