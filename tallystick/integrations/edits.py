"""What happens to the models that are told outside, and to those they follow, and becomes work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import models
from django.db.models.signals import class_prepared, post_delete, post_save, pre_delete

from tallystick.integrations import marking, sync
from tallystick.integrations.sync import ModelSync

IGNORED_FIELDS = {"last_login"}
"""A save of nothing but these says nothing to anyone outside."""


def listen() -> None:
    """Hear of what is registered or followed, now or later."""
    for model in (*(told.model for told in sync.registered()), *sync.followed()):
        _listen(model)
    for signal in (sync.model_registered, sync.model_followed):
        signal.connect(_listen, dispatch_uid="tallystick.edits")
    class_prepared.connect(_hear, dispatch_uid="tallystick.edits")


def _listen(sender: type[models.Model], **_: object) -> None:
    """Hear of the model, of what it is a proxy of, and of all that is made of that: a signal's
    sender is the class that is saved."""
    concrete = sender._meta.concrete_model or sender
    for kin in {sender, concrete, *_descendants(concrete)}:
        _hear(kin)


def _hear(sender: type[models.Model], **_: object) -> None:
    # Not from all: who hears deletions of a model makes them slower.
    if sync.is_registered(sender):
        uid = f"tallystick.sync.{sender._meta.label}"
        post_save.connect(_saved, sender=sender, dispatch_uid=uid)
        post_delete.connect(_deleted, sender=sender, dispatch_uid=uid)
    if not set(sync.followed()).isdisjoint(sender.__mro__):
        uid = f"tallystick.sync.follows.{sender._meta.label}"
        post_save.connect(_followed_saved, sender=sender, dispatch_uid=uid)
        # Afterwards nothing leads from its followers to it.
        pre_delete.connect(_followed_deleted, sender=sender, dispatch_uid=uid)


def _descendants(model: type[models.Model]) -> Iterator[type[models.Model]]:
    for child in model.__subclasses__():
        yield child
        yield from _descendants(child)


def _saved(
    sender: type[models.Model],
    instance: models.Model,
    *,
    raw: bool = False,
    created: bool = False,
    update_fields: frozenset[str] | None = None,
    **_: object,
) -> None:
    if raw or _says_nothing(update_fields):
        return
    for told in sync.syncs_for(sender):
        _edited(told, instance, is_new=created)


def _deleted(sender: type[models.Model], instance: models.Model, **_: object) -> None:
    """What was told of is put away there, in the transaction of the deletion."""
    for told in sync.syncs_for(sender):
        marking.touch(told.label, [told.local_id(instance)])


def _followed_saved(
    instance: models.Model,
    *,
    raw: bool = False,
    created: bool = False,
    update_fields: frozenset[str] | None = None,
    **_: object,
) -> None:
    if raw or _says_nothing(update_fields):
        return
    for told, path in sync.followers_of(instance):
        if created and _is_column(told.model, path):
            continue  # what has just been made is in no column yet
        for page in _followers(told, path, instance):
            marking.mark(
                [
                    sync.target(told, obj, obj.at_connection)
                    for obj in page
                    if marking.takes(obj.at_type, told.kind) and told.wants(obj)
                ]
            )
            if away := [obj for obj in page if obj.is_known_elsewhere]:
                _put_away(told, away)


def _followed_deleted(instance: models.Model, **_: object) -> None:
    """Nothing new becomes due by it: they may be about to be deleted with it."""
    for told, path in sync.followers_of(instance):
        for page in _followers(told, path, instance):
            marking.touch(told.label, [told.local_id(obj) for obj in page])


def _followers(told: ModelSync, path: str, followed: models.Model) -> Iterator[list[Any]]:
    """The objects that follow, each once for each connection of its website, page by page: one
    query for all that is to be known of them."""
    found = told.model._base_manager.filter(**{path: followed})
    rows = told.model._base_manager.filter(pk__in=found.values("pk"))
    if way := told.website_path.rpartition("__")[0]:
        rows = rows.select_related(way)
    return marking.pages(marking.placed(rows, told.label, told.website_path))


def _edited(told: ModelSync, obj: Any, *, is_new: bool) -> None:  # noqa: ANN401 - any model
    """Due at the connections of its website, and wherever another website told of it before: there
    it is put away."""
    wanted, website_id = told.wants(obj), told.website_id(obj)
    if is_new and not wanted:
        return
    known = "" if is_new else told.local_id(obj)
    here, is_elsewhere = marking.places(told.kind, website_id, told.label, known)
    if wanted:
        marking.mark([sync.target(told, obj, pk) for pk in here])
    if is_elsewhere:
        _put_away(told, [obj])


def _put_away(told: ModelSync, objects: Sequence[Any]) -> None:
    """At the connections of the websites that they have left."""
    by_website: dict[int | None, set[str]] = defaultdict(set)
    for obj in objects:
        by_website[told.website_id(obj)].add(told.local_id(obj))
    for website_id, ids in by_website.items():
        marking.touch(told.label, list(ids), but_at=website_id)


def _is_column(model: type[models.Model], path: str) -> bool:
    """Whether the last step of the path is a column that refers to what it leads to."""
    *way, last = path.split("__")
    for step in way:
        found: Any = model._meta.get_field(step).related_model
        model = found
    return model._meta.get_field(last).concrete


def _says_nothing(update_fields: frozenset[str] | None) -> bool:
    return update_fields is not None and update_fields <= IGNORED_FIELDS
