"""Answers that are kept for a while under the key of their request: a repeat gets the same one.

The row of a key is written first, by itself. What the request does, and the answer, are written in
one transaction that holds the row: whoever else asks with the key meanwhile is told so, and after a
crash the lock is gone and the repeat does the work.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.db import OperationalError, models

from tallystick.kit import clock
from tallystick.kit.db.fields import EncryptedTextField


class InFlight(Exception):
    """The first request of this key is still under way; ask again in a moment."""


class OtherRequest(Exception):
    """This key was used for another request before."""


class KeptAnswer(models.Model):
    """`owner` is who asked: a user, an API key, the holder of a link. `fingerprint` is of method,
    address and body. Without a `status` there is no answer yet.

    The body is encrypted: it can hold a payment link."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.CharField(max_length=80)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = EncryptedTextField(blank=True)
    created_at = models.DateTimeField(default=clock.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="answer_once")]

    def __str__(self) -> str:
        return f"{self.status or 'no'} answer of {self.owner}"

    @classmethod
    def claim(cls, owner: str, key: str, fingerprint: str) -> KeptAnswer:
        """The row of `key`; made, in the caller's transaction or its own, when there is none."""
        fresh = KeptAnswer(owner=owner, key=key, fingerprint=fingerprint)
        KeptAnswer.objects.bulk_create([fresh], ignore_conflicts=True)
        return KeptAnswer.objects.get(owner=owner, key=key)

    @classmethod
    def prune(cls) -> int:
        """Delete those that have been kept long enough; returns how many."""
        long_ago = clock.now() - timedelta(hours=settings.API_IDEMPOTENCY_HOURS)
        return cls.objects.filter(created_at__lt=long_ago).delete()[0]

    @property
    def is_answered(self) -> bool:
        return self.status is not None

    def hold(self, fingerprint: str) -> KeptAnswer:
        """The row as it is now, locked until the caller's transaction ends. Raises `InFlight` while
        somebody else holds it, `OtherRequest` when it is of another request than `fingerprint`'s."""
        rows = KeptAnswer.objects.select_for_update(nowait=True)
        mine = rows.filter(owner=self.owner, key=self.key)
        try:
            held = mine.first()
            if held is None:  # gone: the first request came to nothing that is worth keeping
                self.claim(self.owner, self.key, fingerprint)
                held = mine.get()
        except OperationalError:
            raise InFlight from None
        if held.fingerprint != fingerprint:
            raise OtherRequest
        return held

    def keep(self, status: int, headers: Mapping[str, str], body: str) -> None:
        self.status, self.headers, self.body = status, dict(headers), body
        self.save(update_fields=["status", "headers", "body"])
