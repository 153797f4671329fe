"""Which of our values goes into which field at a connection, shown with one of each kind as it would
be sent; and what is to be sent anew when that is changed."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from tallystick import queue
from tallystick.integrations import sources, sync
from tallystick.integrations.connections import Connection
from tallystick.integrations.links import Link
from tallystick.ports.errors import Refused
from tallystick.ports.fields import Field, MapsFields
from tallystick.ports.provider import Settings
from tallystick.ports.records import Customer, Kind, Product, Record
from tallystick.queue.reasons import trace_of

logger = logging.getLogger(__name__)
T = TypeVar("T")

Chosen = Mapping[str, str]
"""Field -> source; empty: the field is left alone. What is not in it is as usual."""


@dataclass(frozen=True, slots=True)
class Example:
    """One of a kind, as it would be sent. `error`: why it would not be."""

    name: str = ""
    said: Mapping[str, str] = field(default_factory=dict)
    remark: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One field. `own`: the company's label; `source` is in words, `is_usual` where nothing is chosen."""

    field: Field
    own: str
    source: str
    is_usual: bool

    @property
    def title(self) -> str:
        return self.own or self.field.label


def maps_fields(connection: Connection) -> type[MapsFields] | None:
    """Its provider, where there is something to choose."""
    return connection.provider if issubclass(connection.provider, MapsFields) else None


def chosen(connection: Connection, kind: Kind) -> Chosen:
    provider = maps_fields(connection)
    found = connection.custom_data.get(provider.field_settings[kind]) if provider else None
    return found if isinstance(found, dict) else {}


def fields_of(connection: Connection, kind: Kind) -> list[Field]:
    """The provider's, and others that somebody has chosen for by their names."""
    provider = maps_fields(connection)
    known = list(provider.fields(kind)) if provider else []
    names = {each.name for each in known}
    return known + [Field(name, name) for name in chosen(connection, kind) if name not in names]


def rows(connection: Connection, kind: Kind) -> list[Row]:
    own, given = connection.field_labels.get(kind.value, {}), chosen(connection, kind)
    known = {**sources.attributes_of(kind), **sources.details_of(kind)}
    return [
        Row(each, own.get(each.name, ""), _in_words(each, given, known), each.name not in given)
        for each in fields_of(connection, kind)
    ]


def _in_words(each: Field, given: Chosen, known: Mapping[str, str]) -> str:
    if each.name not in given:
        return capfirst(_(each.usual)) if each.usual else _("Nothing")
    source = given[each.name]
    return capfirst(known.get(source, source)) if source else _("Nothing: it is left alone")


# -- an example


def example(connection: Connection, kind: Kind, settings: Settings) -> Example | None:
    """One of the website's as `settings` would have it sent: the last that was told of, else the
    newest. None where there is none. A number of queries that does not grow."""
    found = _one(connection, kind)
    if found is None or not issubclass(connection.provider, MapsFields):
        return None
    told, obj, remark = found
    try:
        record = told.to_record(obj).told(connection.provider.reads_with(settings))
        said = connection.provider.said(record, settings)
    except Refused as why:
        return Example(str(obj), error=str(why))
    except Exception as error:  # noqa: BLE001 - a host's mapping may raise anything
        # Its push says so on the link.
        logger.error(  # noqa: TRY400 - its message may hold what a log must not
            "%s %s: the record could not be built: %s", told.label, obj.pk, trace_of(error)
        )
        return Example(str(obj), error=_("Its mapping failed: %s.") % type(error).__name__)
    return Example(str(obj), said, remark)


def _one(connection: Connection, kind: Kind) -> tuple[sync.ModelSync, Any, str] | None:
    links = Link.objects.filter(connection=connection, kind=kind.value, model__in=sync.by_label())
    for link in links.order_by("-pk")[:1]:
        told = sync.sync_of(link.model)
        if obj := told.load([link.local_id]).get(link.local_id):
            return told, obj, link.remark
    for told in sync.registered():
        if told.kind == kind:
            of = {told.website_path: connection.website_id}
            newest = told.model._base_manager.filter(told.wanted, **of).order_by("-pk")
            for pk in newest.values_list("pk", flat=True)[:1]:
                return told, told.load([str(pk)])[str(pk)], ""
    return None


# -- what comes back


def as_ours(connection: Connection, ours: Record, theirs: T) -> T:
    """`theirs` as it is to be compared with `ours`, or taken: what is in a field that is not fed as
    usual is no word on the attribute that it would hold."""
    provider, kind = maps_fields(connection), _KINDS.get(type(ours))
    given = chosen(connection, kind) if kind else {}
    if provider is None or kind is None or not given:
        return theirs
    for each in provider.fields(kind):
        if each.holds and each.name in given:
            theirs = _with(theirs, each.holds.split("."), ours)
    return theirs


_KINDS: Mapping[type, Kind] = {Customer: Kind.CUSTOMER, Product: Kind.PRODUCT}


def _with(theirs: T, path: Sequence[str], ours: object) -> T:
    """`theirs` with what `ours` has at the end of `path`."""
    name, *rest = path
    value = getattr(ours, name)
    if rest:
        value = _with(getattr(theirs, name), rest, value)
    return replace(theirs, **{name: value})  # type: ignore[type-var] # both are dataclasses


# -- a change


def mark_due(connection: Connection, before: Mapping[str, Any]) -> int:
    """What has been sent and may say something else now is due, by one statement; `before` are the
    settings until now. Answers how many. Those of which nothing changes cost no call."""
    provider = maps_fields(connection)
    if provider is None:
        return 0
    kinds = [
        kind.value
        for kind, setting in provider.field_settings.items()
        if _is_fed_anew(before.get(setting) or {}, connection.custom_data.get(setting) or {})
    ]
    if not kinds:
        return 0
    told = Link.objects.filter(connection=connection, kind__in=kinds).exclude(remote_id="")
    count = told.touch()
    queue.wake("connections")
    return count


def _is_fed_anew(before: Chosen, now: Chosen) -> bool:
    """Whether a field has another source. One that is left alone from now on stays as it is there."""
    changed = {name for name in {*before, *now} if before.get(name) != now.get(name)}
    return any(now.get(name) != "" for name in changed)
