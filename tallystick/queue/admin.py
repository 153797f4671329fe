from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tallystick.kit import clock
from tallystick.queue.models import Schedule
from tallystick.queue.statements import OPEN

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest

    Admin = admin.ModelAdmin[Schedule]
else:
    Admin = admin.ModelAdmin


@admin.register(Schedule)
class ScheduleAdmin(Admin):
    """What runs every so often, and how that went. The code says what and how often."""

    list_display = ["name", "every", "last_run_at", "due_at", "attempts", "last_error"]
    ordering = ["name"]
    fields = ["name", "every", "last_run_at", "due_at", "attempts", "last_error", "lease_owner"]
    actions = ["run_now"]

    @admin.action(description=gettext_lazy("Run now"), permissions=["view"])
    def run_now(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        """Have them due now, but for those that are running."""
        waiting = queryset.filter(state__in=OPEN, lease_owner="")
        count = waiting.update(due_at=clock.now())
        self.message_user(request, _("%(count)d are due now.") % {"count": count})

    def has_add_permission(self, request: HttpRequest) -> bool:
        del request
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        del request, obj
        return False
