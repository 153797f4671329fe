"""Outside systems: how an object stands at every connection, as a panel on its page in the admin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import formats, timezone
from django.utils.html import format_html

from tallystick.integrations import sync
from tallystick.integrations.advice import Advice, advice
from tallystick.integrations.connections import Connection
from tallystick.integrations.history import Entry, history_of, more_of
from tallystick.integrations.invoice_ninja.routes import ROUTES
from tallystick.integrations.invoice_ninja.states import LEFT_OUT_CHOICE, is_left_out, status_of
from tallystick.integrations.links import Link
from tallystick.queue.rows import State

if TYPE_CHECKING:
    from tallystick.accounts.standing import Person

    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = object

TONES = {"synced": "good", "failed": "bad", "error": "bad", "retry": "warn"}
"""Word of a state -> how it is coloured."""


@dataclass(frozen=True, slots=True)
class Row:
    """One link as it is shown."""

    link: Link
    advice: Advice

    @classmethod
    def of(cls, link: Link) -> Row:
        return cls(link, advice(link))

    @property
    def state(self) -> str:
        return word_of(self.link)

    @property
    def tone(self) -> str:
        return TONES.get(status_of(self.link).value, "")

    @property
    def may_retry(self) -> bool:
        return self.link.connection.is_active and self.link.state != State.DONE

    @property
    def may_send_again(self) -> bool:
        return self.link.connection.is_active

    @property
    def may_be_settled(self) -> bool:
        return self.link.may_be_settled


class Outside:
    """What the panel shows of `obj` to `user`: the links at connections that are theirs to manage."""

    def __init__(self, obj: models.Model, user: Person) -> None:
        self.obj, self.user = obj, user

    @cached_property
    def rows(self) -> list[Row]:
        return [Row.of(link) for link in links_visible(self.user, self._told)]

    @cached_property
    def history(self) -> list[Entry]:
        return history_of(self._subjects, self._links, self.user)

    @cached_property
    def more(self) -> list[tuple[str, str]]:
        return more_of(self._subjects, self._links)

    @property
    def _links(self) -> list[Link]:
        return [row.link for row in self.rows]

    @cached_property
    def _told(self) -> list[models.Model]:
        return told_as(self.obj)

    @property
    def _subjects(self) -> list[models.Model]:
        return self._told if self.obj in self._told else [self.obj, *self._told]


class OutsideOfALink(Outside):
    """The same of one link alone."""

    def __init__(self, link: Link, user: Person) -> None:
        super().__init__(link, user)
        self.rows = [Row.of(link)]

    @property
    def _subjects(self) -> list[models.Model]:
        return []


class WithOutsideSystems(_ModelAdmin):
    """For the admin of a model that has counterparts outside, or whose edits are told by one that
    has: the panel on its page. A template of the host's own includes
    `admin/integrations/outside.html` where it is to stand."""

    change_form_template = "admin/integrations/outside_change_form.html"

    class Media:
        css = {"all": ["integrations/admin.css"]}

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = kwargs.get("obj")
        if obj is not None and not isinstance(request.user, AnonymousUser):
            context["outside"] = self.outside_of(obj, request.user)
        return super().render_change_form(request, context, *args, **kwargs)

    def outside_of(self, obj: models.Model, user: Person) -> Outside:
        return Outside(obj, user)


def told_as(obj: models.Model) -> list[models.Model]:
    """The objects with counterparts outside that tell of `obj`: itself, or a person's account."""
    if sync.is_registered(type(obj)):
        return [obj]
    return [
        found
        for told, path in sync.followers_of(obj)
        for found in told.model._base_manager.filter(**{path: obj})[:10]
    ]


def links_visible(user: Person, objects: Sequence[models.Model]) -> list[Link]:
    """The links of `objects` at all connections that `user` manages: one query."""
    these = Q(pk__in=[])
    for obj in objects:
        told = sync.sync_for(type(obj))
        these |= Q(model=told.label, local_id=told.local_id(obj))
    theirs = Connection.objects.visible_to(user).values("pk")
    found = Link.objects.filter(these, connection__in=theirs).select_related("connection")
    return list(found.order_by("connection__name", "pk"))


def day_of(moment: datetime | None) -> str:
    """The day as a narrow column has it; pointed at, it says the time."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    day, whole = (
        formats.date_format(local, name) for name in ("SHORT_DATE_FORMAT", "DATETIME_FORMAT")
    )
    return format_html('<span class="nowrap" title="{}">{}</span>', whole, day)


def word_of(link: Link) -> str:
    """The state in words: at Invoice Ninja the four that its users and products have, or that it is
    left out."""
    if link.connection.type in ROUTES:
        return str(LEFT_OUT_CHOICE[1] if is_left_out(link) else status_of(link).label)
    return str(State(link.state).label)
