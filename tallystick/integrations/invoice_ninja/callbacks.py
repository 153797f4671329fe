"""What the relay tells of what it was sent, and of which link it is told; see `settling`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Q

from tallystick.integrations.connections import Connection
from tallystick.integrations.links import Link
from tallystick.ports.records import Kind

LONGEST_ID = 50


class Unknown(LookupError):
    """There is no such user or product at the relay whose secret this is."""


class Conflict(Exception):
    """Something else is known already; nothing was changed. The message says what."""


class Effect(StrEnum):
    """What a callback did. `NOTED`: the id is known now, and a later try is still awaited."""

    SYNCED = "synced"
    NOTED = "noted"
    RETRY = "retry"
    FAILED = "failed"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Callback:
    """`remote_id` is the id at Invoice Ninja, needed when `success`. `delivery_id` and `at`, where
    the relay says them, tell a callback of the last try from one of a try before."""

    success: bool
    remote_id: str = ""
    message: str = ""
    retry: bool = False
    delivery_id: str = ""
    at: datetime | None = None


def of_product(
    connections: Sequence[Connection], *, key: str = "", product_id: str = "", delivery_id: str = ""
) -> Link:
    """The link of the product with this key, this primary key, or both. Raises `Unknown`, also when
    products of several models have the primary key."""
    which = Q(key=key) if key else Q()
    which &= Q(local_id=product_id) if product_id else Q()
    found = Link.objects.filter(
        which, kind=Kind.PRODUCT.value, connection__in=list(connections)
    ).select_related("connection")
    links = list(found.order_by("-pk")[:20])
    if not links or len({(link.model, link.local_id) for link in links}) != 1:
        raise Unknown
    sent = [link for link in links if delivery_id and link.attempt_key == delivery_id]
    return (sent or links)[0]
