from __future__ import annotations

from django.contrib import admin

from clinic.models import Branch, Patient, Profile, TreatmentProduct
from tallystick.integrations.invoice_ninja.admin import (
    InvoiceNinjaProductAdmin,
    InvoiceNinjaUserAdmin,
)

admin.site.register([Branch, Profile])


@admin.register(Patient)
class PatientAdmin(InvoiceNinjaUserAdmin, admin.ModelAdmin):  # type: ignore[type-arg]
    search_fields = ("username", "email", "chart_number")
    list_display = ("username",)


@admin.register(TreatmentProduct)
class TreatmentProductAdmin(InvoiceNinjaProductAdmin, admin.ModelAdmin):  # type: ignore[type-arg]
    search_fields = ("title", "code")
    list_display = ("title",)
