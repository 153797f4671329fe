"""Sweeping: what should have a counterpart and was never marked: `bulk_create`, `update`, an import.

Every hour, for the customers and products of each website. Invoices and payments are left alone: what
is older than a connection may have been entered there by hand, and would be entered twice; to send
those too is said by `manage.py sync --all`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from django.db.models import Exists, OuterRef

from tallystick.accounts.receivers import open_missing
from tallystick.integrations import pulls, sync
from tallystick.integrations.connections import WORKING, Connection
from tallystick.integrations.links import Link
from tallystick.integrations.pulls import Pull
from tallystick.integrations.remote_records import RemoteRecord
from tallystick.kit.db.texts import AsText
from tallystick.ports.records import Kind
from tallystick.ports.roles import pulled_kinds, pusher_role
from tallystick.queue.models import Schedule

ROUTINE = "missing-links"
SWEPT = (Kind.CUSTOMER, Kind.PRODUCT)
PAGE = 1000


def hasten() -> None:
    """Sweep now, and not only within the hour: a connection is new, or all that is there is known."""
    Schedule.hasten(ROUTINE)


def sweep() -> int:
    """See to all working connections; returns how many objects were marked. Clients whose account
    was never opened get theirs first, and are marked by that."""
    count = open_missing()
    for connection in Connection.objects.everywhere().filter(WORKING).order_by("pk"):
        pulls.ensure(connection)
        count += mark_missing(connection)
    return count


def mark_missing(connection: Connection, kinds: Collection[Kind] = SWEPT) -> int:
    """Mark what has no link at `connection`, page by page, each its own transaction: a run that is
    killed is gone on with by the next. Returns how many. Where existing ones are brought over from
    there, not before all are known, and not what is proposed to be one of them."""
    count = 0
    for told in sync.registered():
        if told.kind in kinds and pusher_role(connection.provider, told.kind):
            if not _is_known(connection, told.kind):
                continue
            for page in _missing(connection, told):
                count += sync.mark_due(page, [connection])
    return count


def _is_known(connection: Connection, kind: Kind) -> bool:
    """Whether all that is there has been seen once."""
    if kind not in pulled_kinds(connection.provider):
        return True
    finished = Pull.objects.filter(connection=connection, data_type=kind.value)
    return finished.exclude(completed_at=None).exists()


def _missing(connection: Connection, told: sync.ModelSync) -> Iterator[list[Any]]:
    """By the unique index of links: one look per object of the website."""
    own = OuterRef("id_as_text")
    linked = Link.objects.filter(connection=connection, model=told.label, local_id=own)
    asked = RemoteRecord.objects.filter(
        connection=connection,
        model=told.label,
        local_id=own,
        match__in=[RemoteRecord.Match.PROPOSED, RemoteRecord.Match.ACCEPTED],
    )
    objects = told.model._base_manager.filter(
        told.wanted, **{told.website_path: connection.website_id}
    ).annotate(id_as_text=AsText(told.model))
    missing = objects.filter(~Exists(linked), ~Exists(asked)).order_by("pk")
    last: Any = None
    while page := list((missing.filter(pk__gt=last) if last is not None else missing)[:PAGE]):
        last = page[-1].pk
        yield page
