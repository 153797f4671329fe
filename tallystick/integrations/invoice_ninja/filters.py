"""The filter of the admin's lists by how users and products stand at Invoice Ninja."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from tallystick.integrations.invoice_ninja.states import LEFT_OUT_CHOICE, SyncStatus, is_in

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from tallystick.integrations.invoice_ninja.admin import InvoiceNinjaAdmin

PENDING = SyncStatus.PENDING.value


class SyncStatusFilter(admin.SimpleListFilter):
    title = _("status at Invoice Ninja")
    parameter_name = "invoiceninja_sync_status"

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:  # noqa: ANN401
        self._page: InvoiceNinjaAdmin = model_admin
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, StrOrPromise]]:  # noqa: ANN401
        del request, model_admin
        return [*self._page.statuses.choices, LEFT_OUT_CHOICE]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        words = [*self._page.statuses.values, LEFT_OUT_CHOICE[0]]
        if self.value() not in words:
            return queryset
        if self.value() != PENDING:
            return queryset.filter(self._page.having(request, is_in(str(self.value()))))
        others = Q()  # what has no link yet is pending too
        for word in words:
            others |= is_in(word) if word != PENDING else Q()
        return queryset.filter(~self._page.having(request, others))
