"""Raw records of the integrations. Staff see what is out of step, why, and mend it with one click."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html

from tallystick.accounts.admin.tenants import TenantAdmin, VisibleChoicesFilter
from tallystick.events import record
from tallystick.events.requests import actor_in
from tallystick.integrations import forms, registry
from tallystick.integrations.clients import client_of
from tallystick.integrations.connections import BadCredentials, Connection
from tallystick.integrations.inbound import InboundEvent
from tallystick.integrations.links import Link
from tallystick.integrations.logs import SyncLog
from tallystick.ports.errors import ProviderError
from tallystick.queue.clock import db_now
from tallystick.queue.rows import State

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin


@admin.register(Connection)
class ConnectionAdmin(TenantAdmin):
    list_display = (
        "name",
        "type",
        "website",
        "is_active",
        "sync_status",
        "state",
        "last_synced_at",
    )
    list_filter = ("type", "sync_status", "is_active")
    search_fields = ("name", "account")
    readonly_fields = (
        "sync_status", "state", "sync_error", "last_synced_at", "rests_until", "rest_reason",
        "failures", "account",
    )  # fmt: skip
    actions = ("test_connection", "send_everything_due_again")

    def get_form(
        self, request: HttpRequest, obj: Connection | None = None, change: bool = False, **kw: Any
    ) -> type[ModelForm[Connection]]:
        kw["form"] = forms.form_for(self._type(request, obj), obj)
        kw["fields"] = None
        return super().get_form(request, obj, change, **kw)

    def get_fieldsets(self, request: HttpRequest, obj: Connection | None = None) -> Any:  # noqa: ANN401
        settings = forms.setting_names(self._type(request, obj))
        sets = [
            (None, {"fields": ["website", "type", "name", "is_active"]}),
            ("Settings", {"fields": settings}),
        ]
        if obj:
            sets.append(("State", {"fields": list(self.readonly_fields)}))
        return sets

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"type": self._type(request, None), **super().get_changeform_initial_data(request)}

    def save_model(
        self, request: HttpRequest, obj: Connection, form: ModelForm[Connection], change: bool
    ) -> None:
        with transaction.atomic():
            obj.keep_settings()
            record(
                "connection.changed" if change else "connection.made",
                obj,
                actor=actor_in(request),
                change={"fields": [name.removeprefix(forms.PREFIX) for name in form.changed_data]},
            )

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Its links are the memory of what exists there: switch it off instead."""
        del request
        return isinstance(obj, Connection) and not obj.links.exists()

    def _type(self, request: HttpRequest, obj: Connection | None) -> str:
        asked = obj.type if obj else request.POST.get("type") or request.GET.get("type", "")
        known = [kind for kind, _ in registry.choices()]
        return asked if asked in known else known[0]

    @admin.display(description="in words")
    def state(self, obj: Connection) -> str:
        if obj.needs_reconnect:
            return obj.sync_error
        return obj.rest_reason or obj.sync_error or "all right"

    @admin.action(description="Test the connection")
    def test_connection(self, request: HttpRequest, queryset: QuerySet[Connection]) -> None:
        for connection in queryset:
            try:
                found = client_of(connection).ping()
            except (ProviderError, BadCredentials) as error:
                self.message_user(request, f"{connection}: {error}", messages.ERROR)
            else:
                Connection.objects.of(connection.website).filter(pk=connection.pk).update(
                    needs_reconnect=False, sync_error="", account=found.id or connection.account
                )
                self.message_user(request, f"{connection}: connected to {found.name}.")

    @admin.action(description="Try again what failed")
    def send_everything_due_again(
        self, request: HttpRequest, queryset: QuerySet[Connection]
    ) -> None:
        links = Link.objects.filter(connection__in=queryset.values("pk"))
        self.message_user(request, f"{links.revive()} links are due now.")


OF_A_CONNECTION = ("connection", VisibleChoicesFilter)


class OfAConnection(_ModelAdmin):
    """Rows that belong to a website by their connection; read-only, the newest first."""

    show_full_result_count = False
    list_per_page = 50
    ordering = ("-id",)
    list_select_related = ("connection",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        user = request.user
        if isinstance(user, AnonymousUser):
            return super().get_queryset(request).none()
        mine = Connection.objects.visible_to(user).values("pk")
        return super().get_queryset(request).filter(connection__in=mine)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_staff)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ANN401
        del obj
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        del request
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ANN401
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ANN401
        del request, obj
        return False


@admin.register(Link)
class LinkAdmin(OfAConnection):
    list_display = (
        "here", "connection", "state", "what_is_wrong", "attempts", "synced_at", "counterpart", "key",
    )  # fmt: skip
    list_filter = ("state", "kind", OF_A_CONNECTION, "update_needed")
    search_fields = ("=key", "=remote_id", "=local_id")
    actions = ("retry_now", "force_retry")

    @admin.display(description="here")
    def here(self, obj: Link) -> str:
        app, _, model = obj.model.lower().partition(".")
        try:
            url = reverse(f"admin:{app}_{model}_change", args=[obj.local_id])
        except NoReverseMatch:
            return f"{obj.kind} {obj.local_id}"
        return format_html('<a href="{}">{} {}</a>', url, obj.kind, obj.local_id)

    @admin.display(description="there")
    def counterpart(self, obj: Link) -> str:
        if not obj.remote_url:
            return obj.remote_id
        return format_html('<a href="{}">{}</a>', obj.remote_url, obj.remote_id)

    @admin.display(description="what is wrong")
    def what_is_wrong(self, obj: Link) -> str:
        return obj.difference or obj.last_error

    @admin.action(description="Retry now", permissions=["view"])
    def retry_now(self, request: HttpRequest, queryset: QuerySet[Link]) -> None:
        revived = Link.objects.filter(pk__in=queryset.values("pk")).revive()
        self.message_user(request, f"{revived} links are due now.")

    @admin.action(description="Send again, also what is in step", permissions=["view"])
    def force_retry(self, request: HttpRequest, queryset: QuerySet[Link]) -> None:
        revived = Link.objects.filter(pk__in=queryset.values("pk")).revive(force=True)
        self.message_user(request, f"{revived} links are due now.")


@admin.register(SyncLog)
class SyncLogAdmin(OfAConnection):
    list_display = (
        "created_at", "connection", "direction", "sync_type", "status", "message", "duration_ms",
    )  # fmt: skip
    list_filter = ("status", "direction", "sync_type", OF_A_CONNECTION)


@admin.register(InboundEvent)
class InboundEventAdmin(OfAConnection):
    list_display = ("created_at", "connection", "kind", "change", "remote_id", "state", "outcome")
    list_filter = ("state", "kind", OF_A_CONNECTION)
    search_fields = ("=remote_id", "=event_id")
    actions = ("process_again",)

    @admin.action(description="Process again", permissions=["view"])
    def process_again(self, request: HttpRequest, queryset: QuerySet[InboundEvent]) -> None:
        count = InboundEvent.objects.filter(pk__in=queryset.values("pk")).update(
            state=State.DUE, due_at=db_now(), outcome=""
        )
        self.message_user(request, f"{count} events are due again.")
