"""Invoice Ninja v5: clients, products, invoices and payments of one company."""

from __future__ import annotations

from tallystick.providers.invoiceninja.provider import InvoiceNinja
from tallystick.providers.invoiceninja.schema import InvoiceNinjaSettings

__all__ = ["InvoiceNinja", "InvoiceNinjaSettings"]
