from __future__ import annotations

from django.contrib import admin

from clinic.models import Branch, Patient, Profile, TreatmentProduct

admin.site.register([Branch, Profile])


@admin.register(Patient)
class PatientAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    search_fields = ("username", "email", "chart_number")
    list_display = ("username", "invoiceninja_sync_status", "invoiceninja_client_id")


@admin.register(TreatmentProduct)
class TreatmentProductAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    search_fields = ("title", "code")
    list_display = ("title", "invoiceninja_sync_status", "invoiceninja_product_id")
