from __future__ import annotations

from django.contrib import admin

from tallystick.accounts.admin.tenants import TenantAdmin, TenantInline
from tallystick.accounts.organisations import Organisation, OrganisationMember


class MemberInline(TenantInline):
    model = OrganisationMember
    autocomplete_fields = ["user"]


@admin.register(Organisation)
class OrganisationAdmin(TenantAdmin):
    list_display = ["name", "email", "website", "is_active"]
    list_filter = ["website", "is_active"]
    list_select_related = ["website"]
    search_fields = ["name", "email", "tax_number"]
    inlines = [MemberInline]
