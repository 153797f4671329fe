"""The form of what goes into which field: a choice for each field of a connection's provider."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from tallystick.integrations import fields, sources
from tallystick.integrations.connections import Connection
from tallystick.ports.fields import Field
from tallystick.ports.records import Kind

USUAL, NOTHING = "", "-"


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the page: `choice` is None where there is none; `example` what it would say, None
    where it is left alone."""

    row: fields.Row
    choice: forms.BoundField | None
    example: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """The fields of one kind."""

    kind: Kind
    title: str
    lines: list[Line]
    example: fields.Example | None
    is_fixed: bool


class FieldsForm(forms.Form):
    """`fixed` are settings that are not to be changed here."""

    def __init__(
        self, connection: Connection, *, data: QueryDict | None = None, fixed: Collection[str] = ()
    ) -> None:
        super().__init__(data, auto_id="id_%s")
        self.connection, self.fixed = connection, fixed
        provider = fields.maps_fields(connection)
        self.settings = dict(provider.field_settings) if provider else {}
        self._rows = {kind: fields.rows(connection, kind) for kind in self.settings}
        for kind, rows in self._rows.items():
            for row in rows:
                if not row.field.is_fixed:
                    self.fields[_name(kind, row.field)] = self._choice(kind, row)

    def chosen(self) -> dict[str, dict[str, str]]:
        """Setting -> field -> source, of a valid form: as it is to be stored."""
        found: dict[str, dict[str, str]] = {}
        for kind, setting in self.settings.items():
            pairs = [
                (row.field.name, self.cleaned_data[_name(kind, row.field)])
                for row in self._rows[kind]
                if not row.field.is_fixed
            ]
            found[setting] = {
                name: "" if source == NOTHING else source
                for name, source in pairs
                if source != USUAL
            }
        return found

    def groups(self, examples: Mapping[Kind, fields.Example | None]) -> Iterator[Group]:
        for kind, rows in self._rows.items():
            said = examples.get(kind)
            lines = [
                Line(
                    row,
                    None if row.field.is_fixed else self[_name(kind, row.field)],
                    said.said.get(row.field.name) if said else None,
                )
                for row in rows
            ]
            yield Group(kind, _title(kind), lines, said, self.settings[kind] in self.fixed)

    def _choice(self, kind: Kind, row: fields.Row) -> forms.ChoiceField:
        given = fields.chosen(self.connection, kind).get(row.field.name, USUAL)
        initial = NOTHING if not given and not row.is_usual else given
        return forms.ChoiceField(
            label=f"{row.title} ({row.field.name})",
            required=False,
            choices=_choices(kind, row.field),
            initial=initial,
            disabled=self.settings[kind] in self.fixed,
            error_messages={
                "invalid_choice": _("%(field)s: there is no “%(value)s” to go into it.")
                % {"field": row.field.name, "value": "%(value)s"}
            },
        )


def _choices(kind: Kind, of: Field) -> list[tuple[str, Any]]:
    usual = of.usual and _(of.usual)
    first = [(USUAL, _("As usual: %s") % usual), (NOTHING, _("Nothing: leave it alone"))]
    if not usual:
        first = [(USUAL, _("Nothing: leave it alone"))]
    attributes, details = sources.attributes_of(kind), sources.details_of(kind)
    return [
        *first,
        (_("What every one has"), _sorted(attributes)),
        (_("Details"), _sorted(details)),
    ]


def _sorted(words: Mapping[str, str]) -> list[tuple[str, str]]:
    named = [(name, capfirst(text)) for name, text in words.items()]
    return sorted(named, key=lambda pair: pair[1].casefold())


def _name(kind: Kind, of: Field) -> str:
    return f"{kind.value}-{of.name}"


def _title(kind: Kind) -> str:
    return {Kind.CUSTOMER: _("Customers"), Kind.PRODUCT: _("Products")}.get(kind, kind.value)
