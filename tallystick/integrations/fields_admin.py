"""The page of what goes into which field, and its part on the page of a connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tallystick.events import record
from tallystick.events.requests import actor_in
from tallystick.integrations import environment, fields
from tallystick.integrations.clients import client_of
from tallystick.integrations.connections import BadCredentials, Connection
from tallystick.integrations.field_forms import FieldsForm
from tallystick.ports.errors import ProviderError
from tallystick.ports.fields import MapsFields
from tallystick.ports.records import Kind

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Connection]
else:
    _ModelAdmin = object


class ChoosesFields(_ModelAdmin):
    """For the admin of connections."""

    change_form_template = "admin/integrations/connection_change_form.html"

    class Media:
        css = {"all": ["integrations/fields.css"]}

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.fields_view)
        own = path("<int:pk>/fields/", page, name="integrations_connection_fields")
        return [own, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        connection = kwargs.get("obj")
        if connection and (provider := fields.maps_fields(connection)):
            form = FieldsForm(connection)
            context["field_groups"] = list(form.groups({}))
            context["field_provider"] = provider
        return super().render_change_form(request, context, *args, **kwargs)

    def fields_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        connection = self.get_queryset(request).filter(pk=pk).first()
        if connection is None or not fields.maps_fields(connection):
            raise Http404
        if not self.has_change_permission(request, connection):
            raise Http404
        if "labels" in request.POST:
            self._read_labels(request, connection)
            return HttpResponseRedirect(request.path)
        data = request.POST if request.method == "POST" else None
        form = FieldsForm(connection, data=data, fixed=environment.sets(connection))
        if "save" in request.POST and form.is_valid() and self._saved(request, connection, form):
            return HttpResponseRedirect(request.path)
        return self._page(request, connection, form)

    def _page(self, request: HttpRequest, connection: Connection, form: FieldsForm) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("What goes into which field"),
            "opts": self.model._meta,
            "connection": connection,
            "form": form,
            "groups": list(form.groups(_examples(request, self, connection, form))),
        }
        return TemplateResponse(request, "admin/integrations/fields.html", context)

    def _saved(self, request: HttpRequest, connection: Connection, form: FieldsForm) -> bool:
        chosen = form.chosen()
        try:
            with transaction.atomic():
                rows = Connection.objects.of(connection.website_id)
                held = rows.select_for_update(of=("self",)).get(pk=connection.pk)
                before = dict(held.custom_data)
                held.choose_fields(
                    {name: value for name, value in chosen.items() if name not in form.fixed}
                )
                changed = _changed(before, held.custom_data, chosen)
                count = fields.mark_due(held, before) if changed else 0
                if changed:
                    said = {"fields": changed, "due": count}
                    record("connection.changed", held, actor=actor_in(request), change=said)
        except BadCredentials as error:
            form.add_error(None, str(error))
            return False
        self.message_user(request, _in_words(count) if changed else _("Nothing was changed."))
        return True

    def _read_labels(self, request: HttpRequest, connection: Connection) -> None:
        try:
            read_labels(connection)
        except (ProviderError, BadCredentials) as error:
            self.message_user(request, f"{connection}: {error}", messages.ERROR)
        else:
            self.message_user(request, _("The labels are those of the company now."))


def read_labels(connection: Connection) -> None:
    """Ask what the company calls its fields, where it may name them. Raises `ProviderError`."""
    client = client_of(connection)
    if isinstance(client, MapsFields):
        connection.keep_labels(client.field_labels())


def _examples(
    request: HttpRequest, page: ChoosesFields, connection: Connection, form: FieldsForm
) -> dict[Kind, fields.Example | None]:
    """As the form would have them sent; none while something is wrong with it or the settings."""
    custom_data = dict(connection.custom_data)
    if form.is_bound:
        if not form.is_valid():
            return {}
        custom_data |= form.chosen()
    meant = Connection(
        pk=connection.pk,
        website_id=connection.website_id,
        type=connection.type,
        credentials=connection.credentials,
        custom_data=custom_data,
    )
    try:
        settings = meant.settings()
    except BadCredentials as error:
        page.message_user(request, f"{connection}: {error}", messages.ERROR)
        return {}
    return {kind: fields.example(meant, kind, settings) for kind in form.settings}


def _changed(
    before: Mapping[str, Any], now: Mapping[str, Any], settings: Mapping[str, Any]
) -> list[str]:
    """The fields that have another source, by the names of setting and field."""
    found = []
    for setting in settings:
        was, is_now = before.get(setting) or {}, now.get(setting) or {}
        names = sorted(name for name in {*was, *is_now} if was.get(name) != is_now.get(name))
        found += [f"{setting}.{name}" for name in names]
    return found


def _in_words(count: int) -> str:
    if not count:
        return _("Saved. Nothing that was sent says anything else by it.")
    return ngettext(
        "Saved. %(count)d that was sent is looked at again; it is sent anew if it changes.",
        "Saved. %(count)d that were sent are looked at again; those that change are sent anew.",
        count,
    ) % {"count": count}
