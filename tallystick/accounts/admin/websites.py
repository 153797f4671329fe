from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.admin.tenants import TenantAdmin
from tallystick.accounts.websites import Website

if TYPE_CHECKING:
    from django.db import models
    from django.http import HttpRequest


@admin.register(Website)
class WebsiteAdmin(TenantAdmin):
    superadmins_only = frozenset({"add", "delete"})
    list_display = ["name", "domain", "currency", "country", "time_zone", "is_default"]
    search_fields = ["name", "domain", "legal_name"]
    fieldsets = [
        (None, {"fields": ["name", "domain", "is_default"]}),
        (_("Place"), {"fields": ["currency", "language", "time_zone"]}),
        (
            _("Invoices"),
            {
                "fields": [
                    "prices_include_tax",
                    "rounding",
                    "payment_terms_days",
                    "allow_part_payments",
                    "retention_years",
                ]
            },
        ),
        (_("Reminders"), {"fields": ["reminder_days", "reminder_hour"]}),
        (_("Sender"), {"fields": ["sender_name", "sender_email", "logo", "accent_colour"]}),
        (
            _("Seller"),
            {
                "fields": [
                    "legal_name",
                    "line1",
                    "line2",
                    "postal_code",
                    "city",
                    "region",
                    "country",
                    "tax_number",
                    "bank_name",
                    "iban",
                    "bic",
                ]
            },
        ),
    ]

    def get_readonly_fields(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> list[str]:
        # Payment links go to the domain, and new people to the default: both reach beyond a website.
        fields = super().get_readonly_fields(request, obj)
        beyond = [] if self.may(request, "add") else ["domain", "is_default"]
        return [*fields, *beyond]
