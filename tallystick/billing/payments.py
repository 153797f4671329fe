"""Payments: one path for all of them, whatever the method.

Whatever arrives, in whatever order and however often, an invoice is paid exactly once: a payment is
made under the lock of its invoice, one idempotency key makes one payment, and what is more than due
goes to the wallet.
"""

from __future__ import annotations

import datetime
import logging
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal

from django.db import IntegrityError, transaction

from tallystick.accounts.models import Account
from tallystick.accounts.roles import Person
from tallystick.billing import days, locks, methods, paylinks, taking_back, tokens
from tallystick.billing.allocations import Allocation, PaymentShare, by_payment
from tallystick.billing.drafts import KeyReused, check_key
from tallystick.billing.invoices import Invoice
from tallystick.billing.link_states import LinkState
from tallystick.billing.methods import PaymentMethod
from tallystick.billing.payment_rows import Payment, Uses
from tallystick.billing.refunds import Refund, receive_external_refund, refund
from tallystick.billing.refusals import (
    AlreadyPaid,
    BadAmount,
    BadShares,
    LinkUsed,
    NotAllowed,
    NotPayable,
    TooMuch,
    WholeSumOnly,
    WrongCurrency,
    check_amount,
)
from tallystick.billing.wallets import WalletEntry
from tallystick.events import record
from tallystick.kit.money import Money

__all__ = [
    "Allocation",
    "AlreadyPaid",
    "BadAmount",
    "BadShares",
    "NotAllowed",
    "NotPayable",
    "Payment",
    "Refund",
    "TooMuch",
    "WholeSumOnly",
    "WrongCurrency",
    "mark_paid",
    "pay",
    "pay_many",
    "receive_external",
    "receive_external_refund",
    "refund",
    "release",
]

logger = logging.getLogger(__name__)


def pay(  # noqa: PLR0913 - what an order to pay says
    invoice: Invoice,
    money: Money | None,
    *,
    method: str,
    by: Person | None,
    key: str = "",
    reference: str = "",
    link: str = "",
) -> Payment:
    """Pay `money` of what is due; None is all of it. `by` is who asks; None is the system itself, which may anything.
    `link` is the token of the payment link that was paid by, where it was by one.

    A repeat of one `key` returns the first payment. Raises one of the errors above, `UnknownMethod`,
    `InsufficientFunds`, `KeyReused` or `BadKey`; then nothing was done."""
    chosen = methods.named(method)
    if by is not None and not chosen.may_use(invoice, by):
        raise NotAllowed

    def make(key: str) -> Payment:
        asked = invoice.due if money is None else money
        _refuse(invoice, asked, chosen)
        if link and paylinks.state(invoice) == LinkState.USED:
            raise LinkUsed
        payment = Payment.of(invoice, asked, method=method, key=key, reference=reference)
        payment.link = tokens.digest(link) if link else ""
        return _take(payment, invoice, chosen, by=by)

    return _once(invoice, _request_key(key), method, make, None if money is None else money.amount)


def mark_paid(
    invoice: Invoice, *, by: Person | None, reference: str = "", key: str = ""
) -> Payment:
    """Staff saw all that is due arrive. Raises as `pay` does."""
    if by is not None and not methods.MANUAL.may_use(invoice, by):
        raise NotAllowed

    def make(key: str) -> Payment:
        money = invoice.due
        _refuse(invoice, money, methods.MANUAL)
        payment = Payment.of(invoice, money, method=manual, key=key, reference=reference)
        return _take(payment, invoice, methods.MANUAL, by=by)

    manual = methods.MANUAL.name
    return _once(invoice, _request_key(key), manual, make)


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
    check_amount(money)
    if not reference:
        raise BadAmount("A payment made elsewhere has a reference.")

    def make(key: str) -> Payment:
        payment = Payment.of(invoice, money, method=method, key=key, reference=reference)
        payment.received_on = date
        payment.save(force_insert=True)
        payment.settle([(invoice, invoice.amount)])
        return payment

    key = check_key(f"external:{method}:{reference}")
    payment = _once(invoice, key, method, make)
    if payment.amount != money.amount:
        logger.warning("payment %s: now %s there, %s here", payment.uid, money, payment.money)
    return payment


