"""Fields: what goes into which field at a provider, where that is for the connection to choose."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from tallystick.ports.records import Kind, Record


@dataclass(frozen=True, slots=True)
class Field:
    """`name` is the provider's own, `label` what its pages call it. `usual`: what goes into it where
    nothing else is chosen, in words; empty: nothing does. `is_fixed`: not for choosing. `holds`: the attribute that is read from it, by a path
    with dots."""

    name: str
    label: str
    usual: str = ""
    is_fixed: bool = False
    holds: str = ""


FieldLabels = Mapping[Kind, Mapping[str, str]]
"""Kind -> field -> what the company calls it."""


class MapsFields(ABC):
    """Each of `field_settings` maps the name of a field to what goes into it: a detail or an attribute
    of the record, a path with dots to one of its values; empty: the field is left alone."""

    field_settings: ClassVar[Mapping[Kind, str]]

    @classmethod
    @abstractmethod
    def fields(cls, kind: Kind) -> Sequence[Field]:
        """All that a record of `kind` fills, in the order of the provider's own page."""

    @classmethod
    @abstractmethod
    def said(cls, record: Record, settings: Any) -> Mapping[str, str]:  # noqa: ANN401 - as `Provider`
        """What a push of `record` writes into which of `fields`; what it leaves alone is left out.
        Asks nobody. Raises `Refused` as the push would."""

    @abstractmethod
    def field_labels(self) -> FieldLabels:
        """What the company calls the fields that it may name itself."""
