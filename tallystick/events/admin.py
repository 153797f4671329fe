from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.admin import TenantAdmin
from tallystick.events.models import Event
from tallystick.events.personal import show_addresses

if TYPE_CHECKING:
    from django.db import models
    from django.db.models import QuerySet
    from django.http import HttpRequest

    Pages = Paginator[Any]
else:
    Pages = Paginator

MOST_LISTED = 5000


class BoundedPaginator(Pages):
    """Counts no further than anyone leafs: an exact count reads the whole journal."""

    @cached_property
    def count(self) -> int:
        rows: QuerySet[Any] = self.object_list[:MOST_LISTED]  # type: ignore[assignment] # the stubs know lists
        return rows.count()


class JournalPage(ChangeList):
    """A page whose addresses are read at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        show_addresses(self.result_list)


@admin.register(Event)
class EventAdmin(TenantAdmin):
    """The journal, newest first, to read."""

    list_display = ["at", "kind", "subject", "by", "whence", "website"]
    list_display_links = ["kind"]
    list_filter = ["website"]
    list_select_related = ["website"]
    list_per_page = 50
    list_max_show_all = 200
    ordering = ["-id"]
    sortable_by = ()
    paginator = BoundedPaginator
    search_fields = ["subject_id"]
    search_help_text = _("The id of what it happened to, or its kind and id: invoice 12")
    fields = ["at", "kind", "subject", "by", "whence", "website", "change", "seal_seq"]

    def may(self, request: HttpRequest, act: str, row: models.Model | None = None) -> bool:
        return act == "view" and super().may(request, act, row)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By what the index on the subject finds."""
        del request
        *kinds, subject = search_term.split() or [""]
        if subject:
            queryset = queryset.filter(subject_id=subject)
        for kind in kinds:
            queryset = queryset.filter(subject_type__iendswith=kind)
        return queryset, False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        del request, kwargs
        return JournalPage

    @admin.display(description=_("from"))
    def whence(self, event: Event) -> str:
        return event.address_shown

    @admin.display(description=_("subject"))
    def subject(self, event: Event) -> str:
        return f"{event.subject_type} {event.subject_id}"

    @admin.display(description=_("by"))
    def by(self, event: Event) -> str:
        return " ".join(filter(None, [event.actor_label or event.actor_kind, event.actor_id]))
