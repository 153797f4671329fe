"""What may be sent. The go-between is somebody's workflow: what it says besides is let be; what it
says wrongly is named. Of staff, a name that there is not is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError as Unfit
from django.core.validators import RegexValidator
from django.db import models
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from tallystick.api.fields import Choice, Flag, Strict, Text
from tallystick.api.problems import each_fault
from tallystick.integrations.invoice_ninja.callbacks import LONGEST_ID, Callback
from tallystick.integrations.invoice_ninja.states import SyncStatus

S = serializers
MOST = 1000
_WHOLE = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_LARGEST = 2**63 - 1


def whole_number(data: object) -> int:
    """`data`, or the number that it spells: workflows read our ids back from texts. Raises
    `ValidationError`."""
    if isinstance(data, str) and _WHOLE.fullmatch(data):
        data = int(data)
    if isinstance(data, bool) or not isinstance(data, int) or not 0 < data <= _LARGEST:
        raise ValidationError("Write a whole number above zero.")
    return data


@extend_schema_field(OpenApiTypes.INT64)
class UserId(S.Field[Any, Any, Any, Any]):
    """The primary key of a user, of whatever type the host's model has."""

    def to_internal_value(self, data: object) -> Any:  # noqa: ANN401 - of the host's type
        key = get_user_model()._meta.pk
        if isinstance(key, models.IntegerField):
            return whole_number(data)
        try:
            return key.to_python(Text(max_length=64).run_validation(data))
        except Unfit:
            raise ValidationError("That is not how ids of users are written here.") from None

    def to_representation(self, value: Any) -> Any:  # noqa: ANN401 - of the host's type
        return value


@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string", "maxLength": 64}]})
class ProductId(S.Field[str, Any, Any, str]):
    """The primary key of a product, of whatever model; as text."""

    def to_internal_value(self, data: object) -> str:
        if isinstance(data, str):
            return str(Text(max_length=64).run_validation(data))
        return str(whole_number(data))

    def to_representation(self, value: str) -> str:
        return value


def remote_id() -> Text:
    """An id at Invoice Ninja: short hashed text."""
    readable = RegexValidator(r"\A[A-Za-z0-9_.:-]+\Z", "Letters, digits and _ . : - only.")
    return Text(
        required=False,
        allow_null=True,
        allow_blank=True,
        max_length=LONGEST_ID,
        validators=[readable],
        help_text="Needed when `success` is true.",
    )


class Words(Text):
    """Free text: a number is taken for what it spells, as workflows pass on what they are told."""

    def to_internal_value(self, data: object) -> str:
        is_number = isinstance(data, int | float | Decimal) and not isinstance(data, bool)
        return str(super().to_internal_value(str(data) if is_number else data))


def words(longest: int | None = None, help_text: str = "") -> Text:
    return Words(
        required=False,
        allow_null=True,
        allow_blank=True,
        max_length=longest,
        help_text=help_text,
    )


class Told(S.Serializer[Any]):
    """What is common to both callbacks. `id_name` is that of Invoice Ninja's id."""

    id_name = ""

    success = Flag()
    message = words(help_text="Kept with the user or product, shortened.")
    retry = Flag(
        required=False, allow_null=True, help_text="Whether it is worth another try. Default: no."
    )
    timestamp = S.DateTimeField(required=False, allow_null=True, input_formats=["iso-8601"])
    delivery_id = words(120, "Of the delivery that it is about.")
    key = words(50, "As in the delivery.")

    def validate(self, attrs: Any) -> Any:  # noqa: ANN401 - what the fields say
        if attrs["success"] and not attrs.get(self.id_name):
            raise ValidationError(
                {self.id_name: [ErrorDetail("It is needed when `success` is true.", "required")]}
            )
        return attrs

    @classmethod
    def callback(cls, said: Mapping[str, Any]) -> Callback:
        """Of what was valid."""
        return Callback(
            success=said["success"],
            remote_id=said.get(cls.id_name) or "",
            message=said.get("message") or said.get("error") or "",
            retry=bool(said.get("retry")),
            delivery_id=said.get("delivery_id") or "",
            at=said.get("timestamp"),
        )


class ClientCreated(Told):
    id_name = "invoice_ninja_client_id"

    django_user_id = UserId()
    invoice_ninja_client_id = remote_id()


class ProductCreated(Told):
    id_name = "invoice_ninja_product_id"

    django_product_id = ProductId(required=False, allow_null=True)
    invoice_ninja_product_id = remote_id()

    def validate(self, attrs: Any) -> Any:  # noqa: ANN401 - what the fields say
        if not attrs.get("django_product_id") and not attrs.get("key"):
            words = "Name the product, by this or by its `key`."
            raise ValidationError({"django_product_id": [ErrorDetail(words, "required")]})
        return super().validate(attrs)


class Result(ClientCreated):
    """One of many: as in client-created."""

    error = words(help_text="What `message` is there.")


@extend_schema_field(Result(many=True))
class Results(S.ListField):
    """Read one by one: a bad one does not spoil the others."""


class Anything(S.Field[Any, Any, Any, Any]):
    def to_internal_value(self, data: Any) -> Any:  # noqa: ANN401 - whatever was sent
        return data

    def to_representation(self, value: Any) -> Any:  # noqa: ANN401
        return value


class BulkResults(S.Serializer[Any]):
    batch_id = words(200)
    results = Results(child=Anything(allow_null=True), min_length=1, max_length=MOST)


class BulkRetry(Strict):
    """Whom to make due: those named, or all of a status."""

    user_ids = S.ListField(child=UserId(), min_length=1, max_length=MOST, required=False)
    status = Choice(SyncStatus.choices, required=False)
    force = Flag(required=False, default=False, help_text="Also those that are in step.")

    def validate(self, attrs: Any) -> Any:  # noqa: ANN401 - what the fields say
        if ("user_ids" in attrs) == ("status" in attrs):
            raise ValidationError({"user_ids": ["Send either `user_ids` or `status`."]})
        if attrs.get("status") == SyncStatus.SYNCED and not attrs["force"]:
            raise ValidationError({"force": ["Those in step are sent again only with `force`."]})
        return attrs


BULK = PolymorphicProxySerializer(
    "BulkSync", [BulkResults, BulkRetry], resource_type_field_name=None
)


class Retry(Strict):
    force = Flag(required=False, default=False, help_text="Also when it is in step.")


def read(schema: type[S.Serializer[Any]], data: object) -> Any:  # noqa: ANN401 - the serializer
    """`data` by `schema`, whose fields are as declared. Raises `ValidationError`."""
    serializer: Any = schema(data=data, context={"present": {}})
    serializer.is_valid(raise_exception=True)
    return serializer


def read_each(schema: type[S.Serializer[Any]], items: Iterable[object]) -> Iterator[Any]:
    """What is valid of each of `items`, or the `ValidationError`: the fields are made once."""
    serializer: Any = schema(context={"present": {}})
    for item in items:
        try:
            yield serializer.run_validation(item)
        except ValidationError as error:
            yield error


def fault(error: ValidationError) -> dict[str, str]:
    """The field that is wrong first, and why."""
    first = next(each_fault(error))
    return {"field": first["pointer"].lstrip("/"), "error": first["detail"]}
