"""What the jobs of the test queue do: leave one trace each, in the transaction that settles them."""

from __future__ import annotations

import os
import time
from pathlib import Path

from django.db import transaction

from tallystick.queue.leases import owner_name
from tests.queueapp.models import Effect, Job

LONGEST_WAIT = 60.0


def perform(job: Job) -> None:
    """A job takes `size` milliseconds. One whose note is a path says there that it has begun, and
    goes on when told."""
    if job.note:
        gate = Path(job.note)
        (gate / f"begun-{os.getpid()}").touch()
        _wait_for(gate / "go")
    time.sleep(job.size / 1000)
    with transaction.atomic():
        Effect.objects.create(job=job.pk, worker=owner_name())
        job.complete()


def _wait_for(path: Path) -> None:
    until = time.monotonic() + LONGEST_WAIT
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.01)
