"""Refunding: by us, and by a system outside that says so."""

from __future__ import annotations

import contextlib
import datetime
import logging
import uuid
from collections.abc import Callable
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext

from tallystick.accounts.roles import Person, can_bill
from tallystick.billing import locks, methods, taking_back
from tallystick.billing.drafts import KeyReused, check_key
from tallystick.billing.payment_rows import Payment, Uses
from tallystick.billing.refund_rows import Refund
from tallystick.billing.refusals import (
    BadAmount,
    MayNotRefund,
    NotRefundable,
    ReferenceReused,
    TooMuch,
    WrongCurrency,
    check_amount,
)
from tallystick.billing.states import PaymentStatus, RefundStatus
from tallystick.billing.wallets import InsufficientFunds
from tallystick.events import record
from tallystick.kit.money import Money

__all__ = ["Refund", "receive_external_refund", "refund"]

logger = logging.getLogger(__name__)


def refund(
    payment: Payment,
    money: Money | None = None,
    *,
    by: Person | None,
    reason: str,
    key: str = "",
    reference: str = "",
) -> Refund:
    """Give `money` of `payment` back, or all that is refundable. First what of it lies unused in the
    wallet, then what it paid, newest first. By a method that does not refund at once it is pending
    until `succeed` or `fail`.

    `by` is who asks; None is the system itself. A repeat of one `key` returns the first refund.
    Raises `MayNotRefund`, `NotRefundable`, `TooMuch`, `WrongCurrency`, `BadAmount`,
    `InsufficientFunds`, `KeyReused`; then nothing was done."""
    if by is not None and not can_bill(by, payment.website):
        raise MayNotRefund
    key = f"request:{check_key(key) or uuid.uuid4().hex}"

    def make(uses: Uses) -> Refund:
        asked = payment.refundable if money is None else money
        _refuse(payment, asked)
        method = methods.of(payment)
        row = _row(payment, asked, key=key, reference=reference, reason=reason)
        row.created_by_id = by.pk if by is not None and by.is_authenticated else None
        there = _in_wallet(row)
        if not method.refunds_at_once:
            taking_back.hold(payment, there, cause=row.cause, reason=gettext("To be refunded"))
        row.save(force_insert=True)
        change = {"refund": row.uid.hex, "amount": row.amount, "currency": row.currency}
        record("payment.refund_requested", payment, change=change)
        if method.refunds_at_once:
            row.carry_out(uses)
        method.refund(row)
        return row

    return _once(payment, key, money, make)


def receive_external_refund(
    payment: Payment, *, amount: Decimal, reference: str, date: datetime.date
) -> Refund:
    """A system outside says that it gave back `amount` of `payment` on `date`.

    Once per `reference`; where a refund that we asked for bears it, that one succeeds. The money is
    gone: what had been used from the wallet by then is the payment's `shortfall`, and refunds on
    their way that it leaves nothing for have failed. Raises `BadAmount`, `BadKey`, `NotRefundable`,
    `ReferenceReused` where the reference is known with another amount, `TooMuch`."""
    money = payment.money_of(amount) if amount == payment.money_of(amount).amount else None
    if money is None or not reference:
        raise BadAmount("A refund made elsewhere has an amount in coins and a reference.")
    check_amount(money, "refund")
    key = check_key(f"external:{payment.uid.hex}:{reference}", 255)

    def make(uses: Uses) -> Refund:
        if payment.status not in (PaymentStatus.SUCCEEDED, PaymentStatus.DISPUTED):
            raise NotRefundable
        left = payment.money - payment.money_of(payment.amount_refunded)
        if money > left:
            raise TooMuch(f"{money} is more than what is left of the payment: {left}.")
        _make_room(payment, left - money)
        row = _row(payment, money, key=key, reference=reference, reason="")
        row.refunded_on = date
        row.save(force_insert=True)
        row.carry_out(uses)
        return row

    with transaction.atomic():
        uses = payment.lock()
        known = _known(payment, money, Q(reference=reference) | Q(key=key))
        if known is None:
            return make(uses)
        known.succeed(date=date)
        return known


