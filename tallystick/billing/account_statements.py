"""A statement of account: all that moved between us and a client in a currency, and what it led to.

Above zero: they owe us. What moves within their own wallet is no movement between us: a payment from
it, or what it keeps of another payment, changes nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tallystick.billing.credit_notes import CreditNote
from tallystick.billing.disputes import Dispute
from tallystick.billing.invoices import Invoice
from tallystick.billing.methods import WALLET
from tallystick.billing.payments import Payment
from tallystick.billing.refunds import Refund
from tallystick.billing.states import InvoiceStatus
from tallystick.billing.wallets import WalletEntry
from tallystick.kit.money import round_amount

if TYPE_CHECKING:
    from tallystick.accounts.models import Account

_GRANTED = (WalletEntry.Reason.CREDIT, WalletEntry.Reason.CORRECTION)


class Move(StrEnum):
    INVOICE = "invoice"
    VOID = "void"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    REFUND = "refund"
    DISPUTE = "dispute"
    WALLET = "wallet"


@dataclass(frozen=True, slots=True)
class Movement:
    """`amount` above zero is owed more, below it less; `name` is the document's. `about` leads there."""

    day: date
    kind: Move
    name: str
    amount: Decimal
    about: Invoice | CreditNote | Payment | None = None
    balance: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Statement:
    """What was owed on the morning of `start`, what moved until the evening of `end`, what is owed
    then."""

    currency: str
    start: date
    end: date
    opening: Decimal
    movements: list[Movement]
    closing: Decimal


def statement(account: Account, currency: str, start: date, end: date) -> Statement:
    moved = sorted(_moved(account, currency), key=lambda movement: movement.day)
    before = [each for each in moved if each.day < start]
    within = [each for each in moved if start <= each.day <= end]
    opening = round_amount(_sum(before), currency)
    balance, rows = opening, []
    for each in within:
        balance += each.amount
        rows.append(replace(each, balance=balance))
    return Statement(currency, start, end, opening, rows, balance)


def currencies(account: Account) -> list[str]:
    """Those in which there was anything between us, the account's own first."""
    invoiced = Invoice.objects.of(account.website_id).filter(client=account)
    paid = Payment.objects.of(account.website_id).filter(account=account)
    used = {*invoiced.order_by().values_list("currency", flat=True).distinct()}
    used |= {*paid.order_by().values_list("currency", flat=True).distinct()}
    own = account.billing_currency
    return [own, *sorted(used - {own})]


def _moved(account: Account, currency: str) -> Iterator[Movement]:
    zone = ZoneInfo(account.website.time_zone)
    yield from _invoiced(account, currency, zone)
    yield from _credited(account, currency)
    yield from _paid(account, currency, zone)
    yield from _disputed(account, currency, zone)
    yield from _granted(account, currency, zone)


def _invoiced(account: Account, currency: str, zone: ZoneInfo) -> Iterator[Movement]:
    ours = Invoice.objects.of(account.website_id).filter(client=account, currency=currency)
    for invoice in ours.exclude(status=InvoiceStatus.DRAFT).order_by("id"):
        if invoice.issue_date is not None:
            yield Movement(
                invoice.issue_date, Move.INVOICE, invoice.number, invoice.amount, invoice
            )
        if invoice.voided_at is not None:
            day = _day(invoice.voided_at, zone)
            yield Movement(day, Move.VOID, invoice.number, -invoice.amount, invoice)


def _credited(account: Account, currency: str) -> Iterator[Movement]:
    ours = CreditNote.objects.of(account.website_id).filter(client=account, currency=currency)
    for note in ours.order_by("id"):
        if note.issue_date is not None:
            yield Movement(note.issue_date, Move.CREDIT_NOTE, note.number, -note.amount, note)


def _paid(account: Account, currency: str, zone: ZoneInfo) -> Iterator[Movement]:
    ours = Payment.objects.of(account.website_id).filter(account=account, currency=currency)
    came = ours.filter(succeeded_at__isnull=False).exclude(method=WALLET.name)
    for payment in came.order_by("id"):
        assert payment.succeeded_at is not None  # noqa: S101 - asked for above
        day = payment.received_on or _day(payment.succeeded_at, zone)
        yield Movement(day, Move.PAYMENT, payment.reference, -payment.amount, payment)
    back = Refund.objects.of(account.website_id).filter(
        payment__account=account, currency=currency, status=Refund.Status.SUCCEEDED
    )
    for refund in back.exclude(payment__method=WALLET.name).select_related("payment"):
        assert refund.succeeded_at is not None  # noqa: S101 - a constraint of the row
        day = refund.refunded_on or _day(refund.succeeded_at, zone)
        yield Movement(day, Move.REFUND, refund.reference, refund.amount, refund.payment)


def _disputed(account: Account, currency: str, zone: ZoneInfo) -> Iterator[Movement]:
    """What the bank has, or gave back: what it paid is owed again."""
    disputes = Dispute.objects.filter(payment__account=account, payment__currency=currency)
    for dispute in disputes.exclude(state=Dispute.State.WON).select_related("payment"):
        day = _day(dispute.opened_at, zone)
        yield Movement(day, Move.DISPUTE, dispute.reference, dispute.amount, dispute.payment)


def _granted(account: Account, currency: str, zone: ZoneInfo) -> Iterator[Movement]:
    entries = WalletEntry.objects.filter(
        wallet__account=account, wallet__currency=currency, reason__in=_GRANTED
    )
    for entry in entries.order_by("id"):
        yield Movement(_day(entry.created_at, zone), Move.WALLET, entry.note, -entry.amount)


def _sum(moved: Iterable[Movement]) -> Decimal:
    return sum((each.amount for each in moved), Decimal(0))


def _day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()
