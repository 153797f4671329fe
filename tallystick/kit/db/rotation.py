"""Renewing the seals of encrypted fields under the newest key, while others write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models, transaction

from tallystick.kit.db.fields import Sealed, Sealing
from tallystick.kit.db.keys import keyring
from tallystick.kit.encryption import WrongKey


@dataclass(slots=True)
class Tally:
    """What one pass over one model found."""

    seen: int = 0
    renewed: int = 0
    overtaken: int = 0
    """Rows that somebody else wrote in the meantime."""
    unreadable: int = 0
    complaint: str = ""
    """The first reason why a row could not be read."""


ELSEWHERE: dict[str, Callable[[bool], Tally]] = {}
"""What is sealed but kept in no field of ours, by its label: each renews, if told to write, and
tells what it found."""


def sealed_models() -> list[type[models.Model]]:
    """The models that have encrypted fields."""
    return [model for model in apps.get_models() if sealed_fields(model) and not model._meta.proxy]


def sealed_fields(model: type[models.Model]) -> list[Sealing[Any]]:
    return [field for field in model._meta.concrete_fields if isinstance(field, Sealing)]


def renew(
    model: type[models.Model], *, batch_size: int = 500, write: bool = True
) -> Iterator[Tally]:
    """Renew the seals of `model`'s rows; gives the tally so far after each batch.

    Without `write`, counts what there would be to do.
    """
    tally, last = Tally(), None
    names = ["pk", "uid", *(field.attname for field in sealed_fields(model))]
    rows = model._base_manager.only(*names).order_by("pk")
    while batch := list((rows if last is None else rows.filter(pk__gt=last))[:batch_size]):
        with transaction.atomic():
            for row in batch:
                _renew_row(row, tally, write=write)
        last = batch[-1].pk
        yield tally


def _renew_row(row: models.Model, tally: Tally, *, write: bool) -> None:
    tally.seen += 1
    old = _old_seals(row)
    if not old:
        return
    try:
        new = {field: field.seal(row, field.open(row, sealed)) for field, sealed in old.items()}
    except WrongKey as error:
        tally.unreadable += 1
        tally.complaint = tally.complaint or str(error)
        return
    if write and not _replace(row, old, new):
        tally.overtaken += 1
        return
    tally.renewed += 1


def _old_seals(row: models.Model) -> dict[Sealing[Any], Sealed]:
    kept = {field: row.__dict__.get(field.attname) for field in sealed_fields(type(row))}
    return {
        field: value
        for field, value in kept.items()
        if isinstance(value, Sealed) and keyring().needs_rotation(value.text)
    }


def _replace(
    row: models.Model, old: dict[Sealing[Any], Sealed], new: dict[Sealing[Any], str]
) -> bool:
    """Write the new seals if the row still has the old ones; whether it had."""
    unchanged = type(row)._base_manager.filter(
        pk=row.pk, **{field.attname: value for field, value in old.items()}
    )
    return bool(unchanged.update(**{field.attname: Sealed(text) for field, text in new.items()}))
