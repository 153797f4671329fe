"""Signing in and what belongs to it: allauth's views, within our limits."""

from __future__ import annotations

from allauth.account import views
from allauth.mfa.base import views as second_factor
from django.conf import settings
from django.urls import include, path, re_path

from tallystick.web.views.login import limited

urlpatterns = [
    path(
        "login/",
        limited(
            views.LoginView.as_view(extra_context={"signup_open": settings.ACCOUNT_SIGNUP_OPEN})
        ),
        name="login",
    ),
    path("logout/", views.logout, name="logout"),
    path("signup/", limited(views.signup), name="account_signup"),
    path("reauthenticate/", limited(views.reauthenticate), name="account_reauthenticate"),
    path("password/change/", limited(views.password_change), name="account_change_password"),
    path("password/reset/", limited(views.password_reset), name="account_reset_password"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        limited(views.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path("2fa/authenticate/", limited(second_factor.authenticate), name="mfa_authenticate"),
    path("2fa/reauthenticate/", limited(second_factor.reauthenticate), name="mfa_reauthenticate"),
    path("2fa/", include("allauth.mfa.urls")),
    path("", include("allauth.account.urls")),
]
