"""The journal: what happened to which subject, by whom. Appended to, never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from django.dispatch import Signal

from tallystick.events.actors import SYSTEM, Actor, ActorKind, acting, current_actor

if TYPE_CHECKING:
    from django.db.models import Model

    from tallystick.accounts.websites import Website
    from tallystick.events.models import Event

__all__ = [
    "SYSTEM",
    "Actor",
    "ActorKind",
    "Line",
    "acting",
    "current_actor",
    "record",
    "record_all",
    "recorded",
]

recorded = Signal()
"""Sent with `event` and its `subject`, within the transaction that records it: what a receiver writes stands or falls
with the event, and what it raises undoes both."""


def record(
    kind: str,
    subject: Model,
    *,
    actor: Actor | None = None,
    website: Website | None = None,
    change: Mapping[str, object] | None = None,
    at: datetime | None = None,
) -> Event:
    """Write into the journal that `kind` ("invoice.issued") happened to `subject`, in the caller's
    transaction.

    By `actor`, else the one that `acting` names, else the system. At `website`, else the subject's
    own. `change` holds what a reader must know beyond that, as JSON; of people it names fields and
    holds no values, for nothing here is ever erased.
    """
    from tallystick.events.models import Event

    event = Event.of(kind, subject, actor=actor or current_actor(), change=change or {}, at=at)
    if website is not None:
        event.website = website
    event.save(force_insert=True)
    recorded.send(sender=Event, event=event, subject=subject)
    return event


@dataclass(frozen=True, slots=True)
class Line:
    """One of many that are written at once; of each as in `record`."""

    kind: str
    subject: Model
    website: Website | None = None
    change: Mapping[str, object] = field(default_factory=dict)


def record_all(lines: Sequence[Line]) -> None:
    """`record` each of `lines`, in their order, by one statement."""
    from tallystick.events.models import Event

    actor, events = current_actor(), []
    for line in lines:
        event = Event.of(line.kind, line.subject, actor=actor, change=line.change, at=None)
        if line.website is not None:
            event.website = line.website
        events.append(event)
    Event.objects.bulk_create(events)
    for line, event in zip(lines, events, strict=True):
        recorded.send(sender=Event, event=event, subject=line.subject)
