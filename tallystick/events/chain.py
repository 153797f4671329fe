"""Sealing: the worker chains the events in batches, so that writing never waits for the chain.

An event that was committed late, with a lower id than others already sealed, is sealed after them:
the chain's order is `seal_seq`, not `id`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection, transaction

from tallystick.accounts.tenancy import TenantQuerySet
from tallystick.events.hashes import FIRST, Columns, head_mac, link_hash
from tallystick.events.models import Chain, Event

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

    from tallystick.queue import Budget

BATCH = 1000

_SEAL = """
UPDATE events_event SET seal_seq = %s, row_hash = %s, seal_hash = %s
WHERE id = %s AND seal_seq IS NULL
"""


class HeadMissing(Exception):
    """The row that the migration made, and that says how far the journal is sealed, is gone."""


def begin(model: type[Chain] = Chain, using: str | None = None) -> None:
    """The head of a chain with nothing in it, unless there is one."""
    head = {"seq": 0, "hash": FIRST, "mac": head_mac(0, FIRST)}
    model._default_manager.using(using).get_or_create(pk=1, defaults=head)


def migrate(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    begin(apps.get_model("events", "Chain"), schema_editor.connection.alias)


def unsealed() -> TenantQuerySet[Event]:
    return Event.objects.everywhere().filter(seal_seq=None)


def drain(budget: Budget) -> int:
    """Seal until nothing is unsealed; returns how many events that were."""
    sealed = 0
    while not budget.spent:
        count = seal()
        sealed += count
        if count < BATCH:
            break
    return sealed


def seal(limit: int = BATCH) -> int:
    """Seal the next events, at most `limit`; returns how many. One sealer works at a time."""
    with transaction.atomic():
        head = _locked_head()
        events = unsealed().order_by("id")
        rows = [Columns(*row) for row in events.values_list(*Columns._fields)[:limit]]
        if rows:
            _seal_rows(head, rows)
    return len(rows)


def _locked_head() -> Chain:
    head = Chain.objects.select_for_update().filter(pk=1).first()
    if head is None:
        # Beginning anew would make a journal that was emptied look whole.
        raise HeadMissing("The chain's head is missing; nothing is sealed until it is restored.")
    return head


def _seal_rows(head: Chain, rows: list[Columns]) -> None:
    values = []
    for row in rows:
        row_hash = row.hash()
        head.seq += 1
        head.hash = link_hash(head.hash, head.seq, row_hash)
        values.append((head.seq, row_hash, head.hash, row.id))
    with connection.cursor() as cursor:
        cursor.executemany(_SEAL, values)
    head.mac = head_mac(head.seq, head.hash)
    head.save()
