"""Raw records of the integrations. Staff see what is out of step, why, and mend it with one click."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy

from tallystick.accounts.admin.tenants import TenantAdmin
from tallystick.events import acting, record
from tallystick.events.requests import actor_in
from tallystick.integrations import forms, registry
from tallystick.integrations.clients import client_of
from tallystick.integrations.connections import BadCredentials, Connection
from tallystick.integrations.fields_admin import ChoosesFields, read_labels
from tallystick.integrations.inbound import InboundEvent
from tallystick.integrations.invoice_ninja.routes import ROUTES
from tallystick.integrations.invoice_ninja.states import LEFT_OUT_CHOICE, SyncStatus, is_in
from tallystick.integrations.links import Link, LinkQuerySet
from tallystick.integrations.logs import SyncLog
from tallystick.integrations.panel import (
    Outside,
    OutsideOfALink,
    WithOutsideSystems,
    day_of,
    word_of,
)
from tallystick.integrations.remote_admin import DiffersFilter, SettlesDifferences
from tallystick.integrations.retrying import retry
from tallystick.integrations.rows_admin import OF_A_CONNECTION, OfAConnection
from tallystick.ports.errors import ProviderError
from tallystick.queue.clock import db_now
from tallystick.queue.rows import State

if apps.is_installed("tallystick.people"):  # a host with users of its own has an admin for them
    from tallystick.integrations import people_admin  # noqa: F401 - registers itself
from tallystick.integrations import told_admin  # noqa: F401 - registers itself

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from tallystick.accounts.standing import Person


@admin.register(Connection)
class ConnectionAdmin(ChoosesFields, TenantAdmin):
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
        "sync_status", "state", "sync_error", "notice", "last_synced_at", "rests_until",
        "rest_reason", "failures", "account",
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
            (None, {"fields": ["website", "type", "name", "is_active", "conflict_rule"]}),
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
        is_unused = isinstance(obj, Connection) and not obj.links.exists()
        return is_unused and super().has_delete_permission(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:  # noqa: ANN401
        """What was read and noted of it goes with it, though none of that is deleted by itself."""
        listed, counts, _forbidden, protected = super().get_deleted_objects(objs, request)
        return listed, counts, set(), protected

    def _type(self, request: HttpRequest, obj: Connection | None) -> str:
        asked = obj.type if obj else request.POST.get("type") or request.GET.get("type", "")
        known = [kind for kind, _ in registry.choices()]
        return asked if asked in known else known[0]

    @admin.display(description="in words")
    def state(self, obj: Connection) -> str:
        if obj.needs_reconnect:
            return obj.sync_error
        return obj.rest_reason or obj.sync_error or obj.notice or "all right"

    @admin.action(description="Test the connection")
    def test_connection(self, request: HttpRequest, queryset: QuerySet[Connection]) -> None:
        for connection in queryset:
            try:
                found = client_of(connection).ping()
                connection.led_to(found.id, is_vouched=True)
                read_labels(connection)
            except (ProviderError, BadCredentials) as error:
                self.message_user(request, f"{connection}: {error}", messages.ERROR)
            else:
                connection.mend()
                record("connection.tested", connection, actor=actor_in(request))
                self.message_user(request, f"{connection}: connected to {found.name}.")

    @admin.action(description="Try again what failed")
    def send_everything_due_again(
        self, request: HttpRequest, queryset: QuerySet[Connection]
    ) -> None:
        links = Link.objects.filter(connection__in=queryset.values("pk"))
        with acting(actor_in(request)):
            self.message_user(request, retry(links.failed()).in_words())


_LONGEST_LISTED = 160


class StatusFilter(admin.SimpleListFilter):
    """The four words, of links to Invoice Ninja."""

    title = gettext_lazy("status at Invoice Ninja")
    parameter_name = "sync_status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, StrOrPromise]]:  # noqa: ANN401
        del request, model_admin
        return [*SyncStatus.choices, LEFT_OUT_CHOICE]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        del request
        if self.value() not in {*SyncStatus.values, LEFT_OUT_CHOICE[0]}:
            return queryset
        return queryset.filter(is_in(str(self.value())), connection__type__in=ROUTES)


@admin.register(Link)
class LinkAdmin(SettlesDifferences, WithOutsideSystems, OfAConnection):
    list_display = (
        "here", "in_words", "connection", "what_is_wrong", "tries", "last_try", "counterpart",
    )  # fmt: skip
    list_filter = (StatusFilter, "state", DiffersFilter, "kind", OF_A_CONNECTION, "update_needed")
    search_fields = ("=key", "=remote_id", "=local_id")
    actions = ("retry_now", "force_retry", "take_theirs", "send_ours")
    fields = ("here", "key", "connection", "update_needed", "created_at")

    def get_urls(self) -> list[URLPattern]:
        retry = self.admin_site.admin_view(self.retry_view)
        own = path("<int:pk>/retry/", retry, name="integrations_link_retry")
        return [own, *super().get_urls()]

    def retry_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The panel's buttons: due now; with `force`, sent whatever it says; or theirs taken."""
        link = self.get_queryset(request).filter(pk=pk).first()
        if link is None or not self.has_view_permission(request):
            raise Http404
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        chosen = Link.objects.filter(pk=pk)
        if "take" in request.POST:
            self.take_theirs(request, chosen)
        else:
            self._retry(request, chosen, force="force" in request.POST)
        after = request.POST.get("next", "")
        if not url_has_allowed_host_and_scheme(after, allowed_hosts=None):
            after = reverse("admin:integrations_link_change", args=[pk])
        return HttpResponseRedirect(after)

    def outside_of(self, obj: Model, user: Person) -> Outside:
        return OutsideOfALink(obj, user) if isinstance(obj, Link) else Outside(obj, user)

    @admin.display(description=gettext_lazy("here"))
    def here(self, obj: Link) -> str:
        app, _, model = obj.model.lower().partition(".")
        try:
            url = reverse(f"admin:{app}_{model}_change", args=[obj.local_id])
        except NoReverseMatch:
            return f"{obj.kind} {obj.local_id}"
        return format_html('<a href="{}">{} {}</a>', url, obj.kind, obj.local_id)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def in_words(self, obj: Link) -> str:
        return word_of(obj)

    @admin.display(description=gettext_lazy("tries"), ordering="attempts")
    def tries(self, obj: Link) -> int:
        return obj.attempts

    @admin.display(description=gettext_lazy("last try"), ordering="attempted_at", empty_value="-")
    def last_try(self, obj: Link) -> str | None:
        return day_of(obj.attempted_at) or None

    @admin.display(description=gettext_lazy("there"))
    def counterpart(self, obj: Link) -> str:
        if not obj.remote_url:
            return obj.remote_id
        return format_html('<a href="{}">{}</a>', obj.remote_url, obj.remote_id)

    @admin.display(description=gettext_lazy("what is wrong"))
    def what_is_wrong(self, obj: Link) -> str:
        return Truncator(obj.difference or obj.last_error or obj.remark).chars(_LONGEST_LISTED)

    @admin.action(description=gettext_lazy("Retry now"), permissions=["view"])
    def retry_now(self, request: HttpRequest, queryset: QuerySet[Link]) -> None:
        self._retry(request, Link.objects.filter(pk__in=queryset.values("pk")))

    @admin.action(
        description=gettext_lazy("Send again, also what is in step"), permissions=["view"]
    )
    def force_retry(self, request: HttpRequest, queryset: QuerySet[Link]) -> None:
        self._retry(request, Link.objects.filter(pk__in=queryset.values("pk")), force=True)

    def _retry(self, request: HttpRequest, links: LinkQuerySet, *, force: bool = False) -> None:
        with acting(actor_in(request)):
            self.message_user(request, retry(links, force=force).in_words())


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
