"""The inbox: verify a webhook, keep its events once, mark what they speak of.

The request only verifies and stores; marking is done by the worker, fetching by the connection's
next turn. A webhook is a hint: its order and completeness are never relied on.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence

from tallystick import queue
from tallystick.integrations import pulls
from tallystick.integrations.clients import client_of
from tallystick.integrations.connections import BadCredentials, Connection
from tallystick.integrations.inbound import InboundEvent, keep
from tallystick.integrations.links import FETCHED, mark_stale
from tallystick.kit import clock
from tallystick.ports.errors import Forged
from tallystick.ports.records import Kind
from tallystick.ports.roles import Delivery, Event, FetchesInvoices, SendsWebhooks, pulled_kinds

logger = logging.getLogger(__name__)


def receive(provider_type: str, delivery: Delivery, *, connection_id: int | None = None) -> int:
    """Store what a rightly signed delivery says; answers how many events were for us.

    Which connection an event is for: the one named in the address, else those whose secret
    verifies the delivery and whose company the event names. Raises `Forged` when no secret fits,
    `Garbled` when it is not in the documented form.
    """
    trusted = _trusted(provider_type, delivery, connection_id)
    if not trusted:
        raise Forged("The signature does not match.")
    client = client_of(trusted[0])
    events = client.events(delivery) if isinstance(client, SendsWebhooks) else []
    rows = [row for event in events for row in _rows(event, trusted)]
    if rows:
        keep(rows)
        queue.wake("inbox")
    return len(rows)


def _trusted(provider_type: str, delivery: Delivery, connection_id: int | None) -> list[Connection]:
    """The connections whose secret signed the delivery."""
    candidates = Connection.objects.everywhere().filter(type=provider_type, is_active=True)
    if connection_id is not None:
        candidates = candidates.filter(pk=connection_id)
    return [connection for connection in candidates if _verifies(connection, delivery)]


def _verifies(connection: Connection, delivery: Delivery) -> bool:
    try:
        client = client_of(connection)
        if isinstance(client, SendsWebhooks):
            client.verify(delivery)
            return True
    except (Forged, BadCredentials):
        pass
    return False


def _rows(event: Event, trusted: Sequence[Connection]) -> list[InboundEvent]:
    fitting = [c for c in trusted if not event.account or c.account in {"", event.account}]
    if not fitting:
        logger.info("webhook event for a company that is not connected: ignored")
    return [
        InboundEvent(
            connection=connection,
            event_id=event.id[:200],
            kind=event.kind.value if event.kind else "",
            remote_id=event.remote_id[:128],
            change=event.change[:40],
            at=event.at,
            due_at=clock.now(),
        )
        for connection in fitting
    ]


def process(events: Sequence[InboundEvent]) -> None:
    """Mark what these events speak of as changed, and complete them: one write per kind."""
    by_kind: dict[tuple[int, str], list[InboundEvent]] = defaultdict(list)
    for event in events:
        by_kind[event.connection_id, event.kind].append(event)
    marked = 0
    for (_, kind), same in by_kind.items():
        known, outcome = _acted(same[0].connection, kind, [event.remote_id for event in same])
        marked += known
        for event in same:
            event.outcome = outcome
    InboundEvent.complete_many(events, ["outcome"])
    if marked:
        queue.wake("connections")


def _acted(connection: Connection, kind: str, ids: Sequence[str]) -> tuple[int, str]:
    """How many links are to be fetched, and what was done, in words. A payment is news of its
    invoice, which brings it."""
    sought = Kind.INVOICE if kind == Kind.PAYMENT else Kind(kind) if kind else None
    if kind in FETCHED and issubclass(connection.provider, FetchesInvoices):
        if known := mark_stale(connection, Kind(kind), ids, clock.now()):
            return known, "marked for fetching"
    elif sought in pulled_kinds(connection.provider):
        pulls.hasten(connection, sought)
        return 0, "the catch-up brings it"
    return 0, "not ours, or not followed: ignored"
