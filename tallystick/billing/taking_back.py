"""How money of a payment is taken back from where it went: first what lies unused in the wallet, then
from the invoices that it paid, which are owed again.

All of it runs under the locks that `Payment.lock` takes.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext

from tallystick.billing import locks
from tallystick.billing.allocations import Allocation, by_invoice
from tallystick.billing.holds import WalletHold
from tallystick.billing.invoices import Invoice
from tallystick.billing.wallets import WalletEntry

if TYPE_CHECKING:
    from tallystick.billing.payment_rows import Payment
    from tallystick.billing.wallets import Wallet

HELD = WalletHold.State.HELD


def in_reach(payment: Payment) -> Decimal:
    """What of `payment` lies in the wallet, is not held for anything, and has not been used."""
    wallet = payment.wallet()
    locks.hold(wallet)
    return _lying(payment, wallet)


def in_sight(payment: Payment) -> Decimal:
    """What of `payment` could be taken back, as it looks without a lock: what is in reach, and what
    it pays."""
    there = on_invoices(payment)
    if payment.in_wallet:
        there += _lying(payment, payment.wallet())
    return there


def on_invoices(payment: Payment) -> Decimal:
    """What of `payment` pays invoices and is not to be refunded yet."""
    promised = payment.refunding.amount - held(payment, "refund:")
    return payment.allocated.amount - promised


def _lying(payment: Payment, wallet: Wallet) -> Decimal:
    own = payment.in_wallet.amount - held(payment)
    return max(min(own, wallet.available.amount), Decimal(0))


def held(payment: Payment, cause: str = "") -> Decimal:
    """What of `payment` is held in the wallet, for `cause` or for anything."""
    amounts = _holds(payment, cause).values_list("amount", flat=True)
    return payment.money_of(sum(amounts, Decimal(0))).amount


def hold(payment: Payment, amount: Decimal, *, cause: str, reason: str) -> None:
    """Hold `amount` of what lies in the wallet until `cause` is decided."""
    if amount:
        payment.wallet().hold(
            payment.money_of(amount),
            reason=reason,
            key=f"{cause}:{_holds_ever(payment, cause)}",
            payment=payment,
            cause=cause,
        )


def capture(payment: Payment, cause: str) -> Decimal:
    """Take what is held for `cause` out of the wallet; returns how much that was."""
    taken = Decimal(0)
    for one in _holds(payment, cause):
        taken -= one.capture(reason=WalletEntry.Reason.RETURNED).amount
    return taken


def release(payment: Payment, cause: str) -> None:
    for one in _holds(payment, cause):
        one.release()


def from_wallet(payment: Payment, amount: Decimal) -> Decimal:
    """Take what of `payment` lies in the wallet, `amount` at most; returns how much that was."""
    taken = min(amount, in_reach(payment)) if amount else amount
    if taken:
        reason = WalletEntry.Reason.RETURNED
        payment.wallet().debit(payment.money_of(taken), reason, payment=payment)
    return taken


def from_invoices(
    payment: Payment, amount: Decimal, *, cause: str, locked: Iterable[Invoice]
) -> Decimal:
    """Take `amount` at most out of what `payment` pays, newest first; what it paid is owed again.
    Returns how much that was."""
    instances = {invoice.pk: invoice for invoice in locked}
    rows = []
    for invoice, given in reversed(by_invoice(payment)):
        if taken := min(given, amount):
            rows.append(Allocation(payment=payment, invoice=invoice, amount=-taken, cause=cause))
            instances[invoice.pk].unsettle(taken)
            amount -= taken
    book(rows)
    return -sum((row.amount for row in rows), Decimal(0))


def book(rows: list[Allocation]) -> None:
    """Store what was taken back. Not by `save`, whose signal has accounting systems told of a
    payment: what goes back is none."""
    Allocation.objects.bulk_create(rows)


def in_limbo(payment: Payment) -> Decimal:
    """What of a disputed payment a bank keeps until it decides: it neither pays anything, nor is in
    the wallet, nor was refunded."""
    came = payment.amount + payment.shortfall - missing(payment) - payment.amount_refunded
    return came - payment.allocated.amount - payment.in_wallet.amount


def missing(payment: Payment) -> Decimal:
    """What of the shortfall is an open dispute's: gone for good only when that is lost."""
    amounts = payment.disputes.filter(state="open").values_list("missing", flat=True)
    return payment.money_of(sum(amounts, Decimal(0))).amount


def reserve(payment: Payment) -> None:
    """Hold for refunds on their way what invoices no longer have of them."""
    lacking = payment.refunding.amount - held(payment, "refund:") - payment.allocated.amount
    for refund in payment.refunds.filter(status="pending").order_by("-id"):
        if lacking <= 0:
            return
        more = min(lacking, refund.amount - held(payment, refund.cause))
        hold(payment, more, cause=refund.cause, reason=gettext("To be refunded"))
        lacking -= more


def _holds(payment: Payment, cause: str) -> models.QuerySet[WalletHold]:
    return payment.wallet_holds.filter(state=HELD, cause__startswith=cause).select_related("wallet")


def _holds_ever(payment: Payment, cause: str) -> int:
    return payment.wallet_holds.filter(cause=cause).count()
