"""SyncLog: one run of one data type of one connection."""

from __future__ import annotations

from django.db import models

from tallystick.kit import clock

ERRORS_KEPT = 50


class SyncLog(models.Model):
    """`errors` keeps the first fifty reasons, as `Invoice INV-001: Missing contact`; `notes` as many
    lines on what was settled by itself."""

    class Status(models.TextChoices):
        RUNNING = "running"
        SUCCESS = "success"
        PARTIAL = "partial"
        FAILED = "failed"

    class Direction(models.TextChoices):
        PUSH = "push"
        PULL = "pull"

    connection = models.ForeignKey(
        "integrations.Connection", on_delete=models.CASCADE, related_name="logs"
    )
    direction = models.CharField(max_length=4, choices=Direction)
    sync_type = models.CharField(max_length=20)
    status = models.CharField(max_length=10, choices=Status, default=Status.RUNNING)
    total_records = models.PositiveIntegerField(default=0)
    synced_records = models.PositiveIntegerField(default=0)
    unchanged_records = models.PositiveIntegerField(default=0)
    failed_records = models.PositiveIntegerField(default=0)
    calls = models.PositiveIntegerField(default=0)
    duration_ms = models.PositiveIntegerField(null=True)
    message = models.TextField(blank=True)
    errors = models.JSONField(default=list)
    notes = models.JSONField(default=list)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["connection", "-created_at", "-id"], name="synclog_newest")]

    def __str__(self) -> str:
        return f"{self.sync_type} {self.status}"

    def failed(self, label: str, reason: str) -> None:
        """Count a record that did not go through, with its reason."""
        self.failed_records += 1
        if len(self.errors) < ERRORS_KEPT:
            self.errors.append(f"{label}: {reason}")

    def noted(self, label: str, words: str) -> None:
        """Say what was done about a record, which did go through."""
        if len(self.notes) < ERRORS_KEPT:
            self.notes.append(f"{label}: {words}")

    def close(self, *, provider_name: str, stopped_by: str = "") -> None:
        """The run is over; `stopped_by` says what ended it early."""
        self.duration_ms = int((clock.now() - self.created_at).total_seconds() * 1000)
        done = self.synced_records + self.unchanged_records
        self.total_records = done + self.failed_records
        preposition = "from" if self.direction == self.Direction.PULL else "to"
        self.message = (
            f"Successfully synced {done} of {self.total_records} {self.sync_type} "
            f"{preposition} {provider_name}"
        )
        if stopped_by:
            self.message += f". {stopped_by}"
        self.status = self._outcome(done, stopped_by)
        self.save()

    def _outcome(self, done: int, stopped_by: str) -> str:
        if not self.failed_records and not stopped_by:
            return self.Status.SUCCESS
        return self.Status.PARTIAL if done else self.Status.FAILED
