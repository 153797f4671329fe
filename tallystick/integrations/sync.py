"""Which of our models have counterparts outside, and how an edit of one becomes work.

    @sync.register(TreatmentProduct)
    class TreatmentProductSync(ModelSync):
        kind = Kind.PRODUCT

        def to_record(self, product):
            return records.Product(key=self.key(product), ...)

From then on every save marks the object's links due, in the transaction of the save.
"""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from django.db import models
from django.db.models import F
from django.db.models.signals import post_save

from tallystick import queue
from tallystick.integrations import registry
from tallystick.integrations.connections import Connection
from tallystick.integrations.links import Link
from tallystick.ports.records import Kind, Record, RemoteInvoice
from tallystick.ports.roles import pusher_role
from tallystick.queue.clock import db_now
from tallystick.queue.rows import State

IGNORED_FIELDS = {"last_login"}
"""A save of nothing but these says nothing to anyone outside."""


class ModelSync(ABC):
    """How one model is told to the outside. `website_path` leads to the website; `follows` names
    models whose saves count as edits, with the path to them (`{User: "user"}`)."""

    kind: ClassVar[Kind]
    website_path: ClassVar[str] = "website"
    follows: ClassVar[Mapping[type[models.Model], str]] = {}
    related: ClassVar[Sequence[str]] = ()
    prefetched: ClassVar[Sequence[str]] = ()
    once: ClassVar[bool] = False
    """Sent once; an edit afterwards says nothing new (a payment)."""

    def __init__(self, model: type[models.Model]) -> None:
        self.model = model

    @property
    def label(self) -> str:
        return self.model._meta.label

    def key(self, obj: Any) -> str:  # noqa: ANN401 - any model
        """Our name for it outside: `[a-z0-9-]`, at most 50 characters, never re-used."""
        uid = getattr(obj, "uid", None)
        return f"{self.model._meta.model_name}-{uid.hex if uid else obj.pk}"[:50]

    def wants(self, obj: Any) -> bool:  # noqa: ANN401
        """Whether it is to exist outside at all (a draft is not)."""
        del obj
        return True

    @abstractmethod
    def to_record(self, obj: Any) -> Record:  # noqa: ANN401
        """The provider-neutral value. Called with `related` and `prefetched` loaded."""

    def depends(self, obj: Any) -> Iterable[models.Model]:  # noqa: ANN401
        """The objects that its record refers to."""
        del obj
        return ()

    def apply(self, link: Link, found: RemoteInvoice) -> str:
        """Bring what the provider has back to us. Answers what was done, in words."""
        del link, found
        return ""

    def website_id(self, obj: Any) -> int | None:  # noqa: ANN401
        """Whose it is: only that website's connections are told of it."""
        *way, last = self.website_path.split("__")
        for step in way:
            obj = getattr(obj, step)
        return getattr(obj, f"{last}_id", None)

    def load(self, ids: Iterable[str]) -> dict[str, Any]:
        """The objects by their id as text; ids that are gone are left out."""
        objects = self._all().filter(pk__in=list(ids))
        objects = objects.select_related(*self.related).prefetch_related(*self.prefetched)
        return {str(obj.pk): obj for obj in objects}

    def _all(self) -> models.QuerySet[Any]:
        return self.model._base_manager.all()


_registered: dict[type[models.Model], ModelSync] = {}
S = TypeVar("S", bound=type[ModelSync])


def register(model: type[models.Model]) -> Callable[[S], S]:
    """Class decorator: `model` has counterparts outside, as the class says."""

    def registered(sync_class: S) -> S:
        sync = _registered[model] = sync_class(model)
        label = f"tallystick.sync.{sync.label}"
        post_save.connect(_saved, sender=model, dispatch_uid=label)
        for followed in sync.follows:
            uid = f"{label}.{followed._meta.label}"
            post_save.connect(_followed_saved, sender=followed, dispatch_uid=uid)
        return sync_class

    return registered


def registered() -> tuple[ModelSync, ...]:
    return tuple(_registered.values())


def sync_of(label: str) -> ModelSync:
    """The registration of the model with this label (`billing.Product`)."""
    return next(sync for sync in _registered.values() if sync.label == label)


@dataclass(frozen=True, slots=True)
class Target:
    """One object at one connection."""

    sync: ModelSync
    obj: models.Model
    connection_id: int


def mark_due(objects: Sequence[models.Model], connections: Sequence[Connection]) -> int:
    """Make `objects` due at `connections`, all at once. Returns how many links that are."""
    targets = [
        Target(sync, obj, connection.pk)
        for obj in objects
        if (sync := _registered[type(obj)]).wants(obj)
        for connection in connections
        if pusher_role(connection.provider, sync.kind)
    ]
    return _mark(targets)


def _saved(
    sender: type[models.Model],
    instance: models.Model,
    *,
    raw: bool = False,
    update_fields: frozenset[str] | None = None,
    **_: object,
) -> None:
    sync = _registered[sender]
    if raw or _says_nothing(update_fields) or not sync.wants(instance):
        return
    found = Connection.objects.filter(website=sync.website_id(instance), is_active=True)
    _mark(
        [
            Target(sync, instance, pk)
            for pk, provider_type in found.values_list("pk", "type")
            if pusher_role(registry.provider_class(provider_type), sync.kind)
        ]
    )


def _followed_saved(
    sender: type[models.Model],
    instance: models.Model,
    *,
    raw: bool = False,
    created: bool = False,
    update_fields: frozenset[str] | None = None,
    **_: object,
) -> None:
    # What has just been made is followed by nothing yet: its followers' own saves mark them.
    if raw or created or _says_nothing(update_fields):
        return
    for sync in _registered.values():
        if path := sync.follows.get(sender):
            _mark(_followers(sync, path, instance))


def _followers(sync: ModelSync, path: str, followed: models.Model) -> list[Target]:
    """The objects that follow, each at each connection: one query for both."""
    at = f"{sync.website_path}__connection"
    rows = (
        sync.model._base_manager.filter(**{path: followed, f"{at}__is_active": True})
        .annotate(at_connection=F(f"{at}__pk"), at_type=F(f"{at}__type"))
        .order_by("pk")
    )
    return [
        Target(sync, obj, obj.at_connection)
        for obj in rows
        if pusher_role(registry.provider_class(obj.at_type), sync.kind) and sync.wants(obj)
    ]


def _mark(targets: Sequence[Target]) -> int:
    if not targets:
        return 0
    Link.objects.bulk_create(
        [
            Link(
                connection_id=target.connection_id,
                kind=target.sync.kind.value,
                model=target.sync.label,
                local_id=str(target.obj.pk),
                key=target.sync.key(target.obj),
                touched=uuid.uuid4(),
                state=State.DUE,
                due_at=db_now(),  # type: ignore[misc] # an expression in an INSERT
            )
            for target in targets
        ],
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["connection", "model", "local_id"],
        update_fields=["touched", "state", "due_at", "attempts"],
    )
    queue.wake("connections")
    return len(targets)


def _says_nothing(update_fields: frozenset[str] | None) -> bool:
    return update_fields is not None and update_fields <= IGNORED_FIELDS
