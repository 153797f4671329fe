"""What is due where: links made and touched for objects, in few statements however many they are."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models

from tallystick import queue
from tallystick.integrations import registry
from tallystick.integrations.connections import Connection
from tallystick.integrations.links import Link
from tallystick.kit import signing
from tallystick.ports.records import Kind
from tallystick.ports.roles import pusher_role
from tallystick.queue.clock import db_now
from tallystick.queue.rows import State

PAGE = 1000
"""Objects marked by one statement: memory is bounded by it."""
LONGEST_KEY = 50
_DIGITS = 16
"""Of a hash: 64 bits, that no two of a company are alike."""


@dataclass(frozen=True, slots=True)
class Target:
    """One object at one connection."""

    connection_id: int
    kind: Kind
    model: str
    local_id: str
    key: str


def mark(targets: Sequence[Target]) -> int:
    """Make `targets` due, whether they have links already or not. Returns how many they are."""
    if not targets:
        return 0
    Link.objects.bulk_create(
        [
            Link(
                connection_id=target.connection_id,
                kind=target.kind.value,
                model=target.model,
                local_id=target.local_id,
                key=target.key,
                touched=uuid.uuid4(),
                state=State.DUE,
                due_at=db_now(),  # type: ignore[misc] # an expression in an INSERT
            )
            for target in targets
        ],
        batch_size=PAGE,
        update_conflicts=True,
        unique_fields=["connection", "model", "local_id"],
        update_fields=["touched", "state", "due_at", "attempts"],
    )
    queue.wake("connections")
    return len(targets)


def touch(model: str, local_ids: Sequence[str], *, but_at: int | None = None) -> None:
    """Make due what is known of these objects of `model`; `but_at`: not at this website's
    connections."""
    known = Link.objects.filter(model=model, local_id__in=local_ids)
    if but_at is not None:
        known = known.exclude(connection__website=but_at)
    if known.touch():
        queue.wake("connections")


def places(kind: Kind, website_id: int | None) -> list[int]:
    """The website's connections that are told of `kind`."""
    found = Connection.objects.filter(website=website_id, is_active=True)
    return [
        pk
        for pk, provider_type in found.values_list("pk", "type")
        if pusher_role(registry.provider_class(provider_type), kind)
    ]


def pages(rows: models.QuerySet[Any]) -> Iterator[list[Any]]:
    """All of `rows`, so many at a time, by their keys."""
    rows, last = rows.order_by("pk"), None
    while page := list((rows if last is None else rows.filter(pk__gt=last))[:PAGE]):
        yield page
        if len(page) < PAGE:
            return
        last = page[-1].pk


def key(label: str, identity: uuid.UUID | str) -> str:
    """The name outside of an object of the model `label`: that and its identity, as they are where
    they fit; else with a hash of both, so that no two objects have one."""
    text = identity.hex if isinstance(identity, uuid.UUID) else str(identity)
    whole = f"{label.lower().replace('.', '-')}-{text}"
    plain = re.sub(r"[^a-z0-9-]+", "-", whole.lower())
    if plain == whole and len(plain) <= LONGEST_KEY:
        return plain
    exact = signing.digest(f"{label}-{text}")[:_DIGITS]
    return f"{plain[: LONGEST_KEY - _DIGITS - 1].strip('-')}-{exact}"
