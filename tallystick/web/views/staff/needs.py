"""What needs somebody: counted up to a bound, so that no page waits for a count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils.translation import ngettext

from tallystick.billing.banking.transactions import UNDECIDED, BankTransaction
from tallystick.billing.emails import Email
from tallystick.billing.invoices import Invoice
from tallystick.billing.payments import Payment
from tallystick.billing.states import PaymentStatus
from tallystick.integrations.links import Link
from tallystick.kit import clock
from tallystick.web.views.staff import invoice_filters
from tallystick.web.views.staff.doors import Desk

COUNTED = 1000
RECENT = timedelta(days=30)
"""How long a mail that did not arrive is still news."""


@dataclass(frozen=True, slots=True)
class Need:
    """`text` in words, `url` where it is dealt with; empty where there is no page for it."""

    text: str
    url: str


def needs(desk: Desk) -> list[Need]:
    """The most pressing first."""
    return [need for source in _SOURCES for need in source(desk)]


def _late(desk: Desk) -> Iterator[Need]:
    rows = desk.rows(Invoice.objects).filter(invoice_filters.overdue(desk))
    if number := _count(rows):
        text = ngettext("%(n)s invoice is overdue", "%(n)s invoices are overdue", number)
        yield Need(_said(text, number), _url(desk, "staff-invoices", "status=overdue"))


def _disputed(desk: Desk) -> Iterator[Need]:
    rows = desk.rows(Payment.objects).filter(status=PaymentStatus.DISPUTED)
    if number := _count(rows):
        text = ngettext("%(n)s payment is in dispute", "%(n)s payments are in dispute", number)
        yield Need(_said(text, number), _url(desk, "staff-payments", "status=disputed"))


def _unsent(desk: Desk) -> Iterator[Need]:
    lost = (Email.Outcome.FAILED, Email.Outcome.BOUNCED)
    rows = Email.objects.filter(
        website__in=_ids(desk), outcome__in=lost, created_at__gte=clock.now() - RECENT
    )
    if number := _count(rows):
        text = ngettext("%(n)s e-mail did not arrive", "%(n)s e-mails did not arrive", number)
        yield Need(_said(text, number), _url(desk, "staff-mail", "outcome=failed"))


def _unmatched(desk: Desk) -> Iterator[Need]:
    rows = desk.rows(BankTransaction.objects).filter(state__in=UNDECIDED)
    if number := _count(rows):
        text = ngettext(
            "%(n)s line of the bank's waits to be matched",
            "%(n)s lines of the bank's wait to be matched",
            number,
        )
        yield Need(_said(text, number), _url(desk, "staff-bank"))


def _different(desk: Desk) -> Iterator[Need]:
    rows = Link.objects.waiting_for_us().filter(connection__website__in=_ids(desk))
    if number := _count(rows):
        text = ngettext(
            "%(n)s record differs from the accounting system, or was refused there",
            "%(n)s records differ from the accounting system, or were refused there",
            number,
        )
        yield Need(_said(text, number), _url(desk, "admin:integrations_link_changelist"))


_SOURCES: tuple[Callable[[Desk], Iterator[Need]], ...] = (
    *(_late, _disputed, _unsent, _unmatched, _different),
)


def _count(rows: QuerySet[Any]) -> int:
    return rows.order_by()[: COUNTED + 1].count()


def _said(text: str, number: int) -> str:
    return text % {"n": f"{COUNTED}+" if number > COUNTED else number}


def _ids(desk: Desk) -> list[int]:
    return [desk.website.pk] if desk.website else [website.pk for website in desk.websites]


def _url(desk: Desk, name: str, query: str = "") -> str:
    try:
        url = reverse(name)
    except NoReverseMatch:
        return ""
    if ":" not in name and desk.website:
        query = f"{query}&website={desk.website.uid}" if query else f"website={desk.website.uid}"
    return f"{url}?{query}" if query else url
