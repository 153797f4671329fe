"""The admin of billing: raw records, and the verbs of invoices and wallets."""

from __future__ import annotations

from tallystick.billing.admin import banking, catalogue, emails, invoices, payments, wallets

__all__ = ["banking", "catalogue", "emails", "invoices", "payments", "wallets"]
