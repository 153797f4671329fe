"""Ways to pay. A method is a class; what needs an outside system registers itself from there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.models import Account
from tallystick.accounts.roles import can_bill
from tallystick.billing import wallets
from tallystick.billing.errors import BillingError
from tallystick.billing.wallets import Wallet, WalletEntry

if TYPE_CHECKING:
    from tallystick.accounts.roles import Person
    from tallystick.billing.invoices import Invoice
    from tallystick.billing.payments import Payment
    from tallystick.billing.refunds import Refund


class UnknownMethod(BillingError):
    """There is no such way to pay."""


class PaymentMethod(ABC):
    """`name` is stored with every payment. `settles_at_once`: the payment succeeds in the same
    transaction that makes it; otherwise it waits for word from outside. `takes_parts`: also where
    the website wants the whole sum from its clients. `refunds_at_once`: what it took is back when
    `refund` returns; otherwise a refund waits for word from outside, too. `by_statement`: a payment
    is made for a line of a bank statement and no other way."""

    name: ClassVar[str]
    label: ClassVar[str | Promise]
    settles_at_once: ClassVar[bool] = False
    takes_parts: ClassVar[bool] = False
    refunds_at_once: ClassVar[bool] = False
    by_statement: ClassVar[bool] = False

    @abstractmethod
    def may_use(self, invoice: Invoice, user: Person) -> bool:
        """Whether `user` may pay `invoice` this way."""

    def is_of_use(self, invoice: Invoice) -> bool:
        """Whether there is a point in offering it."""
        del invoice
        return True

    def collect(self, payment: Payment) -> None:
        """Take the money, in the transaction that settles `payment`; raise to undo all of it."""
        del payment

    def start(self, payment: Payment, return_url: str) -> str:
        """Where the payer goes on, who comes back to `return_url`; empty where nothing is left to do.
        Asked after the commit, and again when a form is sent twice: for one payment the outside is
        asked once."""
        del payment, return_url
        return ""

    def refund(self, refund: Refund) -> None:
        """Give the money back, in the transaction that makes `refund`; raise to undo all of it. What
        takes asking somebody outside is only begun here: the worker asks, and says the outcome by
        `refund.succeed` or `refund.fail`."""
        del refund


class WalletMethod(PaymentMethod):
    """From the account's credit, by whoever the account belongs to, or by staff."""

    name = "wallet"
    label = _("Wallet")
    settles_at_once = True
    refunds_at_once = True

    def may_use(self, invoice: Invoice, user: Person) -> bool:
        own = Account.objects.own(user).filter(pk=invoice.client_id)
        return own.exists() or can_bill(user, invoice.website)

    def is_of_use(self, invoice: Invoice) -> bool:
        return bool(wallets.available(invoice.client, invoice.currency))

    def collect(self, payment: Payment) -> None:
        Wallet.of(payment.account, payment.currency).debit(
            payment.money, WalletEntry.Reason.PAYMENT, payment=payment
        )

    def refund(self, refund: Refund) -> None:
        refund.payment.wallet().credit(
            refund.money, WalletEntry.Reason.REFUND, payment=refund.payment, key=refund.cause
        )


class ManualMethod(PaymentMethod):
    """Cash or a bank transfer that staff saw arrive; refunded when staff say that they paid it
    back."""

    name = "manual"
    label = _("Recorded by staff")
    settles_at_once = True
    takes_parts = True
    refunds_at_once = True

    def may_use(self, invoice: Invoice, user: Person) -> bool:
        return can_bill(user, invoice.website)


_methods: dict[str, PaymentMethod] = {}


def register(method: PaymentMethod) -> PaymentMethod:
    """Offer `method`; a second of the same name replaces the first."""
    _methods[method.name] = method
    return method


def named(name: str) -> PaymentMethod:
    try:
        return _methods[name]
    except KeyError:
        raise UnknownMethod from None


def of(payment: Payment) -> PaymentMethod:
    """The way it was paid; by hand where that is none of ours, such as an accounting system."""
    return _methods.get(payment.method, MANUAL)


def registered() -> tuple[PaymentMethod, ...]:
    """All of them, in the order of their registration."""
    return tuple(_methods.values())


def for_invoice(invoice: Invoice, user: Person) -> list[PaymentMethod]:
    """The ways in which `user` may pay `invoice` now, in the order of their registration."""
    if not invoice.is_payable:
        return []
    return [
        method
        for method in _methods.values()
        if method.may_use(invoice, user) and method.is_of_use(invoice)
    ]


WALLET = register(WalletMethod())
MANUAL = register(ManualMethod())
