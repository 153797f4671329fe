"""Event: one line of the journal. Chain: how far the journal is sealed. PersonKey: what opens the
personal values in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, NoReturn

from django.db import models
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.tenancy import TenantManager, TenantModel, TenantQuerySet
from tallystick.accounts.websites import Website
from tallystick.events.actors import Actor, ActorKind
from tallystick.events.personal import LONGEST, HasAddress, PersonKey, seal
from tallystick.kit import clock, json

__all__ = ["AppendOnly", "Chain", "Event", "EventManager", "EventQuerySet", "PersonKey"]


class AppendOnly(Exception):
    """The journal is appended to, never changed."""


class EventQuerySet(TenantQuerySet["Event"]):
    def update(self, **values: Any) -> NoReturn:
        raise AppendOnly(f"{len(values)} columns of events were to be changed.")

    def delete(self) -> NoReturn:
        raise AppendOnly("Events were to be deleted.")


class EventManager(TenantManager["Event"]):
    _queryset_class = EventQuerySet

    def of_subject(self, subject: models.Model) -> TenantQuerySet[Event]:
        """What happened to `subject`, newest first; whoever has the subject may see it."""
        events = self.everywhere().filter(subject_id=str(subject.pk))
        return events.filter(subject_type=subject._meta.label_lower).order_by("-id")


class Event(HasAddress, TenantModel):
    """What happened to which subject, by whom, from where. A person's `address` is sealed under a
    key of theirs; `address_shown` reads it.

    `change` is canonical JSON text, so that its bytes, which are sealed, are the same in every
    database. `seal_seq`, `row_hash` and `seal_hash` are set once, by the sealing; see `chain`.
    """

    website = models.ForeignKey(  # type: ignore[assignment] # some events belong to no website
        Website,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("website"),
        db_index=False,  # `event_website` serves
    )
    kind = models.CharField(_("kind"), max_length=60)
    subject_type = models.CharField(_("subject type"), max_length=100)
    subject_id = models.CharField(_("subject"), max_length=64)
    actor_kind = models.CharField(
        _("by"), max_length=10, choices=[(kind.value, kind.value) for kind in ActorKind]
    )
    actor_id = models.CharField(max_length=64, blank=True)
    actor_label = models.CharField(max_length=100, blank=True)
    address = models.CharField(_("from"), max_length=LONGEST, blank=True)
    at = models.DateTimeField(_("at"), default=clock.now)
    change = models.TextField(_("change"), default="{}")
    seal_seq = models.BigIntegerField(null=True, unique=True, editable=False)
    row_hash = models.CharField(max_length=64, blank=True, editable=False)
    seal_hash = models.CharField(max_length=64, blank=True, editable=False)

    objects: ClassVar[EventManager] = EventManager()

    class Meta:
        indexes = [
            models.Index(fields=["subject_id", "subject_type", "id"], name="event_subject"),
            models.Index(fields=["website", "id"], name="event_website"),
            models.Index(fields=["id"], condition=models.Q(seal_seq=None), name="event_unsealed"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_type} {self.subject_id}"

    @classmethod
    def of(
        cls,
        kind: str,
        subject: models.Model,
        *,
        actor: Actor,
        change: Mapping[str, object],
        at: datetime | None,
    ) -> Event:
        """The event, not stored yet, at the website of its subject."""
        return cls(
            website_id=_website_id(subject),
            kind=kind,
            subject_type=subject._meta.label_lower,
            subject_id=str(subject.pk),
            actor_kind=actor.kind.value,
            actor_id=actor.id,
            actor_label=actor.label,
            address=seal(actor.whose, actor.address),
            at=at or clock.now(),
            change=json.canonical(change).decode(),
        )

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly(str(self))
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly(str(self))


class Chain(models.Model):
    """The head of the chain, one row: the last event sealed. `mac` is the sealer's signature, so
    that cutting the journal and setting the head back takes the key."""

    seq = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64)
    mac = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"sealed to {self.seq}"


def _website_id(subject: models.Model) -> int | None:
    website_id: int | None = getattr(subject, "website_id", None)
    return subject.pk if isinstance(subject, Website) else website_id
