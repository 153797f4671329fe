"""Schedule: when each routine is due next."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.db import models

from tallystick.queue.backoff import Backoff
from tallystick.queue.clock import db_now
from tallystick.queue.rows import QueueRow, State
from tallystick.queue.schedules import routines
from tallystick.queue.waking import wake

UNKNOWN_DELAY = 60
"""In a rolling restart another version's worker knows the routine: leave it the row soon."""


class Schedule(QueueRow):
    """A queue row that becomes due again. However many runs were missed, one makes up for them."""

    max_attempts: ClassVar[int] = 1 << 30
    backoff: ClassVar[Backoff] = Backoff(cap=timedelta(minutes=15))

    name = models.CharField(max_length=100, unique=True, editable=False)
    every = models.PositiveIntegerField(help_text="Seconds.")
    last_run_at = models.DateTimeField(null=True, editable=False)

    class Meta(QueueRow.Meta):
        abstract = False

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def register() -> None:
        """A row for each routine the code knows; what is due when stays as it was."""
        known = dict(Schedule.objects.values_list("name", "every"))
        for routine in routines().values():
            if routine.name not in known:
                row = Schedule(name=routine.name, every=routine.every)
                Schedule.objects.bulk_create([row], ignore_conflicts=True)
            elif known[routine.name] != routine.every:
                Schedule.objects.filter(name=routine.name).update(every=routine.every)

    @staticmethod
    def hasten(name: str) -> None:
        """Let the routine of that name run now, for there is a reason; then as usual."""
        Schedule.objects.filter(name=name, due_at__gt=db_now()).update(due_at=db_now())
        wake("schedules")

    def perform(self) -> None:
        """Run the routine, and be due when it is to run next."""
        routine = routines().get(self.name)
        if not routine:
            self.release(delay=UNKNOWN_DELAY)
            return
        self.keep(last_run_at=db_now())
        routine.run()
        following = models.F("last_run_at") + timedelta(seconds=routine.every)
        self.complete(state=State.DUE, due_at=following, attempts=0)
