"""Reading lists page by page as they change, and what an invoice says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeVar

from tallystick.ports.records import InvoiceStatus, Remote, RemoteInvoice, RemotePayment
from tallystick.providers.invoiceninja.api import InvoiceNinjaApi
from tallystick.providers.invoiceninja.schema import Invoice, Many, Payment, State

S = TypeVar("S", bound=State)

_PAGE_SIZE = 100
_EVERY_STATUS = "active,archived,deleted"
_STATUSES = {
    "1": InvoiceStatus.DRAFT,
    "2": InvoiceStatus.OPEN,
    "3": InvoiceStatus.PARTIALLY_PAID,
    "4": InvoiceStatus.PAID,
    "5": InvoiceStatus.VOID,
    "6": InvoiceStatus.VOID,
}
_NOT_PAID = frozenset({"2", "3"})
"""Payments that were cancelled, or failed."""
_ZERO = Decimal(0)

# What changes while numbered pages are turned moves to the end, and pulls the next one over the edge
# of a page. So the next question begins anew at the second where the page ended: at once where that
# re-reads few, else (bulk changes share their second) every so many pages.
_RE_READ = 5
_PAGES_IN_A_ROW = 10


def changed(
    api: InvoiceNinjaApi,
    path: str,
    schema: type[Many[S]],
    since: datetime | None,
    cursor: str,
    *,
    include: str = "",
) -> tuple[tuple[S, ...], str]:
    """One page of what changed since, oldest change first, and the cursor of the page after it."""
    place = _Place.parse(cursor) if cursor else _Place(int(since.timestamp()) if since else 0)
    params = {
        "sort": "updated_at|asc",
        "status": _EVERY_STATUS,
        "page": str(place.page),
        "per_page": str(_PAGE_SIZE),
        **place.params(),
        **({"include": include} if include else {}),
    }
    reply = api.get(path, schema, params=params)
    is_last = len(reply.data) < _PAGE_SIZE
    if reply.meta:
        is_last = reply.meta.pagination.current_page >= reply.meta.pagination.total_pages
    after = "" if is_last or not reply.data else str(place.after(reply.data))
    return reply.data, after


class _Place:
    """How far a pull has come: page `page` of what changed at or after `since` (unix seconds)."""

    def __init__(self, since: int, page: int = 1) -> None:
        self.since = since
        self.page = page

    @classmethod
    def parse(cls, cursor: str) -> _Place:
        since, _, page = cursor.partition("/")
        return cls(int(since), int(page))

    def __str__(self) -> str:
        return f"{self.since}/{self.page}"

    def params(self) -> dict[str, str]:
        return {"updated_at": str(self.since)} if self.since else {}

    def after(self, rows: Sequence[State]) -> _Place:
        second = rows[-1].updated_at
        again = sum(row.updated_at >= second for row in rows)
        is_due = again <= _RE_READ or self.page >= _PAGES_IN_A_ROW
        if is_due and again < len(rows):
            return _Place(second)
        return _Place(self.since, self.page + 1)


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def remote_invoice(state: Invoice, remote: Remote, currency: str) -> RemoteInvoice:
    status = _status(state)
    due = state.amount if status is InvoiceStatus.DRAFT else state.balance
    due = _ZERO if status is InvoiceStatus.VOID else due
    payments = tuple(
        found for payment in state.payments or () if (found := _payment(payment, state.id))
    )
    live = sum((payment.amount for payment in payments if not payment.is_deleted), _ZERO)
    credited = _ZERO
    if status is not InvoiceStatus.VOID:
        credited = max(state.amount - due - state.paid_to_date, _ZERO)
    return RemoteInvoice(
        remote=remote,
        number=state.number,
        status=status,
        currency=currency,
        total=state.amount,
        amount_due=due,
        amount_paid=state.paid_to_date,
        amount_credited=credited,
        updated_at=moment(state.updated_at),
        customer_id=state.client_id,
        payments=payments,
        payments_complete=state.payments is not None and live == state.paid_to_date,
    )


def _payment(payment: Payment, invoice_id: str) -> RemotePayment | None:
    """What of a payment went to this invoice, less what was paid back."""
    shares = [share for share in payment.paymentables if share.invoice_id == invoice_id]
    amount = sum((share.amount - share.refunded for share in shares), _ZERO)
    is_gone = payment.is_deleted or payment.status_id in _NOT_PAID
    if not payment.paymentables:
        amount = payment.amount - payment.refunded
    try:
        day = date.fromisoformat(payment.date[:10])
    except ValueError:
        day = moment(payment.updated_at).date()
    remote = Remote(payment.id, str(payment.updated_at))
    if not amount and not is_gone:
        return None
    return RemotePayment(remote, amount, day, payment.transaction_reference, is_gone)


def _status(state: Invoice) -> InvoiceStatus:
    """A status we do not know (those that are reckoned: overdue, unpaid) is told by what is due."""
    if state.is_deleted:
        return InvoiceStatus.VOID
    known = _STATUSES.get(state.status_id)
    if known:
        return known
    if state.balance <= _ZERO:
        return InvoiceStatus.PAID
    return InvoiceStatus.OPEN if state.balance == state.amount else InvoiceStatus.PARTIALLY_PAID
