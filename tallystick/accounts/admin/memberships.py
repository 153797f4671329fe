from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.forms import ChoiceField

from tallystick.accounts.admin.tenants import TenantAdmin, standing_in
from tallystick.accounts.memberships import Membership
from tallystick.accounts.standing import Role

if TYPE_CHECKING:
    from django.db import models
    from django.http import HttpRequest


@admin.register(Membership)
class MembershipAdmin(TenantAdmin):
    list_display = ["user", "role", "website"]
    list_filter = ["role", "website"]
    list_select_related = ["user", "website"]
    search_fields = ["user__username", "user__email", "user__first_name", "user__last_name"]
    autocomplete_fields = ["user"]

    def formfield_for_choice_field(
        self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:  # noqa: ANN401 - as Django's
        """Only a superadmin makes superadmins."""
        field = super().formfield_for_choice_field(db_field, request, **kwargs)
        if isinstance(field, ChoiceField) and not standing_in(request).is_superadmin:
            field.choices = [each for each in Role.choices if each[0] != Role.SUPERADMIN]
        return field