def _known(payment: Payment, money: Money, said: Q) -> Refund | None:
    """The refund of `money` that `said` names. Raises `ReferenceReused` where it names others."""
    rows = list(payment.refunds.filter(said))
    for row in rows:
        if row.money == money:
            return row
    if not rows:
        return None
    here = ", ".join(str(row.money) for row in rows)
    logger.warning("payment %s: now %s refunded there, %s here", payment.uid, money, here)
    raise ReferenceReused


def _once(
    payment: Payment, key: str, money: Money | None, make: Callable[[Uses], Refund]
) -> Refund:
    """The refund of `key`: the one there is, or what `make` makes under the payment's locks."""
    try:
        with transaction.atomic():
            uses = _lock(payment, money)
            earlier = Refund.objects.of(payment.website_id).filter(key=key).first()
            if earlier is None:
                return make(uses)
            if earlier.payment_id != payment.pk or money not in (None, earlier.money):
                raise KeyReused
            return earlier
    except IntegrityError:
        # The same key at the same moment for another payment.
        if not Refund.objects.of(payment.website_id).filter(key=key).exists():
            raise
        raise KeyReused from None


def _lock(payment: Payment, money: Money | None) -> Uses:
    """The payment's locks. Where the wallet alone holds enough, its invoices are left alone: they
    are nobody's concern then, and a credit note that refunds has locked one of them already, before
    others that come earlier in the order."""
    if money is not None and _wallet_holds(payment, money):
        with contextlib.suppress(_Changed), transaction.atomic():
            locks.hold(payment)
            _require_in_reach(payment, money)
            return []
    return payment.lock()


class _Changed(Exception):
    """The wallet has less to give than it seemed; with the transaction go its locks."""


def _require_in_reach(payment: Payment, money: Money) -> None:
    if taking_back.in_reach(payment) < money.amount:
        raise _Changed


def _wallet_holds(payment: Payment, money: Money) -> bool:
    own = payment.in_wallet.amount - taking_back.held(payment)
    return own >= money.amount


def _row(payment: Payment, money: Money, *, key: str, reference: str, reason: str) -> Refund:
    return Refund(
        website_id=payment.website_id,
        payment=payment,
        amount=money.rounded().amount,
        currency=money.currency,
        key=key,
        reference=reference,
        reason=reason[:250],
    )


def _refuse(payment: Payment, money: Money) -> None:
    if payment.status != PaymentStatus.SUCCEEDED:
        raise NotRefundable(f"The payment is {payment.get_status_display()}.")
    if money.currency != payment.currency:
        raise WrongCurrency(f"The payment is in {payment.currency}, not in {money.currency}.")
    if not payment.kept:
        raise NotRefundable("All of the payment is refunded, or on its way back.")
    if not payment.refundable:
        raise InsufficientFunds("What is left of the payment has been used, from the wallet.")
    check_amount(money, "refund")
    if money > payment.kept:
        raise TooMuch(f"{money} is more than can be refunded: {payment.refundable}.")


def _in_wallet(row: Refund) -> Decimal:
    """What of `row` is to come out of the wallet. Raises `InsufficientFunds` where the rest does not
    pay invoices any more either."""
    payment = row.payment
    on_invoices = taking_back.on_invoices(payment)
    there = min(taking_back.in_reach(payment), row.amount)
    if there + on_invoices < row.amount:
        at_most = payment.money_of(taking_back.in_reach(payment) + on_invoices)
        raise InsufficientFunds(
            f"A part of the payment has been used since, from the wallet; at most {at_most} can be "
            "refunded."
        )
    return there


def _make_room(payment: Payment, left: Money) -> None:
    """Let the newest refunds on their way fail until those that remain fit into `left`."""
    for pending in payment.refunds.filter(status=RefundStatus.PENDING):
        if payment.refunding <= left:
            return
        pending.payment = payment
        pending.give_up(gettext("It was refunded elsewhere first."))
