from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.accounts import Account
from tallystick.accounts.admin.tenants import TenantAdmin


@admin.register(Account)
class AccountAdmin(TenantAdmin):
    list_display = ["name", "email", "website", "billing_currency", "country"]
    list_filter = ["website"]
    list_select_related = ["user", "organisation", "website"]
    search_fields = [
        "user__username",
        "user__email",
        "user__first_name",
        "user__last_name",
        "organisation__name",
        "organisation__email",
    ]
    autocomplete_fields = ["user", "organisation"]
    readonly_fields = ["customer_key"]
    fieldsets = [
        (None, {"fields": ["website", "user", "organisation", "customer_key"]}),
        (
            _("Billing address"),
            {
                "fields": [
                    "line1",
                    "line2",
                    "postal_code",
                    "city",
                    "region",
                    "country",
                    "tax_number",
                ]
            },
        ),
        (_("Preferences"), {"fields": ["currency", "language", "reminders_paused"]}),
    ]
