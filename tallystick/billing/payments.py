"""Payments: one path for all of them, whatever the method.

Whatever arrives, in whatever order and however often, an invoice is paid exactly once: a payment is
made under the lock of its invoice, one idempotency key makes one payment, and what is more than due
goes to the wallet.
"""

from __future__ import annotations

import datetime
import logging
import uuid
from collections.abc import Callable
from decimal import Decimal

from django.db import IntegrityError, transaction

from tallystick.accounts.roles import Person
from tallystick.billing import methods, totals
from tallystick.billing.drafts import KeyReused, check_key
from tallystick.billing.errors import BillingError
from tallystick.billing.invoices import Invoice
from tallystick.billing.methods import PaymentMethod
from tallystick.billing.payment_rows import Allocation, Payment
from tallystick.billing.states import WrongState
from tallystick.kit import money as kit_money
from tallystick.kit.money import Money

__all__ = ["Allocation", "Payment", "mark_paid", "pay", "receive_external"]

logger = logging.getLogger(__name__)


class NotPayable(WrongState):
    """Only an open invoice can be paid."""


class AlreadyPaid(NotPayable):
    """The invoice is paid already."""


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


def pay(
    invoice: Invoice,
    money: Money,
    *,
    method: str,
    by: Person | None,
    key: str = "",
    reference: str = "",
) -> Payment:
    """Pay `money` of what is due. `by` is who asks; None is the system itself, which may anything.

    A repeat of one `key` returns the first payment. Raises one of the errors above, `UnknownMethod`,
    `InsufficientFunds`, `KeyReused` or `BadKey`; then nothing was done."""
    chosen = methods.named(method)
    if by is not None and not chosen.may_use(invoice, by):
        raise NotAllowed

    def make(key: str) -> Payment:
        _refuse(invoice, money, chosen)
        return _take(invoice, money, chosen, by=by, key=key, reference=reference)

    return _once(invoice, _request_key(key), method, make, money.amount)


def mark_paid(
    invoice: Invoice, *, by: Person | None, reference: str = "", key: str = ""
) -> Payment:
    """Staff saw all that is due arrive. Raises as `pay` does."""
    if by is not None and not methods.MANUAL.may_use(invoice, by):
        raise NotAllowed

    def make(key: str) -> Payment:
        money = invoice.due
        _refuse(invoice, money, methods.MANUAL)
        return _take(invoice, money, methods.MANUAL, by=by, key=key, reference=reference)

    return _once(invoice, _request_key(key), methods.MANUAL.name, make)


def receive_external(
    invoice: Invoice,
    *,
    amount: Decimal,
    reference: str,
    date: datetime.date,
    method: str,
) -> Payment:
    """A system outside says that `amount` of the invoice's currency was paid there on `date`.

    Once per `reference` and `method`. What is more than due, or came for an invoice that is paid
    or void, goes to the wallet. Raises `BadAmount`, `BadKey`."""
    money = Money(amount, invoice.currency)
    _refuse_amount(money)
    if not reference:
        raise BadAmount("A payment made elsewhere has a reference.")

    def make(key: str) -> Payment:
        payment = Payment.of(invoice, money, method=method, key=key, reference=reference)
        payment.received_on = date
        payment.save(force_insert=True)
        payment.settle(invoice)
        return payment

    key = check_key(f"external:{method}:{reference}")
    payment = _once(invoice, key, method, make)
    if payment.amount != money.amount:
        logger.warning("payment %s: now %s there, %s here", payment.uid, money, payment.money)
    return payment


def _once(
    invoice: Invoice,
    key: str,
    method: str,
    make: Callable[[str], Payment],
    amount: Decimal | None = None,
) -> Payment:
    """The payment of `key`: the one there is, or what `make` makes under the invoice's lock."""
    try:
        with transaction.atomic():
            invoice.lock()
            return _earlier(invoice, key, method, amount) or make(key)
    except IntegrityError:
        # The same key at the same moment for another invoice.
        if not Payment.objects.of(invoice.website_id).filter(key=key).exists():
            raise
        raise KeyReused from None


def _earlier(invoice: Invoice, key: str, method: str, amount: Decimal | None) -> Payment | None:
    payment = Payment.objects.of(invoice.website_id).filter(key=key).first()
    if payment is None:
        return None
    same = payment.invoice_id == invoice.pk and payment.method == method
    if not same or amount not in (None, payment.amount):
        raise KeyReused
    return payment


def _take(
    invoice: Invoice,
    money: Money,
    method: PaymentMethod,
    *,
    by: Person | None,
    key: str,
    reference: str,
) -> Payment:
    payment = Payment.of(invoice, money, method=method.name, key=key, reference=reference)
    payment.created_by_id = by.pk if by is not None and by.is_authenticated else None
    payment.save(force_insert=True)
    if method.settles_at_once:
        method.collect(payment)
        payment.settle(invoice)
    return payment


def _refuse(invoice: Invoice, money: Money, method: PaymentMethod) -> None:
    if invoice.is_paid:
        raise AlreadyPaid
    if not invoice.is_payable:
        raise NotPayable(
            f"The invoice is {invoice.get_status_display()}; only an open one is paid."
        )
    if money.currency != invoice.currency:
        raise WrongCurrency(f"The invoice is in {invoice.currency}, not in {money.currency}.")
    _refuse_amount(money)
    if money > invoice.due:
        raise TooMuch(f"{money} is more than what is due: {invoice.due}.")
    parts = method.takes_parts or invoice.website.allow_part_payments
    if money < invoice.due and not parts:
        raise WholeSumOnly(f"This invoice is paid in one sum: {invoice.due}.")


def _refuse_amount(money: Money) -> None:
    if money.amount <= 0:
        raise BadAmount("A payment is more than zero.")
    if money.rounded() != money:
        raise BadAmount(f"{money.amount:f} is finer than {money.currency} is.")
    if money.amount >= totals.largest(money.currency):
        raise BadAmount("The amount is too large.")


def _request_key(key: str) -> str:
    return f"request:{check_key(key) or uuid.uuid4().hex}"
