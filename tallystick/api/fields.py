"""Fields and serializers that take what they declare and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import islice
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tallystick.kit.json import plain
from tallystick.kit.money import BadAmount, parse_amount

_UNKNOWN = "There is no such field. There are: {names}."
_NONE = object()
_MOST_NAMED = 100
"""Of fifty thousand wrong names nobody reads the last."""
_READ_ONLY = "This cannot be set; leave it out."


@extend_schema_field(
    {"type": "string", "pattern": r"^-?\d{1,15}(\.\d{1,4})?$", "examples": ["1190.00"]}
)
class AmountField(serializers.Field[Decimal, Any, str, Any]):
    """An exact number, as text: "1190.00"."""

    def to_internal_value(self, data: object) -> Decimal:
        if isinstance(data, bool) or not isinstance(data, str | int | Decimal):
            raise serializers.ValidationError('Write an amount as text, such as "1190.00".')
        try:
            return parse_amount(data)
        except BadAmount as error:
            raise serializers.ValidationError(str(error)) from None

    def to_representation(self, value: Any) -> str:  # noqa: ANN401 - as the base class
        return plain(value)


class Strict(serializers.Serializer[Any]):
    """A name that is not declared is refused; so is one that is read only, unless what is sent for
    it is what it says already: what was read can be changed in places and sent back whole.

    `present`, in the context, is what it says already."""

    def to_internal_value(self, data: Any) -> Any:  # noqa: ANN401 - whatever was sent
        if isinstance(data, Mapping):
            self._refuse_others(data)
        return super().to_internal_value(data)

    def _refuse_others(self, data: Mapping[str, Any]) -> None:
        writable = [name for name, field in self.fields.items() if not field.read_only]
        others = {name: value for name, value in data.items() if name not in writable}
        present = self._present()
        if not others or any(
            all(each.get(name, _NONE) == value for name, value in others.items())
            for each in present
        ):
            return
        known = set().union(*present, self.fields)
        changed = (
            name
            for name, value in others.items()
            if not any(name in each and each[name] == value for each in present)
        )
        faults = {
            name: [
                serializers.ErrorDetail(_READ_ONLY, code="read_only")
                if name in known
                else serializers.ErrorDetail(_UNKNOWN.format(names=", ".join(writable)), "unknown")
            ]
            for name in islice(changed, _MOST_NAMED)
        }
        if faults:
            raise serializers.ValidationError(faults)

    def _present(self) -> list[Mapping[str, Any]]:
        """What is there already; of an item of a list, what any of the items there are says."""
        present = self.root.context.get("present", {})
        if self is self.root:
            return [present] if present else []
        listed = present.get(getattr(self.parent, "field_name", None) or "", [])
        return [each for each in listed if isinstance(each, Mapping)]


class Choice(serializers.ChoiceField):
    """One of a few words; anything else, of whatever type, is refused."""

    def to_internal_value(self, data: Any) -> Any:  # noqa: ANN401 - whatever was sent
        if not isinstance(data, str) or data not in self.choices:
            # What is no character of any text, such as half a surrogate pair, has no bytes to answer.
            shown = str(data)[:40].encode("utf-8", "replace").decode()
            self.fail("invalid_choice", input=shown)
        return super().to_internal_value(data)


@extend_schema_field(OpenApiTypes.BOOL)
class Flag(serializers.BooleanField):
    """true or false, and not what merely looks like it."""

    def to_internal_value(self, data: Any) -> bool:  # noqa: ANN401 - whatever was sent
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Text(serializers.CharField):
    """A string, and not a number that could be written as one."""

    def to_internal_value(self, data: Any) -> str:  # noqa: ANN401 - whatever was sent
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)
