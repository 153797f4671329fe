"""The admin of the ready site's own user model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.utils.translation import gettext_lazy as _

from tallystick.accounts import tenancy
from tallystick.accounts.admin.tenants import TenantAdmin, standing_in, visible
from tallystick.accounts.people import may_manage
from tallystick.accounts.websites import Website
from tallystick.people.models import User

if TYPE_CHECKING:
    from django.db import models
    from django.http import HttpRequest

    CreationForm = AdminUserCreationForm[User]
    Users = UserAdmin[User]
else:
    CreationForm, Users = AdminUserCreationForm, UserAdmin

_RIGHTS = ["is_staff", "is_superuser", "groups", "user_permissions"]
_PROFILE = [
    "first_name",
    "last_name",
    "email",
    "phone_number",
    "date_of_birth",
    "nationality",
    "referral_code",
    "referred_by",
]


class NewPersonForm(CreationForm):
    website = forms.ModelChoiceField(
        Website.objects.none(),
        label=_("Website"),
        help_text=_("Where the person's account is opened, unless they are staff."),
    )


@admin.register(User)
class PersonAdmin(TenantAdmin, Users):
    """People. Website admins manage those who have to do with nobody else's website."""

    add_form = NewPersonForm
    superadmins_only = frozenset({"delete"})
    list_display = ["username", "full_name", "email", "phone_number", "is_active", "date_joined"]
    list_filter = ["is_active", "is_staff"]
    search_fields = ["username", "email", "first_name", "last_name", "phone_number"]
    autocomplete_fields = ["referred_by"]
    readonly_fields = ["last_login", "date_joined"]
    add_fieldsets = [
        (
            None,
            {
                "classes": ["wide"],
                "fields": [
                    "username",
                    "email",
                    "website",
                    "usable_password",
                    "password1",
                    "password2",
                ],
            },
        )
    ]

    def may(self, request: HttpRequest, act: str, row: models.Model | None = None) -> bool:
        if not super().may(request, act, row):
            return False
        return act == "view" or not isinstance(row, User) or may_manage(request.user, row)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:  # noqa: ANN401 - as Django's
        if obj is None:
            return self.add_fieldsets
        sections = [
            (None, {"fields": ["username", "password"]}),
            (_("Person"), {"fields": _PROFILE}),
            (_("Log-in"), {"fields": ["is_active", "last_login", "date_joined"]}),
        ]
        if standing_in(request).is_superadmin:
            sections += [
                (_("Rights"), {"fields": _RIGHTS}),
                (
                    _("Health and emergency"),
                    {"classes": ["collapse"], "fields": list(User.SENSITIVE_FIELDS)},
                ),
            ]
        return sections

    def get_form(
        self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm[User]]:
        form = super().get_form(request, obj, change=change, **kwargs)
        website = form.base_fields.get("website")
        if isinstance(website, forms.ModelChoiceField):
            website.queryset = visible(request, Website)
        return form

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: ANN401 - as Django's
        if change:
            super().save_model(request, obj, form, change)
            return
        with tenancy.of(form.cleaned_data["website"]):
            super().save_model(request, obj, form, change)
