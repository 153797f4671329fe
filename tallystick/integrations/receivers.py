"""What follows from a connection being saved."""

from __future__ import annotations

from django.db.models.signals import post_save
from django.dispatch import receiver

from tallystick.integrations.connections import Connection
from tallystick.integrations.pulls import Pull
from tallystick.ports.records import Kind
from tallystick.ports.roles import PullsInvoices


@receiver(post_save, sender=Connection, dispatch_uid="tallystick.connection.pulls")
def start_catching_up(sender: type[Connection], instance: Connection, **_: object) -> None:
    """What changed there before we were connected is not ours."""
    del sender
    if issubclass(instance.provider, PullsInvoices):
        Pull.objects.get_or_create(
            connection=instance,
            data_type=Kind.INVOICE.value,
            defaults={"since": instance.created_at, "due_at": instance.created_at},
        )
