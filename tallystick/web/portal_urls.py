"""The pages of a client, below /portal/."""

from __future__ import annotations

from django.urls import path

from tallystick.web.views.portal import (
    credit_notes,
    files,
    invoices,
    overview,
    paying,
    payments,
    profile,
    statement,
    wallet,
)

urlpatterns = [
    path("", overview.overview, name="portal"),
    path("invoices/", invoices.listed, name="portal-invoices"),
    path("invoices/<uuid:uid>/", invoices.shown, name="portal-invoice"),
    path("invoices/<uuid:uid>/pdf/", files.invoice, name="portal-invoice-pdf"),
    path("pay/", paying.several, name="portal-pay"),
    path("invoices/<uuid:uid>/transfer.svg", files.transfer_code, name="portal-transfer-code"),
    path("payments/", payments.listed, name="portal-payments"),
    path("payments/<uuid:uid>/receipt/pdf/", files.receipt, name="portal-receipt-pdf"),
    path("credit-notes/", credit_notes.listed, name="portal-credit-notes"),
    path("credit-notes/<uuid:uid>/pdf/", files.credit_note, name="portal-credit-note-pdf"),
    path("wallet/", wallet.shown, name="portal-wallet"),
    path("statement.csv", statement.table, name="portal-statement"),
    path("profile/", profile.shown, name="portal-profile"),
    path("profile/keys/<uuid:uid>/revoke/", profile.revoke, name="portal-key-revoke"),
]
