from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from tallystick.web.views import files, home, login, pay

urlpatterns = [
    path("", home.home, name="home"),
    path("accounts/login/", login.limited(LoginView.as_view()), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("language/", include("django.conf.urls.i18n")),
    path("pay/invoice/<str:token>/", pay.pay, name="pay"),
    path("pay/invoice/<str:token>/pdf/", files.invoice, name="pay-pdf"),
    path("pay/invoice/<str:token>/receipt/<uuid:uid>/pdf/", files.receipt, name="pay-receipt-pdf"),
]
