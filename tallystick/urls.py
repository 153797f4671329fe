from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from tallystick.web.views.login import limited

urlpatterns = [
    path("admin/login/", limited(admin.site.login)),
    path("admin/", admin.site.urls),
    path("", include("tallystick.integrations.urls")),
    path("", include("tallystick.web.urls")),
]
