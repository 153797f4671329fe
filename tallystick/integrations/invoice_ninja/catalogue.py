"""Products of any registered model, page by page, each with its links."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q

from tallystick.integrations.connections import Connection
from tallystick.integrations.links import Link
from tallystick.integrations.sync import ModelSync
from tallystick.kit.db.texts import AsText
from tallystick.queue.rows import State

PAGE = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """A product and its link at one connection, if it has one."""

    obj: models.Model
    link: Link | None


def objects(told: ModelSync, website_id: int | None = None) -> models.QuerySet[Any]:
    """All of the model, or those of one website, with what their records are built of."""
    found = told.model._base_manager.select_related(*told.all_related())
    found = found.prefetch_related(*told.prefetched)
    return found if website_id is None else found.filter(**{told.website_path: website_id})


def pages(found: models.QuerySet[Any], after: object = None) -> Iterator[list[Any]]:
    """`found` by primary key, behind `after`. Memory is bounded by the page."""
    ordered = found.order_by("pk")
    while page := list((ordered.filter(pk__gt=after) if after is not None else ordered)[:PAGE]):
        yield page
        after = page[-1].pk


def links_at(
    told: ModelSync, page: Sequence[models.Model], connections: Sequence[Connection]
) -> dict[tuple[int, str], Link]:
    """(connection, id as text) -> link, in one query."""
    ids = [str(obj.pk) for obj in page]
    found = Link.objects.filter(connection__in=connections, model=told.label, local_id__in=ids)
    return {
        (link.connection_id, link.local_id): link for link in found.select_related("connection")
    }


@dataclass(frozen=True)
class Choice:
    """Which products are to be sent to one connection: those that are new or due, in the order of
    their keys, at most `count`; with `force` all. One that is named by its key is meant whatever
    its state."""

    told: ModelSync
    connection: Connection
    count: int | None = None
    product_id: str = ""
    force: bool = False

    @property
    def is_any_state(self) -> bool:
        return self.force or bool(self.product_id)

    def total(self) -> int:
        found = self._open().order_by().count()
        return found if self.count is None else min(found, self.count)

    def pages(self) -> Iterator[list[Entry]]:
        left = self.count
        for page in pages(self._open()):
            entries = [entry for entry in self._entries(page) if self._is_meant(entry)][:left]
            if entries:
                yield entries
            if left is not None and (left := left - len(entries)) <= 0:
                return

    def given_up(self) -> int:
        """How many wait for a person: they are not chosen again by themselves."""
        links = Link.objects.filter(connection=self.connection, model=self.told.label)
        return links.filter(state=State.DEAD).count()

    def _open(self) -> models.QuerySet[Any]:
        found = objects(self.told, self.connection.website_id)
        if self.product_id:
            return found.filter(pk=self.product_id)
        if self.force:
            return found
        own = Q(
            connection=self.connection,
            model=self.told.label,
            local_id=AsText(self.told.model, OuterRef("pk")),
        )
        is_new, is_due = ~Exists(Link.objects.filter(own)), Exists(Link.objects.due().filter(own))
        return found.filter(is_new | is_due)

    def _entries(self, page: Sequence[models.Model]) -> list[Entry]:
        links = links_at(self.told, page, [self.connection])
        return [Entry(obj, links.get((self.connection.pk, str(obj.pk)))) for obj in page]

    def _is_meant(self, entry: Entry) -> bool:
        if entry.link is None:
            return self.told.wants(entry.obj)
        # Where a database writes a key otherwise than we do, each seemed new to it.
        return self.is_any_state or entry.link.state not in {State.DONE, State.DEAD}