def pay_many(  # noqa: PLR0913 - what an order to pay says
    account: Account,
    shares: Sequence[tuple[Invoice, Decimal]],
    *,
    method: str,
    by: Person | None,
    key: str = "",
    reference: str = "",
    received_on: datetime.date | None = None,
    extra: Decimal = Decimal(0),
) -> Payment:
    """One payment of `account` over several of its invoices in one currency: so much of what is due
    of each, and `extra` for the wallet. All or nothing.

    Where the method waits for word from outside, the shares are kept; when the money comes, each
    invoice gets its own as far as that is due by then. A repeat of one `key` returns the first
    payment. Raises as `pay` does, `BadShares`, and `BadDay`."""
    chosen = methods.named(method)
    if not _are_fit(account, shares):
        raise BadShares
    if by is not None and not all(chosen.may_use(invoice, by) for invoice, _amount in shares):
        raise NotAllowed
    total = Money(sum((amount for _i, amount in shares), extra), shares[0][0].currency)
    key = _request_key(key)
    with transaction.atomic():
        for invoice in sorted((invoice for invoice, _amount in shares), key=lambda row: row.pk):
            invoice.lock()
        if earlier := _earlier_of_many(account, shares, key, method, total):
            return earlier
        for invoice, amount in shares:
            _refuse(invoice, Money(amount, total.currency), chosen)
        if extra:
            check_amount(Money(extra, total.currency))
        if not chosen.by_statement:  # whose day was checked when it was read
            days.check_received(received_on, account.website.today())
        payment = Payment.of(shares[0][0], total, method=method, key=key, reference=reference)
        payment.invoice = shares[0][0] if len(shares) == 1 else None
        payment.received_on = received_on
        payment.created_by_id = _id_of(by)
        payment.save(force_insert=True)
        PaymentShare.objects.bulk_create(
            PaymentShare(payment=payment, invoice=invoice, amount=amount)
            for invoice, amount in shares
        )
        _collect(payment, chosen, shares)
    return payment


def release(invoice: Invoice, amount: Decimal, *, cause: str) -> list[tuple[Payment, Decimal]]:
    """Take `amount` of what was paid out of the payments of `invoice`, newest first, into the
    wallet. Returns of which payment how much.

    Called by `issue_credit_note`, which has the invoice locked and calls `invoice.credit` with what
    was released in the same transaction: that is what changes the invoice's own amounts. What of it
    refunds on their way count on is held for them."""
    taken = []
    for payment, given in reversed(by_payment(invoice)):
        if part := min(given, amount):
            taken.append((payment, part))
            amount -= part
    if amount:
        raise TooMuch("More was to be released than had been paid.")
    for payment, _part in sorted(taken, key=lambda row: row[0].pk):
        locks.hold(payment)
    taking_back.book(
        [
            Allocation(payment=payment, invoice=invoice, amount=-part, cause=cause)
            for payment, part in taken
        ]
    )
    for payment, part in taken:
        payment.wallet().credit(
            payment.money_of(part),
            WalletEntry.Reason.CREDIT_NOTE,
            payment=payment,
            key=f"{cause}:{payment.uid.hex}",
        )
        taking_back.reserve(payment)
    return taken


def _are_fit(account: Account, shares: Uses) -> bool:
    invoices = [invoice for invoice, _amount in shares]
    return (
        0 < len(invoices) == len({invoice.pk for invoice in invoices})
        and {invoice.client_id for invoice in invoices} == {account.pk}
        and len({invoice.currency for invoice in invoices}) == 1
    )


def _earlier_of_many(
    account: Account, shares: Uses, key: str, method: str, total: Money
) -> Payment | None:
    payment = Payment.objects.of(account.website_id).filter(key=key).first()
    if payment is None:
        return None
    asked = {invoice.pk: amount for invoice, amount in shares}
    same = dict(payment.shares.values_list("invoice", "amount")) == asked
    if not same or (payment.method, payment.asked) != (method, total.amount):
        raise KeyReused
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
    if not same or amount not in (None, payment.asked):
        raise KeyReused
    return payment


def _take(
    payment: Payment, invoice: Invoice, method: PaymentMethod, *, by: Person | None
) -> Payment:
    payment.created_by_id = _id_of(by)
    payment.save(force_insert=True)
    _collect(payment, method, [(invoice, invoice.amount)])
    return payment


def _collect(payment: Payment, method: PaymentMethod, uses: Uses) -> None:
    """Take the money where that is done at once; say that it is awaited where not."""
    if method.settles_at_once:
        method.collect(payment)
        payment.settle(uses)
    else:
        change = {"amount": payment.amount, "currency": payment.currency}
        record("payment.pending", payment, change=change)


def _id_of(by: Person | None) -> int | None:
    return by.pk if by is not None and by.is_authenticated else None


def _refuse(invoice: Invoice, money: Money, method: PaymentMethod) -> None:
    if invoice.is_paid:
        raise AlreadyPaid
    if not invoice.is_payable:
        raise NotPayable(
            f"The invoice is {invoice.get_status_display()}; only an open one is paid."
        )
    if money.currency != invoice.currency:
        raise WrongCurrency(f"The invoice is in {invoice.currency}, not in {money.currency}.")
    check_amount(money)
    if money > invoice.due:
        raise TooMuch(f"{money} is more than what is due: {invoice.due}.")
    parts = method.takes_parts or invoice.website.allow_part_payments
    if money < invoice.due and not parts:
        raise WholeSumOnly(f"This invoice is paid in one sum: {invoice.due}.")


def _request_key(key: str) -> str:
    return f"request:{check_key(key) or uuid.uuid4().hex}"
