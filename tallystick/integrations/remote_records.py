"""RemoteRecord: a customer, product or tax rate as an outside system has it, and whose it is here."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from pydantic import TypeAdapter

from tallystick.integrations.links import Link
from tallystick.kit import clock
from tallystick.kit.db.keysets import folded
from tallystick.ports.records import Kind, RemoteCustomer, RemoteProduct, RemoteTaxRate

if TYPE_CHECKING:
    from tallystick.integrations.connections import Connection

Found = RemoteCustomer | RemoteProduct | RemoteTaxRate

_CLASSES: dict[str, type[Found]] = {
    Kind.CUSTOMER.value: RemoteCustomer,
    Kind.PRODUCT.value: RemoteProduct,
    Kind.TAX_RATE.value: RemoteTaxRate,
}
SAID = (
    *("name", "email", "number", "code", "key", "local_hint", "is_active", "version", "url"),
    *("updated_at", "document", "seen_at"),
)
"""What a page brings anew; what was decided about a record stays."""


class RemoteRecord(models.Model):
    """As it was when last pulled. `key` is our own key where the record bears one, `local_hint` the
    number by which a person's entry there names our object. `document` is all that it says.

    `model` and `local_id` name the object here that it is, or is proposed to be; `choice` is what is
    to be done where it was accepted.
    """

    class Match(models.TextChoices):
        MATCHED = "matched", _("matched")
        ACCEPTED = "accepted", _("accepted")
        PROPOSED = "proposed", _("proposed")
        UNMATCHED = "unmatched", _("unmatched")
        IGNORED = "ignored", _("ignored")

    class Choice(models.TextChoices):
        LINK = "link", _("link")
        PERSON = "person", _("new person")
        ORGANISATION = "organisation", _("new organisation")
        PRODUCT = "product", _("new product")

    connection = models.ForeignKey(
        "integrations.Connection", on_delete=models.CASCADE, related_name="remote_records"
    )
    kind = models.CharField(max_length=20, choices=[(kind, kind) for kind in _CLASSES])
    remote_id = models.CharField(max_length=128)
    name = models.CharField(_("name"), max_length=250, blank=True)
    email = models.CharField(_("e-mail address"), max_length=254, blank=True)
    number = models.CharField(_("number"), max_length=100, blank=True)
    code = models.CharField(_("code"), max_length=200, blank=True)
    key = models.CharField(max_length=100, blank=True)
    local_hint = models.CharField(max_length=100, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    version = models.CharField(max_length=64, blank=True)
    url = models.URLField(max_length=500, blank=True)
    updated_at = models.DateTimeField()
    document = models.JSONField(default=dict)
    seen_at = models.DateTimeField(default=clock.now)
    erased_at = models.DateTimeField(null=True, editable=False)

    match = models.CharField(
        _("match"), max_length=9, choices=Match, default=Match.UNMATCHED, blank=True
    )
    reason = models.CharField(_("why"), max_length=300, blank=True)
    is_certain = models.BooleanField(default=False)
    choice = models.CharField(max_length=12, choices=Choice, blank=True)
    keep_remote = models.BooleanField(default=False)
    model = models.CharField(max_length=100, blank=True)
    local_id = models.CharField(max_length=64, blank=True)
    link = models.ForeignKey(
        Link, null=True, blank=True, on_delete=models.SET_NULL, related_name="remote_records"
    )
    decided_by = models.CharField(_("decided by"), max_length=150, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)

    class Meta:
        verbose_name = _("record there")
        verbose_name_plural = _("records there")
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "kind", "remote_id"], name="remote_record_once"
            )
        ]
        indexes = [
            models.Index("connection", "kind", folded("email"), name="remote_record_by_email"),
            models.Index("connection", "kind", folded("name"), name="remote_record_by_name"),
            models.Index(
                fields=["connection", "match", "kind", "id"], name="remote_record_to_review"
            ),
            models.Index(
                fields=["connection", "model", "local_id"],
                condition=~Q(local_id=""),
                name="remote_record_of_object",
            ),
            models.Index(
                fields=["connection", "id"],
                condition=Q(match="accepted"),
                name="remote_record_accepted",
            ),
            models.Index(fields=["key"], condition=~Q(key=""), name="remote_record_by_key"),
        ]

    def __str__(self) -> str:
        return self.name or self.code or self.email or self.remote_id

    @property
    def found(self) -> Found:
        """The record as the provider's client gave it."""
        found: Found = _adapter(self.kind).validate_python(self.document)
        return found

    def told_by(self, found: Found) -> RemoteRecord:
        """Take over what `found` says."""
        self.name = found.name[:250]
        self.email = getattr(found, "email", "").strip()[:254]
        self.number = getattr(found, "number", "")[:100]
        self.code = getattr(found, "code", "")[:200]
        self.key = getattr(found, "key", "")[:100]
        self.local_hint = getattr(found, "local_id", "")[:100]
        self.is_active, self.updated_at = found.is_active, found.updated_at
        self.version, self.url = found.remote.version, found.remote.url[:500]
        self.document = _adapter(self.kind).dump_python(found, mode="json")
        self.seen_at = clock.now()
        return self


def keep(connection: Connection, kind: Kind, page: Sequence[Found]) -> list[RemoteRecord]:
    """Store a page of what was found there, in the caller's transaction: two queries. Returns the
    rows, without those of erased people: of them nothing is stored again."""
    found = {each.remote.id: each for each in page}
    rows = RemoteRecord.objects.filter(connection=connection, kind=kind.value, remote_id__in=found)
    erased = set(rows.exclude(erased_at=None).values_list("remote_id", flat=True))
    first = RemoteRecord.Match.UNMATCHED if kind is not Kind.TAX_RATE else ""
    RemoteRecord.objects.bulk_create(
        [
            RemoteRecord(
                connection=connection, kind=kind.value, remote_id=remote_id, match=first
            ).told_by(each)
            for remote_id, each in sorted(found.items())
            if remote_id not in erased
        ],
        batch_size=500,
        update_conflicts=True,
        unique_fields=["connection", "kind", "remote_id"],
        update_fields=SAID,
    )
    return list(rows.filter(erased_at=None).order_by("pk"))


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(_CLASSES[kind])
