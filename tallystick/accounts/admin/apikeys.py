from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from tallystick.accounts.admin.tenants import TenantAdmin, standing_in
from tallystick.accounts.apikeys import ApiKey, Scope
from tallystick.accounts.standing import Role

if TYPE_CHECKING:
    from django.db import models
    from django.db.models.fields.related import RelatedField
    from django.http import HttpRequest

    KeyForm = forms.ModelForm[ApiKey]
else:
    KeyForm = forms.ModelForm


class ApiKeyForm(KeyForm):
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices, widget=forms.CheckboxSelectMultiple, label=gettext_lazy("Scopes")
    )


@admin.register(ApiKey)
class ApiKeyAdmin(TenantAdmin):
    """A key's text is shown once, after it was made. Keys are revoked rather than deleted."""

    form = ApiKeyForm
    list_display = ["name", "begins_with", "user", "website", "expires_at", "last_used_at", "state"]
    list_filter = ["website"]
    list_select_related = ["website", "user"]
    search_fields = ["name", "prefix", "user__username", "user__email"]
    autocomplete_fields = ["user"]
    readonly_fields = ["begins_with", "created_at", "last_used_at", "revoked_at"]
    actions = ["revoke"]

    def get_readonly_fields(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> list[str]:
        fields = super().get_readonly_fields(request, obj)
        return fields if obj is None else [*fields, "user"]

    def get_field_queryset(
        self, db: str | None, db_field: RelatedField[Any, Any], request: HttpRequest
    ) -> models.QuerySet[Any]:
        """A key acts in somebody's name: nobody makes one for a person who can do more than they."""
        rows = super().get_field_queryset(db, db_field, request)
        if db_field.name == "user" and not standing_in(request).is_superadmin:
            rows = rows.exclude(is_superuser=True).exclude(memberships__role=Role.SUPERADMIN)
        return rows

    def save_model(self, request: HttpRequest, obj: ApiKey, form: forms.Form, change: bool) -> None:
        plaintext = "" if change else obj.draw()
        super().save_model(request, obj, form, change)
        if plaintext:
            said = _("The key is %(key)s. Copy it now: it is not shown again.")
            self.message_user(request, said % {"key": plaintext}, messages.WARNING)

    @admin.display(description=gettext_lazy("begins with"))
    def begins_with(self, key: ApiKey) -> str:
        return f"tally_{key.prefix}…" if key.prefix else ""

    @admin.display(description=gettext_lazy("state"))
    def state(self, key: ApiKey) -> str:
        return str(key.state.label)

    @admin.action(description=gettext_lazy("Revoke the selected keys"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: models.QuerySet[ApiKey]) -> None:
        for key in queryset:
            key.revoke()
        count = len(queryset)
        said = ngettext("%(count)d key is revoked.", "%(count)d keys are revoked.", count)
        self.message_user(request, said % {"count": count}, messages.SUCCESS)
