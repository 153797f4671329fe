from __future__ import annotations

from django.urls import include, path

from tallystick.web.views import files, home, pay, products

urlpatterns = [
    path("", home.home, name="home"),
    path("accounts/", include("tallystick.web.account_urls")),
    path("language/", include("django.conf.urls.i18n")),
    path("portal/", include("tallystick.web.portal_urls")),
    path("staff/", include("tallystick.web.staff_urls")),
    path("pay/invoice/<str:token>/", pay.pay, name="pay"),
    path("pay/invoice/<str:token>/pdf/", files.invoice, name="pay-pdf"),
    path("pay/invoice/<str:token>/transfer.svg", files.transfer_code, name="pay-transfer-code"),
    path(
        "pay/invoice/<str:token>/credit-note/<uuid:uid>/pdf/",
        files.credit_note,
        name="pay-credit-note-pdf",
    ),
    path("look/<uuid:uid>/logo", files.logo, name="website-logo"),
    path("products/<uuid:uid>/image/", products.image, name="product-image"),
    path("pay/invoice/<str:token>/receipt/<uuid:uid>/pdf/", files.receipt, name="pay-receipt-pdf"),
]
