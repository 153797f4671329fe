from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tallystick.billing.admin.acts import ReadOnly
from tallystick.billing.email_templates import EmailTemplate
from tallystick.billing.emails import Email
from tallystick.queue.rows import State

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


@admin.register(Email)
class EmailAdmin(ReadOnly):
    """What was sent, what was not, and why. A failed one is sent again once its cause is mended."""

    list_display = ["key", "to", "invoice", "state", "outcome", "attempts", "last_error", "sent_at"]
    list_filter = ["state", "outcome", "key", "website"]
    list_select_related = ["invoice"]
    search_fields = ["to", "invoice__number", "invoice__reference_id"]
    ordering = ["-id"]
    show_full_result_count = False
    fields = [
        *("website", "key", "stage", "to", "invoice", "payment", "refund", "credit_note"),
        *("subject", "message_id"),
        "each_try",
        *("state", "outcome", "note", "attempts", "last_error", "due_at", "created_at", "sent_at"),
    ]
    actions = ["try_again"]

    @admin.display(description=gettext_lazy("each try"))
    def each_try(self, email: Email) -> str:
        tries = email.tries.all()[:50]
        return "\n".join(f"{each.at:%Y-%m-%d %H:%M:%S} {each}" for each in tries)

    @admin.action(description=gettext_lazy("Try again what failed"), permissions=["view"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Email]) -> None:
        failed = queryset.filter(state=State.DEAD)
        for email in failed:
            email.resend()
        self.message_user(request, _("%(count)d are due now.") % {"count": len(failed)})


@admin.register(EmailTemplate)
class EmailTemplateAdmin(ReadOnly):
    """The words of websites, and those they had before. They are written on the staff pages, where
    they are tried first."""

    list_display = ["key", "language", "website", "subject", "is_active", "edited_by", "edited_at"]
    list_filter = ["is_active", "key", "website"]
    list_select_related = ["website", "edited_by"]
    ordering = ["-id"]
    show_full_result_count = False
    fields = [
        *("website", "key", "language", "subject", "body", "is_active", "edited_by", "edited_at")
    ]
