"""The kinds of e-mail there are, by the keys that templates, hosts and the log know them by."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

INVOICE_GENERATED = "payment.invoice_generated"
PAYMENT_RECEIVED = "payment.received"
PAYMENT_REMINDER = "payment.reminder"
PAYMENT_OVERDUE = "payment.overdue"
PAYMENT_REFUNDED = "payment.refunded"
CREDIT_NOTE = "payment.credit_note"

LABELS: dict[str, Promise] = {
    INVOICE_GENERATED: _("Invoice"),
    PAYMENT_RECEIVED: _("Receipt"),
    PAYMENT_REMINDER: _("Reminder before the due date"),
    PAYMENT_OVERDUE: _("Reminder after the due date"),
    PAYMENT_REFUNDED: _("Refund"),
    CREDIT_NOTE: _("Credit note"),
}
KEYS = tuple(LABELS)
REMINDERS = (PAYMENT_REMINDER, PAYMENT_OVERDUE)
ASKING = (INVOICE_GENERATED, *REMINDERS)
"""Those that ask for money."""
