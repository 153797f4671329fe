"""Encrypted model fields.

A value is sealed with the newest of `FIELD_KEYS` when its row is saved and opened when it is read
from an instance. Model, column and the row's `uid` are part of the seal. `values()` and
expressions give a `Sealed`, which shows nothing; `manage.py rotate_keys` renews the seals.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

from django import forms
from django.core import checks
from django.core.exceptions import FieldDoesNotExist, FieldError
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from tallystick.kit.db.keys import keyring
from tallystick.kit.encryption import WrongKey, is_sealed
from tallystick.kit.json import plain

if TYPE_CHECKING:
    _Field = models.Field[Any, Any]
    _Text = models.TextField[str, str]
    _Json = models.Field[Mapping[str, Any], "Secrets"]
else:
    _Field, _Text, _Json = models.Field, models.TextField, models.TextField

V = TypeVar("V")

_LOOKUPS = {"exact", "isnull"}
"""What can be asked of a sealed column: whether it is empty."""


class Sealed:
    """A value as it is stored. It opens only as an attribute of its row."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return "<sealed>"


class Loaded(Sealed):
    """A sealed value from a fixture. It is stored as it came: a fixture's rows are written column
    by column, where no field sees the row that it would seal a value to."""

    __slots__ = ()


class Secrets(dict[str, Any]):
    """A dict that shows its keys but not its values when printed or logged."""

    def __repr__(self) -> str:
        return f"<secrets: {', '.join(sorted(self)) or 'none'}>"


class SealedAttribute(DeferredAttribute):
    """Opens a stored value when it is first read."""

    field: Sealing[Any]

    def __get__(self, instance: models.Model | None, cls: type | None = None) -> object:
        value = super().__get__(instance, cls)
        if type(value) is Sealed and instance is not None:
            value = instance.__dict__[self.field.attname] = self.field.open(instance, value)
        return value

    # Having a setter makes Python ask __get__ even when the instance's dict holds the name.
    def __set__(self, instance: models.Model, value: object) -> None:
        instance.__dict__[self.field.attname] = self.field.wrap(value)


class Sealing(_Field, ABC, Generic[V]):
    """What the encrypted fields share; each says how its values become bytes and come back.

    An empty value is stored as an empty text, so that rows without one can be found.
    """

    descriptor_class = SealedAttribute

    @abstractmethod
    def dump(self, value: V) -> bytes:
        """`value`, not empty, as bytes."""

    @abstractmethod
    def load(self, data: bytes) -> V:
        """The value that `dump` wrote."""

    @abstractmethod
    def wrap(self, value: object) -> object:
        """`value` as an instance keeps it."""

    def seal(self, instance: models.Model, value: V) -> str:
        """`value` as it is stored in the row of `instance`."""
        return keyring().encrypt(self.dump(value), self._context(instance)) if value else ""

    def open(self, instance: models.Model, sealed: Sealed) -> V:
        """The value in `sealed`; raises `WrongKey`."""
        try:
            return self.load(keyring().decrypt(sealed.text, self._context(instance)))
        except WrongKey as error:
            raise WrongKey(f"{self} of {self.model.__name__} {instance.pk}: {error}") from None

    def _context(self, instance: models.Model) -> bytes:
        uid = UUID(str(instance.uid))  # type: ignore[attr-defined] # check() makes sure of it
        return f"{self.model._meta.label_lower}.{self.column}:{uid.hex}".encode()

    # -- out of and into the database

    def from_db_value(self, value: str | None, *_: object) -> object:
        return Sealed(value) if value else self.wrap(value)

    def pre_save(self, model_instance: models.Model, add: bool) -> object:
        # Opening before sealing again renews old seals, and makes saving a row under a changed uid
        # an error instead of a value that nobody can open.
        value = getattr(model_instance, self.attname)
        if isinstance(value, Loaded) or not value:
            return value or ""
        return Sealed(self.seal(model_instance, value))

    def get_prep_value(self, value: object) -> str:
        if isinstance(value, Sealed):
            return value.text
        if value:
            raise FieldError(
                f"{self} is encrypted together with its row: set it on an instance and save() that. "
                "It cannot be searched, written by update(), or loaded from an unsealed fixture."
            )
        return ""

    def get_lookup(self, lookup_name: str) -> type[models.Lookup[Any]] | None:
        return super().get_lookup(lookup_name) if lookup_name in _LOOKUPS else None

    def get_transform(self, lookup_name: str) -> None:
        return None

    # -- forms and fixtures

    def clean(self, value: object, model_instance: models.Model | None) -> object:
        # Without to_python: what a person types is never taken for a sealed value.
        self.validate(value, model_instance)
        self.run_validators(value)
        return value

    def to_python(self, value: object) -> object:
        """Read a fixture's value."""
        return Loaded(value) if isinstance(value, str) and is_sealed(value) else self.wrap(value)

    def value_to_string(self, obj: models.Model) -> str:
        """What a dump holds: the sealed text."""
        return self.seal(obj, getattr(obj, self.attname))

    # -- checks

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        return [*super().check(**kwargs), *self._check_options(), *self._check_uid()]

    def _check_options(self) -> list[checks.CheckMessage]:
        if self.null or self.unique or getattr(self, "db_index", False):
            hint = "An encrypted field is empty instead of null, and cannot be indexed."
            return [
                checks.Error("null, unique, db_index: none of them.", hint, self, "tallystick.E001")
            ]
        return []

    def _check_uid(self) -> list[checks.CheckMessage]:
        try:
            if isinstance(self.model._meta.get_field("uid"), models.UUIDField):
                return []
        except FieldDoesNotExist:
            pass
        hint = "uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)"
        return [
            checks.Error("An encrypted field needs a uid beside it.", hint, self, "tallystick.E002")
        ]


class EncryptedTextField(Sealing[str], _Text):
    """Text, encrypted. In Python it is a plain `str`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", "")
        super().__init__(*args, **kwargs)

    def dump(self, value: str) -> bytes:
        return value.encode()

    def load(self, data: bytes) -> str:
        return data.decode()

    def wrap(self, value: object) -> object:
        return "" if value is None else value


class EncryptedJSONField(Sealing[Mapping[str, Any]], _Json):
    """A dict of secrets, encrypted. In Python it is a `Secrets`; no form shows it."""

    if TYPE_CHECKING:  # what the type checker's plugin takes a model's arguments from
        _pyi_private_set_type: Mapping[str, Any]
        _pyi_private_get_type: Secrets

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", Secrets)
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def dump(self, value: Mapping[str, Any]) -> bytes:
        return json.dumps(value, default=plain, ensure_ascii=False).encode()

    def load(self, data: bytes) -> Secrets:
        return Secrets(json.loads(data, object_hook=Secrets))

    def wrap(self, value: object) -> object:
        if isinstance(value, Mapping):
            return Secrets(value)
        return value or Secrets()

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        return None
