"""The staff pages, below /staff/. The page that a section of the navigation opens is `staff-<section>`."""

from __future__ import annotations

from django.urls import path

from tallystick.web.views.staff import (
    bank,
    bank_files,
    bank_lines,
    bulk,
    client_money,
    clients,
    credit_notes,
    dashboard,
    exports,
    invoice,
    invoices,
    mail,
    mail_templates,
    payments,
    writing,
)

urlpatterns = [
    path("bank/", bank.listed, name="staff-bank"),
    path("bank/import/", bank_files.upload, name="staff-bank-import"),
    path("bank/files/<uuid:uid>/", bank_files.answer, name="staff-bank-file"),
    path("bank/statements/", bank.statements, name="staff-bank-statements"),
    path("bank/statements/<uuid:uid>/", bank.statement, name="staff-bank-statement"),
    path("bank/statements/<uuid:uid>/match/", bank.match, name="staff-bank-match"),
    path("bank/statements/<uuid:uid>/discard/", bank.discard, name="staff-bank-discard"),
    path("bank/lines/<uuid:uid>/", bank_lines.shown, name="staff-bank-line"),
    path("bank/lines/<uuid:uid>/<slug:name>/", bank_lines.act, name="staff-bank-line-act"),
    path("", dashboard.shown, name="staff-dashboard"),
    path("invoices/", invoices.listed, name="staff-invoices"),
    path("invoices/bulk/", bulk.act, name="staff-invoices-bulk"),
    path("invoices/csv/", exports.invoices, name="staff-invoices-csv"),
    path("invoices/new/", writing.new, name="staff-invoice-new"),
    path("invoices/totals/", writing.total, name="staff-invoice-totals"),
    path("payments/", payments.listed, name="staff-payments"),
    path("payments/<uuid:uid>/", payments.shown, name="staff-payment"),
    path("payments/<uuid:uid>/receipt/", payments.receipt, name="staff-receipt-pdf"),
    path("payments/<uuid:uid>/<slug:name>/", payments.act, name="staff-payment-act"),
    path("credit-notes/", credit_notes.listed, name="staff-credit-notes"),
    path("credit-notes/<uuid:uid>/", credit_notes.shown, name="staff-credit-note"),
    path("credit-notes/<uuid:uid>/pdf/", credit_notes.document, name="staff-credit-note-pdf"),
    path("clients/", clients.listed, name="staff-clients"),
    path("clients/<uuid:uid>/", clients.shown, name="staff-client"),
    path("clients/<uuid:uid>/pay/", client_money.pay, name="staff-client-pay"),
    path("clients/<uuid:uid>/statement/", client_money.statement, name="staff-client-statement"),
    path("find/client/", writing.find_client, name="staff-find-client"),
    path("find/product/", writing.find_product, name="staff-find-product"),
    path("invoices/<uuid:uid>/", invoice.shown, name="staff-invoice"),
    path("invoices/<uuid:uid>/edit/", writing.edit, name="staff-invoice-edit"),
    path("invoices/<uuid:uid>/copy/", writing.copy, name="staff-invoice-copy"),
    path("invoices/<uuid:uid>/pdf/", invoice.document, name="staff-invoice-pdf"),
    path("invoices/<uuid:uid>/<slug:name>/", invoice.act, name="staff-invoice-act"),
    path("mail/", mail.listed, name="staff-mail"),
    path("mail/again/", mail.again, name="staff-mail-again"),
    path("mail/templates/", mail_templates.listed, name="staff-mail-templates"),
    path("mail/templates/<uuid:uid>/<str:key>/", mail_templates.edit, name="staff-mail-template"),
    path(
        "mail/templates/<uuid:uid>/<str:key>/preview/",
        mail_templates.preview,
        name="staff-mail-preview",
    ),
    path(
        "mail/templates/<uuid:uid>/<str:key>/reset/", mail_templates.reset, name="staff-mail-reset"
    ),
    path("mail/<uuid:uid>/", mail.shown, name="staff-mail-one"),
]
