"""Which of our models have counterparts outside, and how an edit of one becomes work.

    @sync.register(TreatmentProduct)
    class TreatmentProductSync(ModelSync):
        kind = Kind.PRODUCT

        def to_record(self, product):
            return records.Product(key=self.key(product), ...)

From then on every save marks the object's links due, in the transaction of the save.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.db import models
from django.db.models import Q
from django.dispatch import Signal

from tallystick.accounts.websites import Website
from tallystick.integrations import details, marking
from tallystick.integrations.connections import Connection
from tallystick.integrations.marking import Target
from tallystick.ports.records import Kind, Record, RemoteInvoice
from tallystick.ports.roles import pusher_role

if TYPE_CHECKING:
    from tallystick.integrations.links import Link

Places = Mapping[str, Sequence[str]]
"""What objects go by -> their ids as text."""


class NotRegistered(LookupError):
    """Nothing here tells of this model outside."""


class CannotApply(Exception):
    """What was found cannot be taken over; the message says why and what to do."""


class ModelSync(ABC):
    """How one model is told to the outside. `website_path` leads to the website; `follows` names
    models whose saves and deletions count as edits, with the path to them (`{User: "user"}`)."""

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
        return marking.key(self.label, getattr(obj, "uid", None) or self.local_id(obj))

    def local_id(self, obj: Any) -> str:  # noqa: ANN401
        """Its primary key as text; of a child by multi-table inheritance the parent's."""
        return str(getattr(obj, self.model._meta.pk.attname))

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
model_followed = Signal()
"""Sent with the model whose edits count as edits of another."""
# Both by the concrete model: a proxy's saves are those of what it is a proxy of.
_followers_of: dict[type[models.Model], dict[type[models.Model], str]] = {}
_registered: dict[type[models.Model], ModelSync] = {}
S = TypeVar("S", bound=type[ModelSync])


def register(model: type[models.Model]) -> Callable[[S], S]:
    """Class decorator: `model` has counterparts outside, as the class says."""

    def registered(sync_class: S) -> S:
        sync = _registered[_concrete(model)] = sync_class(model)
        details.tell(sync.kind, sync.tells)
        for followed, path in sync.follows.items():
            follow(followed, told_as=model, path=path)
        model_registered.send(sender=model)
        return sync_class

    return registered


def follow(followed: type[models.Model], *, told_as: type[models.Model], path: str) -> None:
    """Saves and deletions of `followed` count as edits of `told_as`, which is registered by then or
    later; `path` leads from that to it (`user__profile`): for what a host's mapping reads from
    elsewhere."""
    _followers_of.setdefault(_concrete(followed), {})[_concrete(told_as)] = path
    model_followed.send(sender=followed)


def registered() -> tuple[ModelSync, ...]:
    return tuple(_registered.values())


def by_label() -> dict[str, ModelSync]:
    """The registrations by their models' labels (`billing.Product`)."""
    return {sync.label: sync for sync in _registered.values()}


def sync_of(label: str) -> ModelSync:
    """The registration of the model with this label. Raises `NotRegistered`."""
    if sync := by_label().get(label):
        return sync
    raise NotRegistered(f"Nothing here tells of {label} any more.")


def sync_for(model: type[models.Model]) -> ModelSync:
    """The registration of `model`, of what it is a proxy of, or of its nearest parent. Raises
    `NotRegistered`."""
    for sync in syncs_for(model):
        return sync
    raise NotRegistered(f"Nothing here tells of {model._meta.label}.")


def is_registered(model: type[models.Model]) -> bool:
    """Whether `sync_for` knows it."""
    return any(syncs_for(model))


def followed() -> tuple[type[models.Model], ...]:
    return tuple(_followers_of)


def followers_of(obj: models.Model) -> Iterator[tuple[ModelSync, str]]:
    """The registrations whose objects tell of `obj`, each with the path that leads to it."""
    for kin in type(obj).__mro__:
        for model, path in _followers_of.get(kin, {}).items():
            if sync := _registered.get(model):
                yield sync, path


def mark_due(objects: Sequence[models.Model], connections: Sequence[Connection]) -> int:
    """Make `objects` due at `connections`, all at once. Returns how many links that are. Raises
    `NotRegistered`."""
    return marking.mark(
        [
            target(sync, obj, connection.pk)
            for obj in objects
            if (sync := sync_for(type(obj))).wants(obj)
            for connection in connections
            if pusher_role(connection.provider, sync.kind)
        ]
    )


def target(sync: ModelSync, obj: models.Model, connection_id: int) -> Target:
    """What a link of `obj` says."""
    return Target(connection_id, sync.kind, sync.label, sync.local_id(obj), sync.key(obj))


def syncs_for(model: type[models.Model]) -> Iterator[ModelSync]:
    """Of itself and of its parents, whose rows are saved with it; the nearest first."""
    return (_registered[kin] for kin in model.__mro__ if kin in _registered)


def _concrete(model: type[models.Model]) -> type[models.Model]:
    return model._meta.concrete_model or model
