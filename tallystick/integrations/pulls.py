"""Pull: the catch-up of one data type at one connection, with its cursor."""

from __future__ import annotations

from django.db import models

from tallystick.queue.rows import QueueRow

OVERLAP_SECONDS = 300
"""A catch-up asks this much further back than it has seen: clocks differ, commits come late."""


class Pull(QueueRow):
    """`since`: everything changed before it is here. `page`: how far the running catch-up has come
    (resumed after a kill); `reached` is what `since` becomes when it ends. `every` is in seconds."""

    connection = models.ForeignKey(
        "integrations.Connection", on_delete=models.PROTECT, related_name="pulls"
    )
    data_type = models.CharField(max_length=20)
    every = models.PositiveIntegerField(default=900)
    since = models.DateTimeField(null=True)
    reached = models.DateTimeField(null=True)
    page = models.CharField(max_length=200, blank=True)

    class Meta(QueueRow.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(fields=["connection", "data_type"], name="pull_once_per_type")
        ]

    def __str__(self) -> str:
        return self.data_type
