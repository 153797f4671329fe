"""Lists the models for Django; each lives in the file of its noun."""

from __future__ import annotations

from tallystick.billing.emails import Email
from tallystick.billing.invoices import Invoice
from tallystick.billing.lines import InvoiceLine
from tallystick.billing.numbering import Counter, Series
from tallystick.billing.paylinks import RetiredToken
from tallystick.billing.payment_rows import Allocation, Payment
from tallystick.billing.products import Product
from tallystick.billing.taxes import TaxRate
from tallystick.billing.wallets import Wallet, WalletEntry

__all__ = [
    "Allocation",
    "Counter",
    "Email",
    "Invoice",
    "InvoiceLine",
    "Payment",
    "Product",
    "RetiredToken",
    "Series",
    "TaxRate",
    "Wallet",
    "WalletEntry",
]
