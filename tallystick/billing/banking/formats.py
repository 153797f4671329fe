"""BankFormat: how one bank's table is read, remembered. BankFile: a file that waits for an answer."""

from __future__ import annotations

import hashlib
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.tenancy import TenantModel
from tallystick.billing.banking import columns
from tallystick.billing.banking.columns import Columns
from tallystick.kit import clock

if TYPE_CHECKING:
    from tallystick.accounts.models import Website
    from tallystick.billing.banking.tables import Table

_KEPT = timedelta(days=1)


class BankFormat(TenantModel):
    """`fingerprint` is of the names of the columns; `mapping` says which of them holds what."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=100, blank=True)
    fingerprint = models.CharField(max_length=64, editable=False)
    head = models.JSONField(_("columns"), default=list, editable=False)
    mapping = models.JSONField(_("meaning"), default=dict)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = _("bank format")
        verbose_name_plural = _("bank formats")
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["website", "fingerprint"], name="bank_format_once"),
        ]

    def __str__(self) -> str:
        return self.name or ", ".join(self.head)[:100]


class BankFile(TenantModel):
    """The bytes as they were uploaded, until somebody has said how to read them; a day at most."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=200, blank=True)
    data = models.BinaryField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        return self.name

    def keep(self) -> None:
        """Store it, and forget those that nobody came back for."""
        old = BankFile.objects.of(self.website_id).filter(created_at__lt=clock.now() - _KEPT)
        old.delete()
        self.save(force_insert=True)


def known_columns(website: Website, table: Table) -> Columns:
    """As somebody said for a table with this head, else by the names of its columns. Raises
    `UnknownColumns`."""
    kept = BankFormat.objects.of(website).filter(fingerprint=table.fingerprint).first()
    return Columns.from_json(kept.mapping) if kept else columns.guess(table)


def remember(website: Website, table: Table, how: Columns, *, name: str = "") -> BankFormat:
    """Read tables with this head so from now on."""
    return BankFormat.objects.of(website).update_or_create(
        website=website,
        fingerprint=table.fingerprint,
        defaults={"mapping": how.as_json(), "head": list(table.head), "name": name[:100]},
    )[0]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
