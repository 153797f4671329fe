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
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar, TypeVar

from django.db import models
from django.db.models import F, Q
from django.db.models.signals import post_delete, post_save
from django.dispatch import Signal

from tallystick import queue
from tallystick.accounts.websites import Website
from tallystick.integrations import details, registry
from tallystick.integrations.connections import Connection
from tallystick.integrations.links import Link
from tallystick.ports.records import Kind, Record, RemoteInvoice
from tallystick.ports.roles import pusher_role
from tallystick.queue.clock import db_now
from tallystick.queue.rows import State

IGNORED_FIELDS = {"last_login"}
"""A save of nothing but these says nothing to anyone outside."""
CHUNK = 1000
"""Objects in hand and links written at once: an edit may be followed by all that a site has."""


Places = Mapping[str, Sequence[str]]
"""What objects go by -> their ids as text."""


class CannotApply(Exception):
    """What was found cannot be taken over; the message says why and what to do."""


class ModelSync(ABC):
    """How one model is told to the outside. `website_path` leads to the website; `follows` names
    models whose saves count as edits, with the path to them (`{User: "user"}`)."""

    kind: ClassVar[Kind]
    website_path: ClassVar[str] = "website"
    follows: ClassVar[Mapping[type[models.Model], str]] = {}
    related: ClassVar[Sequence[str]] = ()
    prefetched: ClassVar[Sequence[str]] = ()
    tells: ClassVar[Collection[str]] = ()
    """Details in its records that do not come from `details`: they can be chosen for a field."""
    once: ClassVar[bool] = False
    """Sent once; an edit afterwards says nothing new (a payment)."""
    wanted: ClassVar[Q] = Q()
    """What of `wants` the database can say: the rest is never looked at when missing ones are
    sought."""

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

    def lookup(self, by: str, values: Collection[str], website_id: int) -> Places:
        """Which objects of the website go by `values`, in a number of queries that does not grow with
        theirs. `by`: key, local_id (a number that a person noted there), code or email (in lower
        case). Value -> ids."""
        del by, values, website_id
        return {}

    def take(self, obj: Any, found: Any) -> list[str]:  # noqa: ANN401
        """Write what the provider has of a customer or product into `obj`, and save it; the names of
        the fields that changed. Raises `CannotApply`."""
        del obj, found
        raise CannotApply(
            "What it says there cannot be taken over: it has no way to write it here."
        )

    def make(self, found: Any, website: Website, choice: str) -> models.Model:  # noqa: ANN401
        """A new object here of what the provider has; `choice` is one of `RemoteRecord.Choice`.
        Raises `CannotApply`."""
        del found, website, choice
        raise CannotApply("No such object can be made here.")

    def website_id(self, obj: Any) -> int | None:  # noqa: ANN401
        """Whose it is: only that website's connections are told of it."""
        *way, last = self.website_path.split("__")
        for step in way:
            obj = getattr(obj, step)
        return getattr(obj, f"{last}_id", None)

    def load(self, ids: Iterable[str]) -> dict[str, Any]:
        """The objects by their id as text; ids that are gone are left out."""
        objects = self._all().filter(pk__in=list(ids))
        objects = objects.select_related(*self.all_related()).prefetch_related(*self.prefetched)
        return {str(obj.pk): obj for obj in objects}

    def all_related(self) -> Sequence[str]:
        """What is loaded with each object: `related`, and what can only be said later."""
        return self.related

    def _all(self) -> models.QuerySet[Any]:
        return self.model._base_manager.all()


model_registered = Signal()
"""Sent with the model when it has got counterparts outside."""
_followers_of: dict[type[models.Model], dict[type[models.Model], str]] = {}
_registered: dict[type[models.Model], ModelSync] = {}
S = TypeVar("S", bound=type[ModelSync])


def register(model: type[models.Model]) -> Callable[[S], S]:
    """Class decorator: `model` has counterparts outside, as the class says."""

    def registered(sync_class: S) -> S:
        sync = _registered[model] = sync_class(model)
        details.tell(sync.kind, sync.tells)
        label = f"tallystick.sync.{sync.label}"
        post_save.connect(_saved, sender=model, dispatch_uid=label)
        post_delete.connect(_deleted, sender=model, dispatch_uid=label)
        for followed, path in sync.follows.items():
            follow(followed, told_as=model, path=path)
        model_registered.send(sender=model)
        return sync_class

    return registered


def follow(followed: type[models.Model], *, told_as: type[models.Model], path: str) -> None:
    """Saves of `followed` count as edits of `told_as`, which is registered by then or later; `path`
    leads from that to it (`user__profile`): for what a host's mapping reads from elsewhere."""
    _followers_of.setdefault(followed, {})[told_as] = path
    uid = f"tallystick.sync.follows.{followed._meta.label}"
    post_save.connect(_followed_saved, sender=followed, dispatch_uid=uid)


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


def _deleted(sender: type[models.Model], instance: models.Model, **_: object) -> None:
    """What was told of is put away there, in the transaction of the deletion."""
    told = Link.objects.filter(model=sender._meta.label, local_id=str(instance.pk))
    if told.touch():
        queue.wake("connections")


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
    for model, path in _followers_of[sender].items():
        if sync := _registered.get(model):
            targets = _followers(sync, path, instance)
            while part := list(islice(targets, CHUNK)):
                _mark(part)


def _followers(sync: ModelSync, path: str, followed: models.Model) -> Iterator[Target]:
    """The objects that follow, each at each connection: one query for both."""
    at = f"{sync.website_path}__connection"
    rows = (
        sync.model._base_manager.filter(**{path: followed, f"{at}__is_active": True})
        .annotate(at_connection=F(f"{at}__pk"), at_type=F(f"{at}__type"))
        .order_by("pk")
    )
    for obj in rows.iterator(chunk_size=CHUNK):
        if pusher_role(registry.provider_class(obj.at_type), sync.kind) and sync.wants(obj):
            yield Target(sync, obj, obj.at_connection)


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
        batch_size=CHUNK,
        update_conflicts=True,
        unique_fields=["connection", "model", "local_id"],
        update_fields=["touched", "state", "due_at", "attempts"],
    )
    queue.wake("connections")
    return len(targets)


def _says_nothing(update_fields: frozenset[str] | None) -> bool:
    return update_fields is not None and update_fields <= IGNORED_FIELDS
