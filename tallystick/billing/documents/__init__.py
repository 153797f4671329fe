"""Documents as PDF, in the website's language and number formats."""

from __future__ import annotations

from tallystick.billing.documents.credit_notes import credit_note_pdf
from tallystick.billing.documents.invoices import invoice_pdf
from tallystick.billing.documents.receipts import method_label, receipt_pdf

__all__ = ["credit_note_pdf", "invoice_pdf", "method_label", "receipt_pdf"]
