"""What is due where: links made and touched for objects, in few statements however many they are."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Exists, F, FilteredRelation, OuterRef, Q
from django.db.models.functions import Coalesce

from tallystick import queue
from tallystick.integrations import registry
from tallystick.integrations.connections import Connection
from tallystick.integrations.links import Link
from tallystick.kit import signing
from tallystick.kit.db.texts import AsText
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


def places(kind: Kind, website_id: int | None, model: str, known: str) -> tuple[list[int], bool]:
    """The website's connections that are told of `kind`; and whether those of another know the object
    of `model` by the id `known`, if that is given. One query."""
    wanted = Q(website=website_id, is_active=True)
    if known:
        links = Link.objects.filter(model=model, local_id=known)
        wanted |= Q(pk__in=links.values("connection")) & ~Q(website=website_id)
    found = Connection.objects.everywhere().filter(wanted)
    rows = list(found.values_list("pk", "type", "website"))
    here = [pk for pk, at_type, website in rows if website == website_id and takes(at_type, kind)]
    return here, any(website != website_id for _, _, website in rows)


def takes(provider_type: str | None, kind: Kind) -> bool:
    """Whether a provider of this type is told of `kind`."""
    return provider_type is not None and pusher_role(registry.provider_class(provider_type), kind)


def placed(rows: models.QuerySet[Any], model: str, website_path: str) -> models.QuerySet[Any]:
    """`rows` of `model`, each once for each active connection of its website: `at_connection`,
    `at_type`; without any, once; and whether connections of another website know it:
    `is_known_elsewhere`."""
    path = f"{website_path}__connection"
    active = FilteredRelation(path, condition=Q(**{f"{path}__is_active": True}))
    links = Link.objects.filter(model=model, local_id=AsText(rows.model, OuterRef("pk")))
    others = links.exclude(connection__website=Coalesce(OuterRef(website_path), 0))
    found: models.QuerySet[Any] = rows.annotate(at=active).annotate(
        at_connection=F("at__pk"), at_type=F("at__type"), is_known_elsewhere=Exists(others)
    )
    return found


def pages(rows: models.QuerySet[Any]) -> Iterator[list[Any]]:
    """All of `rows`, so many at a time, by their keys; rows of one key stay together."""
    rows, last = rows.order_by("pk"), None
    while page := list((rows if last is None else rows.filter(pk__gt=last))[:PAGE]):
        if len(page) < PAGE:
            yield page
            return
        last = page[-1].pk
        whole = [row for row in page if row.pk != last]
        if whole:
            last = whole[-1].pk
        yield whole or page


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
