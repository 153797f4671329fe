"""How users and products stand at Invoice Ninja, in the admin: columns, a filter, search, actions.

Mixins, for a host's own models too: put one before the model's own admin class.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.admin.tenants import standing_in
from tallystick.accounts.models import Account
from tallystick.events import acting
from tallystick.events.requests import actor_in
from tallystick.integrations import sync
from tallystick.integrations.connections import Connection
from tallystick.integrations.invoice_ninja import routes
from tallystick.integrations.invoice_ninja.filters import SyncStatusFilter
from tallystick.integrations.invoice_ninja.states import (
    LEFT_OUT_CHOICE,
    ProductSyncStatus,
    SyncStatus,
    is_left_out,
    product_status_of,
    status_of,
)
from tallystick.integrations.links import Link, LinkQuerySet
from tallystick.integrations.panel import TONES, WithOutsideSystems, day_of
from tallystick.integrations.retrying import Retried, retry
from tallystick.kit.db.texts import AsText

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class _LinkedPage(ChangeList):
    """A page whose links are read at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        page: Any = self.model_admin
        page.attach_links(request, list(self.result_list))


class InvoiceNinjaAdmin(WithOutsideSystems):
    """What users and products share. Links at connections of websites that the request's user does
    not manage are not there for them."""

    statuses: ClassVar[type[SyncStatus | ProductSyncStatus]]
    link_fields: ClassVar[tuple[str, ...]]
    link_columns: ClassVar[tuple[str, ...]]
    link_columns_after: ClassVar[str] = ""
    """The column behind which those of the link stand; else behind the first, for no list may be so
    wide that they are out of sight."""

    # -- for the two to say

    def links_of(self, rows: Sequence[Any]) -> dict[Any, Link]:
        raise NotImplementedError

    def with_link(self, condition: Q) -> Exists:
        """A condition on rows: their link is as `condition` says."""
        raise NotImplementedError

    def told_of(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The objects by which `rows` are told outside."""
        raise NotImplementedError

    # -- pages

    def attach_links(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        standing, links = standing_in(request), self.links_of(rows)
        for row in rows:
            link = links.get(row.pk)
            theirs = link is not None and standing.rules(link.connection.website_id)
            row.invoice_ninja_link = link if theirs else None

    def having(self, request: HttpRequest, condition: Q) -> Exists:
        return self.with_link(condition & Q(connection__in=self._connections(request).values("pk")))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        page = super().get_changelist(request, **kwargs)
        return type("LinkedPage", (_LinkedPage, page), {})

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as Django's
        found = super().get_object(request, *args, **kwargs)
        if found is not None:
            self.attach_links(request, [found])
        return found

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        shown = list(super().get_list_display(request))
        after = self.link_columns_after
        place = shown.index(after) + 1 if after in shown else 1
        return [*shown[:place], *self.link_columns, *shown[place:]]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [*super().get_list_filter(request), SyncStatusFilter]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:  # noqa: ANN401
        fields = [str(field) for field in super().get_readonly_fields(request, obj)]
        return fields if obj is None else [*fields, *self.link_fields]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:  # noqa: ANN401 - as Django's
        sections = super().get_fieldsets(request, obj)
        if obj is None:
            return sections
        others = [(name, self._without_link_fields(section)) for name, section in sections]
        return [*others, ("Invoice Ninja", {"fields": list(self.link_fields)})]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Also by the id at Invoice Ninja."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        term = search_term.strip()
        # Asked first, by its index: an OR of the two would read all rows.
        if term and self._is_known(request, term):
            found |= queryset.filter(self.having(request, Q(remote_id=term)))
        return found, may_repeat

    def _is_known(self, request: HttpRequest, remote_id: str) -> bool:
        connections = self._connections(request).order_by().values("pk")
        return Link.objects.filter(connection__in=connections, remote_id=remote_id).exists()

    # -- actions

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        own = (self.get_action(name) for name in ("retry_now", "force_retry"))
        return super().get_actions(request) | {found[1]: found for found in own if found}

    @admin.action(description=_("Retry now"))
    def retry_now(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._retry(request, queryset, force=False)

    @admin.action(description=_("Force retry: send again, also what is in step"))
    def force_retry(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._retry(request, queryset, force=True)

    def _retry(self, request: HttpRequest, rows: QuerySet[Any], *, force: bool) -> None:
        rows = rows.order_by()
        with acting(actor_in(request)):
            done = retry(self._links_of(request, rows), force=force)
            marked = self._mark_new(request, rows)
        without = rows.exclude(self.having(request, Q())).count()
        told = Retried(done.due + marked, done.in_step, without)
        self.message_user(request, told.in_words())

    def _links_of(self, request: HttpRequest, rows: QuerySet[Any]) -> LinkQuerySet:
        told = self.told_of(rows)
        ids = told.annotate(as_text=AsText(told.model)).values("as_text")
        at_work = Link.objects.filter(connection__in=self._connections(request).values("pk"))
        return at_work.filter(model=told.model._meta.label, local_id__in=ids)

    def _mark_new(self, request: HttpRequest, rows: QuerySet[Any]) -> int:
        """Those that are older than the connection: due there too."""
        told = self.told_of(rows)
        label, marked = told.model._meta.label, 0
        for connection in self._connections(request):
            linked = Link.objects.filter(
                connection=connection,
                model=label,
                local_id=AsText(told.model, OuterRef("pk")),
            )
            own = told.filter(**{sync.sync_of(label).website_path: connection.website_id})
            marked += sync.mark_due(list(own.exclude(Exists(linked))), [connection])
        return marked

    # -- columns

    @admin.display(description=_("Invoice Ninja"))
    def invoiceninja_sync_status(self, obj: Any) -> str:  # noqa: ANN401 - the host's model
        link = self._link(obj)
        if link is not None and is_left_out(link):
            return _pill("", LEFT_OUT_CHOICE[1], link.last_error)
        status = self._status_of(link)
        return _pill(TONES.get(status.value, ""), status.label)

    @admin.display(description=_("last sync attempt"))
    def invoiceninja_last_sync_attempt(self, obj: Any) -> str:  # noqa: ANN401
        link = self._link(obj)
        if link is None or link.attempted_at is None:
            return self.get_empty_value_display()
        # A read-only field shows what it is given as it is.
        return formats.date_format(timezone.localtime(link.attempted_at), "DATETIME_FORMAT")

    @admin.display(description=_("last try"))
    def last_try(self, obj: Any) -> str:  # noqa: ANN401
        link = self._link(obj)
        return day_of(link.attempted_at if link else None) or self.get_empty_value_display()

    def _status_of(self, link: Link | None) -> SyncStatus | ProductSyncStatus:
        raise NotImplementedError

    def _link(self, obj: Any) -> Link | None:  # noqa: ANN401
        link: Link | None = getattr(obj, "invoice_ninja_link", None)
        return link

    def _remote_id(self, obj: Any) -> str:  # noqa: ANN401
        link = self._link(obj)
        return link.remote_id if link and link.remote_id else self.get_empty_value_display()

    def _connections(self, request: HttpRequest) -> QuerySet[Connection]:
        """The active routes that the request's user manages."""
        standing, active = standing_in(request), routes.connections()
        if isinstance(request.user, AnonymousUser):
            return active.none()
        return active if standing.is_superadmin else active.filter(website__in=standing.admin_of)

    def _without_link_fields(self, section: Any) -> dict[str, Any]:  # noqa: ANN401 - Django's
        fields = [field for field in section["fields"] if field not in self.link_fields]
        return {**section, "fields": fields}


class InvoiceNinjaUserAdmin(InvoiceNinjaAdmin):
    """For the admin of the site's users."""

    statuses = SyncStatus
    link_fields = (
        "invoiceninja_sync_status",
        "invoiceninja_client_id",
        "invoiceninja_sync_attempts",
        "invoiceninja_last_sync_attempt",
    )
    link_columns = ("invoiceninja_sync_status", "invoiceninja_client_id", "tries", "last_try")
    link_columns_after = "email"

    def links_of(self, rows: Sequence[Any]) -> dict[Any, Link]:
        return routes.links_of_users([row.pk for row in rows])

    def with_link(self, condition: Q) -> Exists:
        return routes.users_with(condition)

    def told_of(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return Account._base_manager.filter(user__in=rows.values("pk"))

    def _status_of(self, link: Link | None) -> SyncStatus:
        return status_of(link)

    @admin.display(description=_("client id"))
    def invoiceninja_client_id(self, obj: Any) -> str:  # noqa: ANN401
        return self._remote_id(obj)

    @admin.display(description=_("tries"))
    def tries(self, obj: Any) -> int:  # noqa: ANN401
        return self.invoiceninja_sync_attempts(obj)

    @admin.display(description=_("sync attempts"))
    def invoiceninja_sync_attempts(self, obj: Any) -> int:  # noqa: ANN401
        link = self._link(obj)
        return link.attempts if link else 0


class InvoiceNinjaProductAdmin(InvoiceNinjaAdmin):
    """For the admin of a model that is registered as a product."""

    statuses = ProductSyncStatus
    link_fields = (
        "invoiceninja_sync_status",
        "invoiceninja_product_id",
        "invoiceninja_last_sync_attempt",
    )
    link_columns = ("invoiceninja_sync_status", "invoiceninja_product_id", "last_try")

    def links_of(self, rows: Sequence[Any]) -> dict[Any, Link]:
        return routes.links_of(rows)

    def with_link(self, condition: Q) -> Exists:
        return routes.objects_with(self.model, condition)

    def told_of(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        told: QuerySet[Any] = rows.model._base_manager.filter(pk__in=rows.values("pk"))
        return told

    def _status_of(self, link: Link | None) -> ProductSyncStatus:
        return product_status_of(link)

    @admin.display(description=_("product id"))
    def invoiceninja_product_id(self, obj: Any) -> str:  # noqa: ANN401
        return self._remote_id(obj)


def _pill(tone: str, word: StrOrPromise, why: str = "") -> str:
    return format_html('<span class="outside-state {}" title="{}">{}</span>', tone, why, word)
