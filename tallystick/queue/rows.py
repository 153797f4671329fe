"""QueueRow: a row that is its own queue entry. It knows when it is due and how its tries went."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

from django.db import models

from tallystick.kit import clock
from tallystick.queue import statements
from tallystick.queue.backoff import Backoff
from tallystick.queue.clock import db_later, db_now
from tallystick.queue.leases import LeaseLost
from tallystick.queue.reasons import reason_of


class State(models.TextChoices):
    DUE = "due"
    UNCERTAIN = "uncertain"
    DONE = "done"
    DEAD = "dead"


class QueueRow(models.Model):
    """Work that was written with what caused it, in one transaction.

    A row is worked on from `due_at`. Claiming it moves `due_at` to the end of the lease, so that
    one index range finds all work, also that of dead workers. Each write of a result says which
    `fence` it holds and raises `LeaseLost` when another worker has claimed the row since.
    """

    max_attempts: ClassVar[int] = 12
    backoff: ClassVar[Backoff] = Backoff()
    lease_seconds: ClassVar[float] = 60

    held: bool = False
    """Whether this very object was claimed and not settled yet."""

    state = models.CharField(max_length=9, choices=State, default=State.DUE, editable=False)
    due_at = models.DateTimeField(default=clock.now, editable=False)
    lease_owner = models.CharField(max_length=80, blank=True, default="", editable=False)
    fence = models.BigIntegerField(default=0, editable=False)
    attempts = models.PositiveIntegerField(default=0, editable=False)
    last_error = models.TextField(blank=True, default="", editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        abstract = True
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(state__in=[State.DUE.value, State.UNCERTAIN.value]),
                name="%(class)s_due",
            )
        ]

    @classmethod
    def due(cls) -> models.QuerySet[Self]:
        """What is to be done now and in nobody's hands."""
        return models.QuerySet(cls).filter(state__in=statements.OPEN, due_at__lte=db_now())

    @classmethod
    def claim(
        cls, limit: int, owner: str, seconds: float, *, among: models.Q | None = None
    ) -> list[Self]:
        """Take up to `limit` due rows for `seconds`, those due longest first; each goes to one
        claimer. `among` narrows the choice."""
        rows = statements.claim(cls, limit, owner, seconds, among)
        for row in rows:
            row.held = True
        return rows

    def complete(self, **fields: object) -> None:
        """Done. `fields` are stored in the same statement, as in all the verbs below; expressions
        are allowed."""
        self._settle({"state": State.DONE, "last_error": "", **fields})

    @classmethod
    def complete_many(cls, rows: Sequence[Self], fields: Sequence[str] = ()) -> list[Self]:
        """All done, in one statement; of each row, the named fields are stored as they are set on
        it. Returns those that were not ours any more, of which nothing was written."""
        now = clock.now()
        for row in rows:
            row.state, row.last_error, row.lease_owner = State.DONE, "", ""
            row.updated_at, row.held = now, False
        if fields:
            names = ["state", "last_error", "lease_owner", "updated_at", *fields]
            return statements.update_many(rows, names)
        return statements.mark_done(rows, now)

    def retry(
        self, error: BaseException | str, delay: float | None = None, **fields: object
    ) -> None:
        """Try again in `delay` seconds, or when the backoff says; after `max_attempts`, bury."""
        if self.attempts >= self.max_attempts:
            self.bury(error, **fields)
            return
        wait = self.backoff.seconds(self.attempts) if delay is None else delay
        self._settle({"due_at": db_later(wait), "last_error": reason_of(error), **fields})

    def bury(self, error: BaseException | str, **fields: object) -> None:
        """Give up, until a person revives it."""
        self._settle({"state": State.DEAD, "last_error": reason_of(error), **fields})

    def release(self, delay: float = 0, **fields: object) -> None:
        """Hand it back as if it had not been claimed: this was no attempt."""
        self._settle({"due_at": db_later(delay), "attempts": max(self.attempts - 1, 0), **fields})

    @classmethod
    def release_many(cls, rows: Sequence[Self]) -> None:
        """Hand back all that are still ours."""
        if rows:
            statements.held_by(rows).update(
                due_at=db_now(), attempts=models.F("attempts") - 1, lease_owner=""
            )

    def keep(self, **fields: object) -> None:
        """Store `fields` and go on working: what must be known should this worker die."""
        self._write(fields)

    def heartbeat(self, seconds: float) -> None:
        """The lease holds for `seconds` from now."""
        self._write({"due_at": db_later(seconds)})

    def revive(self) -> None:
        """Make a dead row due, with all its attempts before it. Others stay as they are."""
        models.QuerySet(type(self)).filter(pk=self.pk, state=State.DEAD).update(
            state=State.DUE, due_at=db_now(), attempts=0, updated_at=clock.now()
        )

    def _settle(self, values: dict[str, object]) -> None:
        self._write({"lease_owner": "", **values})
        self.held = False

    def _write(self, values: dict[str, object]) -> None:
        values["updated_at"] = clock.now()
        if not statements.update(self, values):
            self.held = False
            raise LeaseLost(self)
        for name, value in values.items():
            if not hasattr(value, "resolve_expression"):
                setattr(self, name, value)
