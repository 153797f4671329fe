"""Why a payment was refused, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tallystick.billing.errors import BillingError
from tallystick.billing.payments import NotAllowed, NotPayable, TooMuch, WholeSumOnly
from tallystick.billing.wallets import InsufficientFunds
from tallystick.kit.money import CurrencyMismatch, MoneyError


class AmountChanged(BillingError):
    """The amount due has changed since the page was opened."""


_SAID: Mapping[type[Exception], str | Promise] = {
    AmountChanged: _(
        "The amount due has changed since this page was opened. Check it and try again."
    ),
    NotAllowed: _("You are signed in, but not as someone of the account that is billed here."),
    InsufficientFunds: _("There is not enough in the wallet. Choose another way to pay."),
    TooMuch: _("That is more than is due. Enter the amount due, or less."),
    WholeSumOnly: _("This invoice is paid in one sum."),
    NotPayable: _("This invoice cannot be paid at the moment."),
    CurrencyMismatch: _("The invoice is in another currency."),
    MoneyError: _("That is not an amount. Write it in figures, such as 1234.50, more than zero."),
}
_OTHERWISE = _("This way of paying does not work at the moment. Choose another one.")


def said(problem: Exception) -> str:
    """The sentence for the nearest kind of `problem` that has one."""
    kinds = type(problem).__mro__
    return str(next((_SAID[kind] for kind in kinds if kind in _SAID), _OTHERWISE))


def about_amount(problem: Exception) -> bool:
    """Whether it is the amount that was typed that needs to be changed."""
    return isinstance(problem, MoneyError | TooMuch)
