"""Why something was refused, said to staff: in their language where it is known, else as billing says it."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tallystick.billing.banking.method import NotArrived
from tallystick.billing.banking.proposals import Outdated
from tallystick.billing.banking.statements import HasBooked
from tallystick.billing.banking.transactions import AlreadyDecided, NotMoneyIn
from tallystick.billing.drafts import KeyReused
from tallystick.billing.invoices import (
    DueBeforeIssue,
    HasCredits,
    HasPayments,
    NegativeTotal,
    NoReason,
)
from tallystick.billing.lines import NoLines, TooManyLines
from tallystick.billing.payments import (
    AlreadyPaid,
    BadAmount,
    NotAllowed,
    NotPayable,
    TooMuch,
    WholeSumOnly,
)
from tallystick.billing.redrafting import EditedMeanwhile, OtherWebsite
from tallystick.billing.refusals import BadShares, MayNotRefund, NotRefundable, ReferenceReused
from tallystick.billing.sales_documents import Issued, NotADraft, NotDeletable
from tallystick.billing.totals import TooLarge
from tallystick.billing.wallets import InsufficientFunds
from tallystick.kit import money
from tallystick.kit.money import CurrencyMismatch
from tallystick.kit.spelling import Unreadable

_SAID: Mapping[type[Exception], str | Promise] = {
    AlreadyDecided: _("This line is decided already; look at it again."),
    HasBooked: _("Lines of this statement are booked: refund those payments first."),
    NotArrived: _("A transfer is recorded when the money arrives, from the bank's statement."),
    NotMoneyIn: _("Only money that came in can be booked on invoices or put in a wallet."),
    Outdated: _("What this proposal was for has changed; look at the line again."),
    NoLines: _("An invoice needs at least one line."),
    TooManyLines: _("An invoice has at most 1000 lines."),
    NegativeTotal: _("The total of an invoice cannot be negative; give a credit note instead."),
    DueBeforeIssue: _("The due date lies before the date of issue."),
    HasPayments: _("The invoice has payments; refund them first."),
    HasCredits: _("The invoice has a credit note; credit the rest instead."),
    EditedMeanwhile: _("Somebody else has changed this draft since you opened it."),
    OtherWebsite: _("The client belongs to another website than the draft."),
    NotRefundable: _("Only a payment that has come, and is not in dispute, can be refunded."),
    MayNotRefund: _("You may not refund this payment."),
    BadShares: _("Tick invoices of one client in one currency, each once."),
    NoReason: _("Say why: the reason is kept with the invoice."),
    NotADraft: _("It is no draft any more: only a draft can be edited or issued."),
    Issued: _("An issued invoice does not change; void it, or correct it by a credit note."),
    NotDeletable: _("Only drafts can be deleted."),
    AlreadyPaid: _("The invoice is paid already."),
    NotPayable: _("Only an open invoice can be paid."),
    TooMuch: _("That is more than is due."),
    WholeSumOnly: _("This invoice is paid in one sum."),
    NotAllowed: _("You may not do this for this invoice."),
    InsufficientFunds: _("There is not enough in the wallet."),
    ReferenceReused: _("A refund of another amount bears this reference already."),
    KeyReused: _("This form was used for something else before. Load the page again."),
    TooLarge: _("The amount is too large."),
    CurrencyMismatch: _("The currencies differ."),
    BadAmount: _("An amount is more than zero, and no finer than its currency."),
    money.BadAmount: _("An amount is more than zero, and no finer than its currency."),
}


def said(problem: Exception) -> str:
    """The sentence for the nearest kind of `problem` that has one; else its own."""
    if isinstance(problem, Unreadable):
        return gettext("Write it in figures, such as %(example)s.") % {"example": problem.example}
    for kind in type(problem).__mro__:
        if kind in _SAID:
            return str(_SAID[kind])
    return str(problem)
