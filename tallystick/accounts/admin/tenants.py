"""The base of every admin page of tenants' data: rights by role, rows and choices by website."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import prefetch_related_objects
from django.http import HttpRequest

from tallystick.accounts.people import people_visible_to
from tallystick.accounts.standing import Standing, standing_of
from tallystick.accounts.tenancy import TenantModel
from tallystick.accounts.websites import Website

if TYPE_CHECKING:
    from django.db.models.fields.related import RelatedField
    from django_stubs_ext import StrOrPromise

    Rows = models.QuerySet[Any]
    Page = admin.options.BaseModelAdmin[Any]
    Admin = admin.ModelAdmin[Any]
    Tabular = admin.TabularInline[Any, Any]
else:
    Page, Admin, Tabular = object, admin.ModelAdmin, admin.TabularInline


def standing_in(request: HttpRequest) -> Standing:
    """What the request's user may do. Asks the database once a request."""
    if not isinstance(request.user, AnonymousUser):
        prefetch_related_objects([request.user], "memberships")
    return standing_of(request.user)


def visible(request: HttpRequest, model: type[models.Model]) -> Rows:
    """The rows of `model` that an admin sees and may choose from.

    By the model's own `visible_to`; of a model without one, superadmins see all and others nothing.
    """
    standing = standing_in(request)
    manager = model._default_manager
    if not standing.is_admin:
        return manager.none()
    if model is get_user_model():
        return people_visible_to(request.user)
    if visible_to := getattr(manager, "visible_to", None):
        rows: Rows = visible_to(request.user)
        return rows
    return manager.all() if standing.is_superadmin else manager.none()


class VisibleChoicesFilter(admin.RelatedFieldListFilter):
    """A filter by a related object that offers only those that the user may see."""

    def field_choices(
        self, field: RelatedField[Any, Any], request: HttpRequest, model_admin: Admin
    ) -> list[tuple[str, StrOrPromise]]:
        return [(each.pk, str(each)) for each in visible(request, field.remote_field.model)]


class Scoped(Page):
    """For admin pages and inlines: who may do what goes by role, and choices by website.

    Django's permissions per model are not asked: an admin manages everything of their websites,
    but for what `superadmins_only` names.
    """

    superadmins_only: ClassVar[frozenset[str]] = frozenset()
    """Of "view", "add", "change", "delete": what takes a superadmin."""

    def may(self, request: HttpRequest, act: str, row: models.Model | None = None) -> bool:
        """Whether the user may do `act`, to `row` if one is given. For subclasses to narrow."""
        standing = standing_in(request)
        if standing.is_superadmin:
            return True
        website_id = getattr(row, "website_id", None)
        return (
            standing.is_admin
            and act not in self.superadmins_only
            and (website_id is None or standing.rules(website_id))
        )

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "view")

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self.may(request, "view", obj)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self.may(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self.may(request, "delete", obj)

    def get_field_queryset(
        self, db: str | None, db_field: RelatedField[Any, Any], request: HttpRequest
    ) -> Rows:
        model = db_field.remote_field.model
        rows = visible(request, model)
        ordering = model._meta.ordering
        return rows.order_by(*ordering) if ordering else rows


class TenantAdmin(Scoped, Admin):
    """The admin of a `TenantModel`, or of any model whose manager has `visible_to(user)`.

    Name foreign keys to tenants' data in `autocomplete_fields`; `raw_id_fields` would look them up
    for every website.
    """

    show_full_result_count = False  # a second count of what may be a million rows

    def get_queryset(self, request: HttpRequest) -> Rows:
        rows = visible(request, self.model)
        ordering = self.get_ordering(request)
        return rows.order_by(*ordering) if ordering else rows

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "add")

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [self._limited(each) for each in super().get_list_filter(request)]

    def _limited(self, name: Any) -> Any:  # noqa: ANN401 - any of the forms that Django takes
        is_relation = isinstance(name, str) and self.model._meta.get_field(name).is_relation
        return (name, VisibleChoicesFilter) if is_relation else name

    def get_readonly_fields(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> list[str]:
        """As declared; and a row never moves to another website."""
        fields = [str(field) for field in super().get_readonly_fields(request, obj)]
        return fields if obj is None or "website" in fields else [*fields, *self._website()]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Fill in the website where there is no choice."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        only = visible(request, Website)[:2]
        return {"website": only[0].pk, **initial} if self._website() and len(only) == 1 else initial

    def _website(self) -> list[str]:
        return ["website"] if issubclass(self.model, TenantModel) else []


class TenantInline(Scoped, Tabular):
    """Rows within the page of a row that the user may see."""

    extra = 0

    def get_queryset(self, request: HttpRequest) -> Rows:
        # The formset takes only those of the page's own row.
        if issubclass(self.model, TenantModel):
            return visible(request, self.model)
        return super().get_queryset(request)

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None) -> bool:  # type: ignore[override] # as Django's own inline
        return self.may(request, "add", obj)
