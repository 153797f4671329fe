"""What a client owes, in sums and in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from babel import Locale
from babel.lists import format_list
from django.db.models import Count, F, Min, Q, QuerySet, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tallystick.accounts.standing import Person
from tallystick.billing.invoices import Invoice
from tallystick.billing.states import InvoiceStatus
from tallystick.kit import clock, spelling
from tallystick.kit.money import Money

OWED = (InvoiceStatus.OPEN, InvoiceStatus.PARTIALLY_PAID)
_DUE = F("amount") - F("amount_paid") - F("amount_credited")


@dataclass(frozen=True, slots=True)
class Debt:
    """What is owed in one currency."""

    money: Money
    count: int
    overdue: int
    next_due: date | None


def owed_by(user: Person) -> QuerySet[Invoice]:
    return Invoice.objects.own(user).filter(status__in=OWED)


def debts_of(user: Person) -> list[Debt]:
    today = clock.now().date()
    rows = (
        owed_by(user)
        .order_by()
        .values("currency")
        .annotate(
            owed=Sum(_DUE),
            count=Count("pk"),
            overdue=Count("pk", filter=Q(due_date__lt=today)),
            next_due=Min("due_date", filter=Q(due_date__gte=today)),
        )
    )
    return [
        Debt(
            Money(row["owed"], row["currency"]).rounded(),
            row["count"],
            row["overdue"],
            row["next_due"],
        )
        for row in rows.order_by("currency")
    ]


def sentence(debts: list[Debt], locale: Locale) -> str:
    """You owe 1,190.00 EUR; the next is due on 3 May."""
    if not debts:
        return _("You owe nothing.")
    sums = [
        f"{_spelt(debt.money, locale)}\N{NO-BREAK SPACE}{debt.money.currency}" for debt in debts
    ]
    owed = format_list(sums, "standard", locale=locale)
    overdue = sum(debt.overdue for debt in debts)
    if overdue:
        said = ngettext(
            "You owe %(sum)s; %(n)d invoice is overdue.",
            "You owe %(sum)s; %(n)d invoices are overdue.",
            overdue,
        )
        return said % {"sum": owed, "n": overdue}
    days = [debt.next_due for debt in debts if debt.next_due]
    return _until(owed, spelling.day(min(days), locale), debts) if days else _owing(owed)


def _owing(owed: str) -> str:
    return _("You owe %(sum)s.") % {"sum": owed}


def _until(owed: str, day: str, debts: list[Debt]) -> str:
    if sum(debt.count for debt in debts) == 1:
        return _("You owe %(sum)s, due on %(day)s.") % {"sum": owed, "day": day}
    return _("You owe %(sum)s; the next is due on %(day)s.") % {"sum": owed, "day": day}


def _spelt(money: Money, locale: Locale) -> str:
    return spelling.amount(money.amount, money.currency, locale)
