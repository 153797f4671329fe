"""InboundEvent: something a provider's webhook told us, kept once."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import models

from tallystick.queue.rows import QueueRow


class InboundEvent(QueueRow):
    """`event_id` is the provider's, or made of what makes it unique; a repeat is a constraint.

    `outcome` says in a word or a sentence what was done about it.
    """

    connection = models.ForeignKey(
        "integrations.Connection", on_delete=models.CASCADE, related_name="inbound"
    )
    event_id = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, blank=True)
    remote_id = models.CharField(max_length=128, blank=True)
    change = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField()
    payload = models.TextField(blank=True)
    outcome = models.CharField(max_length=200, blank=True)

    class Meta(QueueRow.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "event_id"], name="each_event_arrives_once"
            )
        ]
        indexes = [
            *QueueRow.Meta.indexes,
            models.Index(fields=["connection", "-id"], name="inbound_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.change} {self.remote_id}"


def keep(events: Sequence[InboundEvent]) -> None:
    """Store what is new of them; committed when this returns (outside a transaction)."""
    InboundEvent.objects.bulk_create(events, ignore_conflicts=True)
