"""Bank transfer as a way to pay: offered to everybody, and recorded when the money arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from tallystick.billing.banking.transactions import BankTransaction
from tallystick.billing.errors import BillingError
from tallystick.billing.methods import PaymentMethod

if TYPE_CHECKING:
    from tallystick.accounts.roles import Person
    from tallystick.billing.invoices import Invoice
    from tallystick.billing.payments import Payment


class NotArrived(BillingError):
    """A transfer is recorded when the money arrives: send it with the reference of the invoice."""


class BankTransferMethod(PaymentMethod):
    """To the website's account. Asking for it moves nothing."""

    name = "bank_transfer"
    label = _("Bank transfer")
    settles_at_once = True
    by_statement = True
    takes_parts = True
    refunds_at_once = (
        False  # staff pay back at the bank; a line of a statement says that it went out
    )

    def may_use(self, invoice: Invoice, user: Person) -> bool:
        del invoice, user
        return True

    def is_of_use(self, invoice: Invoice) -> bool:
        return bool(invoice.as_seller().get("iban"))

    def collect(self, payment: Payment) -> None:
        if not BankTransaction.is_being_booked(payment):
            raise NotArrived
