"""The base of the admin's lists of what belongs to a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import HttpRequest

from tallystick.accounts.admin.tenants import VisibleChoicesFilter
from tallystick.integrations.connections import Connection

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin

OF_A_CONNECTION = ("connection", VisibleChoicesFilter)


class OfAConnection(_ModelAdmin):
    """Rows that belong to a website by their connection; read-only, the newest first."""

    show_full_result_count = False
    list_per_page = 50
    ordering = ("-id",)
    list_select_related: ClassVar[tuple[str, ...]] = ("connection",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        user = request.user
        if isinstance(user, AnonymousUser):
            return super().get_queryset(request).none()
        mine = Connection.objects.visible_to(user).values("pk")
        return super().get_queryset(request).filter(connection__in=mine)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_staff)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ANN401
        del obj
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        del request
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ANN401
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ANN401
        del request, obj
        return False
