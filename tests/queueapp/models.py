"""The least queue there is."""

from __future__ import annotations

from django.db import models

from tallystick.queue.leases import Leased
from tallystick.queue.rows import QueueRow


class Job(QueueRow):
    note = models.CharField(max_length=200, blank=True)
    size = models.IntegerField(default=0)

    class Meta(QueueRow.Meta):
        abstract = False

    def __str__(self) -> str:
        return self.note or str(self.pk)


class Machine(Leased):
    """Something that is worked on as a whole."""

    name = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.name


class Effect(models.Model):
    """What a job did: the ledger that tests count."""

    job = models.IntegerField()
    worker = models.CharField(max_length=80)

    def __str__(self) -> str:
        return f"{self.job} by {self.worker}"
