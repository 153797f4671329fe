from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from tallystick.accounts.admin import TenantAdmin
from tallystick.billing.numbering import Series
from tallystick.billing.products import Product
from tallystick.billing.taxes import TaxRate

if TYPE_CHECKING:
    from django.db import models
    from django.http import HttpRequest


@admin.register(Product)
class ProductAdmin(TenantAdmin):
    list_display = ["name", "slug", "price", "currency", "tax_rate", "website", "is_active"]
    list_filter = ["website", "is_active", "category"]
    list_select_related = ["tax_rate", "website"]
    search_fields = ["name", "slug", "description"]
    readonly_fields = ["uid", "created_at", "updated_at"]


@admin.register(TaxRate)
class TaxRateAdmin(TenantAdmin):
    list_display = ["name", "code", "percent", "website", "is_default", "is_active"]
    list_filter = ["website", "is_active"]
    list_select_related = ["website"]
    search_fields = ["name", "code"]


@admin.register(Series)
class SeriesAdmin(TenantAdmin):
    """A series that has numbered something stays; documents find it by its code, which stays too."""

    list_display = ["code", "prefix", "digits", "restarts_yearly", "website"]
    list_filter = ["website"]
    list_select_related = ["website"]

    def get_readonly_fields(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> list[str]:
        fields = super().get_readonly_fields(request, obj)
        return fields if obj is None else [*fields, "code"]

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        unused = not isinstance(obj, Series) or not obj.counters.exists()
        return unused and super().has_delete_permission(request, obj)
