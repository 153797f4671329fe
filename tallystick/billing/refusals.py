"""What a payment or a refund is refused for."""

from __future__ import annotations

from tallystick.billing import totals
from tallystick.billing.drafts import KeyReused
from tallystick.billing.errors import BillingError
from tallystick.billing.states import WrongState
from tallystick.kit import money as kit_money
from tallystick.kit.money import Money


class NotPayable(WrongState):
    """Only an open invoice can be paid."""


class AlreadyPaid(NotPayable):
    """The invoice is paid already."""


class LinkUsed(NotPayable):
    """This payment link was for one payment, which has come."""


class WrongCurrency(BillingError, kit_money.CurrencyMismatch):
    """The payment is not in the invoice's currency."""


class BadAmount(BillingError, kit_money.BadAmount):
    """A payment is more than zero and no finer than its currency."""


class TooMuch(BillingError):
    """The payment is more than what is due."""


class WholeSumOnly(BillingError):
    """This invoice is paid in one sum."""


class NotAllowed(BillingError):
    """You cannot pay this invoice in this way."""


class BadShares(BillingError):
    """One payment is for one or more invoices, each once, of one account and in one currency."""


class NotRefundable(WrongState):
    """Only a payment that has come, and is not in dispute, can be refunded."""


class ReferenceReused(KeyReused):
    """A refund of another amount of this payment bears this reference already."""


class MayNotRefund(NotAllowed):
    """You cannot refund this payment."""


def check_amount(money: Money, what: str = "payment") -> None:
    """Raise `BadAmount` unless `money` is more than zero, whole coins, and not too much to keep."""
    if money.amount <= 0:
        raise BadAmount(f"A {what} is more than zero.")
    if money.rounded() != money:
        raise BadAmount(f"{money.amount:f} is finer than {money.currency} is.")
    if money.amount >= totals.largest(money.currency):
        raise BadAmount("The amount is too large.")
