from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from tallystick.accounts.admin import TenantInline
from tallystick.billing.admin.acts import ReadOnly
from tallystick.billing.payment_rows import Allocation, Payment

if TYPE_CHECKING:
    from django.db import models
    from django.http import HttpRequest


class AllocationInline(TenantInline):
    model = Allocation
    fields = ["invoice", "amount", "created_at"]
    readonly_fields = ["invoice", "amount", "created_at"]
    can_delete = False

    def may(self, request: HttpRequest, act: str, row: models.Model | None = None) -> bool:
        return act == "view" and super().may(request, act, row)


@admin.register(Payment)
class PaymentAdmin(ReadOnly):
    """Payments are recorded on the page of their invoice."""

    list_display = ["money", "status", "method", "account", "invoice", "reference", "created_at"]
    list_filter = ["status", "method", "website"]
    list_select_related = ["invoice", "account__user", "account__organisation"]
    search_fields = ["reference", "invoice__number", "invoice__reference_id"]
    show_full_result_count = False
    inlines = [AllocationInline]
    fields = [
        *("uid", "website", "account", "invoice", "money", "method", "status", "reference"),
        *("received_on", "failure", "created_by", "created_at", "succeeded_at"),
    ]
    readonly_fields = ["money"]
