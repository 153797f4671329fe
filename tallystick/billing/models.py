"""Lists the models for Django; each lives in the file of its noun."""

from __future__ import annotations

from tallystick.billing.allocations import Allocation, PaymentShare
from tallystick.billing.banking.formats import BankFile, BankFormat
from tallystick.billing.banking.proposals import BankProposal
from tallystick.billing.banking.statements import BankStatement
from tallystick.billing.banking.transactions import BankTransaction
from tallystick.billing.credit_note_lines import CreditNoteLine
from tallystick.billing.credit_notes import CreditNote
from tallystick.billing.disputes import Dispute
from tallystick.billing.email_templates import EmailTemplate
from tallystick.billing.emails import Email, EmailAttempt
from tallystick.billing.holds import WalletHold
from tallystick.billing.invoices import Invoice
from tallystick.billing.lines import InvoiceLine
from tallystick.billing.link_log import LinkEvent
from tallystick.billing.numbering import Counter, Series
from tallystick.billing.paylinks import RetiredToken
from tallystick.billing.payment_rows import Payment
from tallystick.billing.products import Product
from tallystick.billing.refunds import Refund
from tallystick.billing.reminders import ReminderDay
from tallystick.billing.statistic_rows import StatDay, StatDelta, StatMonth
from tallystick.billing.taxes import TaxRate
from tallystick.billing.wallets import Wallet, WalletEntry

__all__ = [
    "Allocation",
    "BankFile",
    "BankFormat",
    "BankProposal",
    "BankStatement",
    "BankTransaction",
    "Counter",
    "CreditNote",
    "CreditNoteLine",
    "Dispute",
    "Email",
    "EmailAttempt",
    "EmailTemplate",
    "Invoice",
    "InvoiceLine",
    "LinkEvent",
    "Payment",
    "PaymentShare",
    "Product",
    "Refund",
    "ReminderDay",
    "RetiredToken",
    "Series",
    "StatDay",
    "StatDelta",
    "StatMonth",
    "TaxRate",
    "Wallet",
    "WalletEntry",
    "WalletHold",
]
