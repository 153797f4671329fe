"""How products stand at outside systems, for `check_products` and `check_sync_status`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from django.db.models import Case, IntegerField, Value, When

from tallystick.integrations import sync
from tallystick.integrations.connections import Connection
from tallystick.integrations.invoice_ninja.catalogue import links_at, objects, pages
from tallystick.integrations.invoice_ninja.states import (
    SyncStatus,
    is_in,
    is_left_out,
    status_of,
)
from tallystick.integrations.links import Link, LinkQuerySet
from tallystick.integrations.sync import ModelSync
from tallystick.kit.money import round_amount
from tallystick.ports.errors import Refused
from tallystick.ports.records import Kind, Product
from tallystick.ports.roles import pusher_role

CHUNK = 500
_NEEDED_FIRST = (SyncStatus.FAILED, SyncStatus.RETRY, SyncStatus.PENDING)


def rows(found: LinkQuerySet, most: int | None = None) -> Iterator[dict[str, object]]:
    """What there is to say of each link, in the order of `in_order`."""
    ordered = islice(in_order(found), most)
    while page := list(islice(ordered, CHUNK)):
        names = _names(page)
        for link in page:
            yield row(link, names.get((link.model, link.local_id), ""))


def row(link: Link, name: str = "") -> dict[str, object]:
    """What there is to say of a link, whose product is called `name`."""
    return {
        "model": link.model,
        "local_id": link.local_id,
        "key": link.key,
        "name": name,
        "connection": link.connection.name,
        "remote_id": link.remote_id or None,
        "sync_status": "left_out" if is_left_out(link) else status_of(link).value,
        "awaits_callback": awaits_callback(link),
        "sync_attempts": link.attempts,
        "last_sync_attempt": link.attempted_at,
        "last_error": link.last_error,
    }


def awaits_callback(link: Link) -> bool:
    """Whether a go-between has accepted it and has not told yet what became of it."""
    by_callback = link.connection.provider.by_callback
    return by_callback and bool(link.attempt_key and link.attempts) and not link.last_error


def _names(page: Sequence[Link]) -> dict[tuple[str, str], str]:
    """(Model, id) -> how the product is called; of customers only ids are told."""
    return {
        (told.label, local_id): str(obj)
        for told in sync.registered()
        if told.kind == Kind.PRODUCT
        for ids in [[link.local_id for link in page if link.model == told.label]]
        for local_id, obj in (told.load(ids) if ids else {}).items()
    }


def in_order(found: LinkQuerySet) -> Iterator[Link]:
    """What a person must look at first, then what will be tried again, what is due, what is in
    step."""
    ranks = [When(is_in(status), then=Value(rank)) for rank, status in enumerate(_NEEDED_FIRST)]
    rank = Case(*ranks, default=Value(len(ranks)), output_field=IntegerField())
    return found.alias(rank=rank).order_by("rank", "pk").iterator(chunk_size=CHUNK)


@dataclass(frozen=True)
class Catalogue:
    """The products of registered models, with a link for each connection that takes products."""

    models: Sequence[ModelSync]
    after: str = ""

    def rows(self) -> Iterator[dict[str, object]]:
        connections = _takers()
        return (
            self._row(told, obj, connections, links)
            for told in self.models
            for page in pages(objects(told), self.after or None)
            for links in [links_at(told, page, connections)]
            for obj in page
        )

    def total(self) -> int:
        return sum(told.model._base_manager.count() for told in self.models)

    def _row(
        self,
        told: ModelSync,
        obj: Any,  # noqa: ANN401 - any model
        connections: Sequence[Connection],
        links: dict[tuple[int, str], Link],
    ) -> dict[str, object]:
        website = told.website_id(obj)
        return {
            "model": told.label,
            "id": str(obj.pk),
            "key": told.key(obj),
            **_said(told, obj),
            "links": [
                _standing(connection, links.get((connection.pk, str(obj.pk))))
                for connection in connections
                if connection.website_id == website
            ],
        }


def _takers() -> list[Connection]:
    found = Connection.objects.everywhere().filter(is_active=True).order_by("pk")
    return [one for one in found if pusher_role(one.provider, Kind.PRODUCT)]


def _said(told: ModelSync, obj: Any) -> dict[str, object]:  # noqa: ANN401
    """What its record says, or why there is none."""
    try:
        record = told.to_record(obj)
    except Refused as error:
        return {"code": "", "name": str(obj), "problem": str(error)}
    assert isinstance(record, Product)  # noqa: S101 - its kind says so
    return {
        "code": record.code,
        "name": record.name,
        "price": _spelt(record),
        "currency": record.currency,
        "is_active": record.is_active,
    }


def _spelt(record: Product) -> Decimal:
    """The price with the places of its currency, or with more where it has them."""
    rounded = round_amount(record.price, record.currency)
    return rounded if rounded == record.price else record.price.normalize()


def _standing(connection: Connection, link: Link | None) -> dict[str, object]:
    return {
        "connection": connection.name,
        "type": connection.type,
        "sync_status": status_of(link).value if link else "not marked",
        "remote_id": (link.remote_id or None) if link else None,
        "last_error": link.last_error if link else "",
    }
