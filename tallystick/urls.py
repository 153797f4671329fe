from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/login/", secure_admin_login(admin.site.login)),
    path("admin/", admin.site.urls),
    path("", include("tallystick.integrations.urls")),
    path("api/", include("tallystick.api.urls")),
    path("", include("tallystick.web.urls")),
]
