"""A year and more of a small business, for what looks at figures: the same each time."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from tallystick.accounts.models import Account
from tallystick.billing import payments, refunds
from tallystick.billing.credit_notes import issue_credit_note
from tallystick.billing.invoices import Invoice
from tallystick.billing.lines import LineDraft
from tallystick.kit import clock
from tallystick.kit.money import Money

METHODS = ("bank_transfer", "bank_transfer", "bank_transfer", "stripe", "stripe", "paypal")


def months(account: Account, *, count: int = 14, each: int = 6) -> None:
    """`count` months up to today with `each` invoices, paid soon, late, in parts or not at all."""
    chance = random.Random(7)
    today = account.website.today()
    days = sorted(chance.randrange(count * 30) for _ in range(count * each))
    waiting: list[tuple[int, Invoice]] = []
    for ago in range(count * 30, -1, -1):
        with clock.use(clock.VirtualClock(_noon(account, today - timedelta(days=ago)))):
            for _ in range(days.count(ago)):
                invoice = _issued(account, chance)
                waiting.append((ago - chance.choice((3, 9, 12, 15, 15, 20, 34, 48, 120)), invoice))
            for at, invoice in waiting:
                if at == ago:
                    _settled(invoice, chance)


def _issued(account: Account, chance: random.Random) -> Invoice:
    price = Decimal(chance.randrange(20_000, 480_000)) / 100
    lines = [LineDraft("Work by the hour", unit_price=price)]
    return Invoice.objects.bill(account=account, lines=lines, title="Work", send=False)


def _settled(invoice: Invoice, chance: random.Random) -> None:
    luck = chance.random()
    if luck < 0.03:
        invoice.write_off(reason="The company is gone.")
    elif luck < 0.06:
        issue_credit_note(invoice, reason="Not as agreed.", by=None)
    else:
        amount = invoice.amount_due
        if luck < 0.12:
            amount = Money(amount / 2, invoice.currency).rounded().amount
        payment = payments.receive_external(
            invoice,
            amount=amount,
            reference=invoice.number,
            date=invoice.website.today(),
            method=chance.choice(METHODS),
        )
        if luck > 0.97:
            refunds.refund(payment, None, by=None, reason="Goodwill")


def _noon(account: Account, day: date) -> datetime:
    return datetime.combine(day, time(12), ZoneInfo(account.website.time_zone))
