from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from tallystick.api import (
    bulk,
    catalogue,
    clients,
    credit_notes,
    invoice_acts,
    invoices,
    pages,
    payments,
    public,
    stats,
    wallets,
)

# By token and by period: beside the invoices, and for short beside the other resources.
_shared: list[URLPattern | URLResolver] = [
    path("payment_link/", public.PaymentLinkByToken.as_view()),
    path("pay/<str:token>/", public.PayByToken.as_view()),
    path("pay/<str:token>/pdf/", public.PdfByToken.as_view()),
    path("stats/", stats.Stats.as_view()),
]
_invoices = [
    path("", invoices.Invoices.as_view(), name="api-invoices"),
    *_shared,
    path("bulk/", bulk.BulkActs.as_view()),
    path("<uuid:id>/", invoices.OneInvoice.as_view(), name="api-invoice"),
    path("<uuid:id>/issue/", invoice_acts.Issue.as_view()),
    path("<uuid:id>/send_email/", invoice_acts.SendEmail.as_view()),
    path("<uuid:id>/mark_paid/", invoice_acts.MarkPaid.as_view()),
    path("<uuid:id>/void/", invoice_acts.Void.as_view()),
    path("<uuid:id>/write_off/", invoice_acts.WriteOff.as_view()),
    path("<uuid:id>/credit/", invoice_acts.Credit.as_view()),
    path("<uuid:id>/payment_link/", invoice_acts.PaymentLink.as_view()),
    path("<uuid:id>/process_payment/", invoice_acts.ProcessPayment.as_view()),
    path("<uuid:id>/pdf/", invoice_acts.Pdf.as_view()),
]
resources = [
    path("invoices/", include(_invoices)),
    *_shared,
    path("payments/", payments.Payments.as_view()),
    path("payments/<uuid:id>/", payments.OnePayment.as_view()),
    path("payments/<uuid:id>/refund/", payments.RefundPayment.as_view()),
    path("payments/<uuid:id>/receipt/", payments.Receipt.as_view()),
    path("credit-notes/", credit_notes.CreditNotes.as_view()),
    path("credit-notes/<uuid:id>/", credit_notes.OneCreditNote.as_view()),
    path("credit-notes/<uuid:id>/pdf/", credit_notes.CreditNotePdf.as_view()),
    path("wallets/", wallets.Wallets.as_view()),
    path("wallets/<uuid:id>/", wallets.OneWallet.as_view()),
    path("clients/", clients.Clients.as_view()),
    path("clients/<uuid:id>/", clients.OneClient.as_view()),
    path("products/", catalogue.Products.as_view()),
    path("tax-rates/", catalogue.TaxRates.as_view()),
]

urlpatterns = [
    path("v1/order-payments/", include(resources)),
    path("v1/schema/", pages.schema, name="api-schema"),
    path("v1/docs/", pages.docs, name="api-docs"),
    path("invoice-ninja/", include("tallystick.api.invoice_ninja.urls")),
    path("problems/<slug:code>/", pages.problem, name="api-problem"),
    path("v1/", pages.Nowhere.as_view()),
    path("v1/<path:rest>", pages.Nowhere.as_view()),
]
