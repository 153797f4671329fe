"""Each address with and without a slash at its end: workflows are written by hand."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path

from tallystick.api.invoice_ninja import told, users
from tallystick.api.pages import Nowhere


def _both(route: str, view: Any) -> list[URLPattern]:  # noqa: ANN401 - of Django
    return [path(f"{route}/", view.as_view()), path(route, view.as_view())]


resources = [
    *_both("client-created", told.ClientCreated),
    *_both("product-created", told.ProductCreated),
    *_both("sync-status/<str:user_id>", users.SyncStatusOf),
    *_both("pending-users", users.PendingUsers),
    *_both("retry-sync/<str:user_id>", users.RetrySync),
    *_both("bulk-sync", users.BulkSync),
]
urlpatterns = [*resources, path("", Nowhere.as_view()), path("<path:rest>", Nowhere.as_view())]
