"""What follows from a connection being saved."""

from __future__ import annotations

from django.db.models.signals import post_save
from django.dispatch import receiver

from tallystick.integrations import pulls, sweeping
from tallystick.integrations.connections import Connection
from tallystick.integrations.pulls import Pull
from tallystick.kit import clock


@receiver(post_save, sender=Connection, dispatch_uid="tallystick.connection.pulls")
def start_catching_up(
    sender: type[Connection],
    instance: Connection,
    created: bool = False,
    update_fields: frozenset[str] | None = None,
    **_: object,
) -> None:
    """With other settings, its webhooks may lead elsewhere: they are seen to at once."""
    del sender
    pulls.ensure(instance)
    if created:
        sweeping.hasten()
    if not created and (update_fields is None or "credentials" in update_fields):
        ordered = Pull.objects.filter(connection=instance, data_type=pulls.WEBHOOKS)
        ordered.update(due_at=clock.now())
