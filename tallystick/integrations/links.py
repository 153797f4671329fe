"""Link: one local object's counterpart at one connection."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q

from tallystick.integrations import registry
from tallystick.ports.records import Kind
from tallystick.queue.clock import db_now
from tallystick.queue.rows import QueueRow, State
from tallystick.queue.statements import OPEN

if TYPE_CHECKING:
    from tallystick.integrations.connections import Connection


FETCHED = (Kind.INVOICE,)
"""Kinds that are brought back. Of the others an event tells us nothing that we act on."""
COMPARED = (Kind.CUSTOMER, Kind.PRODUCT)
"""Kinds of which a pull says how the two sides differ; see `conflicts`."""


LONGEST_LABEL, LONGEST_ID = 100, 64
"""Of a model, and of an object's primary key as text."""

READ_FIRST = "All that is there is read first."
UNDECIDED = "It may be there already: decide in Records there."
"""Why a link that has no counterpart yet is held."""


class LinkQuerySet(models.QuerySet["Link"]):
    def due(self) -> LinkQuerySet:
        return self.filter(state__in=OPEN, due_at__lte=db_now())

    def stale(self) -> LinkQuerySet:
        """What is to be fetched."""
        return self.filter(kind__in=FETCHED, update_needed=True).exclude(remote_id="")

    def waiting_for_us(self) -> LinkQuerySet:
        """What a person must look at: given up, or different on the two sides."""
        return self.filter(Q(state=State.DEAD) | ~Q(difference=""))

    def failed(self) -> LinkQuerySet:
        """Given up, or tried without success; not what a go-between has in hand."""
        in_hand = Q(state=State.UNCERTAIN, connection__in=self._go_betweens())
        tried = Q(attempts__gt=0, state__in=OPEN) & ~Q(last_error="") & ~in_hand
        return self.filter(Q(state=State.DEAD) | tried)

    def release(self) -> int:
        """Those that are held are due: what they wait for may be known now."""
        held = self.filter(state=State.DUE, remote_id="", last_error__in=[READ_FIRST, UNDECIDED])
        return held.update(due_at=db_now())

    def revive(self, *, force: bool = False) -> int:
        """Make them due now; with `force` also those in step, to be sent whatever they say and
        whatever differs there, and to a go-between under a new identity. A lost answer stays one:
        it is looked up first."""
        chosen = self if force else self.exclude(state=State.DONE)
        values: dict[str, Any] = {"attempts": 0, "last_error": ""}
        if force:
            values["fingerprint"] = ""
            relayed = Q(connection__in=self._go_betweens())
            values["attempt_key"] = models.Case(
                models.When(relayed, then=models.Value("")), default=models.F("attempt_key")
            )
            values["difference"] = models.Case(
                models.When(
                    kind__in=COMPARED, then=models.Value("", output_field=models.TextField())
                ),
                default=models.F("difference"),
            )
        return chosen._make_due(**values)

    def touch(self) -> int:
        """Their objects have changed: due now, with all tries before them."""
        return self._make_due(touched=uuid.uuid4(), attempts=0)

    def _make_due(self, **values: Any) -> int:
        lost = Q(remote_id="") & ~Q(attempt_key="")
        state = models.Case(
            models.When(lost, then=models.Value(State.UNCERTAIN)), default=models.Value(State.DUE)
        )
        return self.update(state=state, due_at=db_now(), **values)

    def _go_betweens(self) -> models.QuerySet[Any]:
        connections = Link._meta.get_field("connection").related_model
        types = [provider.type for provider in registry.PROVIDERS if provider.by_callback]
        return connections._base_manager.filter(type__in=types)


class Link(QueueRow):
    """What the provider calls an object of ours, what it was last told, and how that went.

    The row is its own queue entry. `key` is the record's key, written to the provider where it has
    a place for one. `touched` moves with every edit of the object: a send that was overtaken by an
    edit stays due. A non-empty `attempt_key` says that a try is under way or that its answer was
    lost: without a `remote_id` it is looked up before any second create. `seen` are digests of the
    compared fields as both sides had them last, by what was sent or read; see `differences`.
    """

    connection = models.ForeignKey(
        "integrations.Connection", on_delete=models.PROTECT, related_name="links"
    )
    kind = models.CharField(max_length=20, choices=[(kind.value, kind.value) for kind in Kind])
    model = models.CharField(max_length=LONGEST_LABEL)
    local_id = models.CharField(max_length=LONGEST_ID)
    key = models.CharField(max_length=50)
    touched = models.UUIDField()
    remote_id = models.CharField(max_length=128, blank=True)
    remote_version = models.CharField(max_length=64, blank=True)
    remote_url = models.URLField(max_length=500, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True)
    attempt_key = models.CharField(max_length=120, blank=True)
    attempt_fingerprint = models.CharField(max_length=64, blank=True)
    attempted_at = models.DateTimeField(null=True)
    synced_at = models.DateTimeField(null=True)
    waits_for = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="waiting"
    )
    update_needed = models.BooleanField(default=False)
    update_marked_at = models.DateTimeField(null=True)
    difference = models.TextField(blank=True)
    remark = models.CharField(max_length=300, blank=True)
    """What of it did not go along."""
    seen = models.CharField(max_length=120, blank=True)

    objects = LinkQuerySet.as_manager()

    class Meta(QueueRow.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "model", "local_id"], name="link_once_per_object"
            ),
            models.UniqueConstraint(
                fields=["connection", "kind", "remote_id"],
                condition=~Q(remote_id=""),
                name="link_once_per_remote",
            ),
        ]
        indexes = [
            models.Index(
                fields=["connection", "kind", "due_at", "id"],
                condition=Q(state__in=["due", "uncertain"]),
                name="link_due",
            ),
            models.Index(fields=["connection", "key"], name="link_key"),
            models.Index(
                fields=["connection", "kind"], condition=Q(update_needed=True), name="link_stale"
            ),
            models.Index(
                fields=["waits_for"], condition=Q(waits_for__isnull=False), name="link_waiting"
            ),
            models.Index(fields=["model", "local_id"], name="link_object"),
            models.Index(
                fields=["connection"],
                condition=Q(state="dead") | ~Q(difference=""),
                name="link_waiting_for_us",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"

    @property
    def may_be_settled(self) -> bool:
        """Whether it differs there, and either side can be taken."""
        return bool(self.difference) and self.kind in COMPARED

    @property
    def is_undecided(self) -> bool:
        """Whether an edit here waits for that, unless the connection's rule lets it pass."""
        return self.may_be_settled and bool(self.remote_id and self.fingerprint)


def links_of(obj: models.Model) -> models.QuerySet[Link]:
    """The counterparts of `obj` at all connections."""
    return Link.objects.filter(model=obj._meta.label, local_id=str(obj.pk))


def mark_stale(connection: Connection, kind: Kind, remote_ids: Sequence[str], now: datetime) -> int:
    """The provider says these have changed: fetch them. Ids that are not ours are ignored, and so
    are kinds that are not fetched."""
    if kind not in FETCHED:
        return 0
    return Link.objects.filter(
        connection=connection, kind=kind.value, remote_id__in=remote_ids
    ).update(update_needed=True, update_marked_at=now)
