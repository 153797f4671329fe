"""Reading invoices: by id, by number, and page by page what has changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from tallystick.ports.records import InvoiceStatus, Remote, RemoteInvoice, RemotePayment
from tallystick.ports.roles import Page
from tallystick.providers.xero.api import XeroApi
from tallystick.providers.xero.desk import WEB
from tallystick.providers.xero.schema import InvoiceState, InvoiceStates, PaymentInside
from tallystick.providers.xero.wording import address_sized

PAGE = "/AccountsReceivable/View.aspx?InvoiceID="
PAGE_SIZE = 100
IDS_AT_ONCE = 40

SALES = "ACCREC"
_ID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII)
# A list without a page number leaves out lines and payments.
_WHOLE = {"page": "1", "pageSize": str(PAGE_SIZE)}
_STATUSES = {
    "DRAFT": InvoiceStatus.DRAFT,
    "SUBMITTED": InvoiceStatus.DRAFT,
    "PAID": InvoiceStatus.PAID,
    "VOIDED": InvoiceStatus.VOID,
    "DELETED": InvoiceStatus.VOID,
}
_ZERO = Decimal(0)

# An invoice that changes while numbered pages are turned moves to the end, and pulls the next one
# over the edge of a page. So the next question begins anew at the second where the page ended: at
# once where that re-reads few, else (bulk changes share their second) every so many pages.
_RE_READ = 5
_PAGES_IN_A_ROW = 10


def by_ids(api: XeroApi, ids: Sequence[str]) -> list[InvoiceState]:
    """Those that are sales invoices; an id that is none makes Xero refuse the call, so it is left
    out."""
    asked = [identity for identity in ids if _ID.fullmatch(identity)]
    return _states(api, {"IDs": ",".join(asked)}) if asked else []


def by_numbers(api: XeroApi, numbers: Sequence[str]) -> dict[str, InvoiceState]:
    """Number in lower case -> the sales invoice that has it; deleted drafts have given theirs up."""
    found: dict[str, InvoiceState] = {}
    for group in address_sized(numbers, most=IDS_AT_ONCE):
        for state in _states(api, {"InvoiceNumbers": ",".join(group)}):
            if state.status != "DELETED":
                found[state.number.lower()] = state
    return found


def changed(api: XeroApi, since: datetime | None, cursor: str) -> Page[RemoteInvoice]:
    """One page of the sales invoices changed since, oldest change first."""
    place = _Place.parse(cursor) if cursor else _Place(since)
    reply = api.get(
        "/Invoices",
        InvoiceStates,
        params={
            "where": f'Type=="{SALES}"',
            "order": "UpdatedDateUTC ASC",
            "page": str(place.page),
            "pageSize": str(PAGE_SIZE),
        },
        headers=place.header(),
    )
    invoices = [state for state in reply.invoices if state.type == SALES]
    is_last = len(reply.invoices) < PAGE_SIZE
    if reply.pagination:
        is_last = reply.pagination.page >= reply.pagination.page_count
    after = "" if is_last or not invoices else str(place.after(invoices))
    return Page(tuple(map(remote_invoice, invoices)), after)


class _Place:
    """How far a pull has come: page `page` of what changed at or after `since`."""

    def __init__(self, since: datetime | None, page: int = 1) -> None:
        self.since = since.astimezone(UTC).replace(microsecond=0) if since else None
        self.page = page

    @classmethod
    def parse(cls, cursor: str) -> _Place:
        since, _, page = cursor.partition("/")
        return cls(datetime.fromisoformat(since) if since else None, int(page))

    def __str__(self) -> str:
        return f"{self.since.isoformat() if self.since else ''}/{self.page}"

    def header(self) -> dict[str, str]:
        # UTC without saying so: neither an HTTP date nor a zone is understood.
        return {"If-Modified-Since": f"{self.since:%Y-%m-%dT%H:%M:%S}"} if self.since else {}

    def after(self, invoices: Sequence[InvoiceState]) -> _Place:
        second = invoices[-1].updated_at.replace(microsecond=0)
        again = sum(invoice.updated_at >= second for invoice in invoices)
        is_due = again <= _RE_READ or self.page >= _PAGES_IN_A_ROW
        if is_due and again < len(invoices):
            return _Place(second)
        return _Place(self.since, self.page + 1)


def remote_invoice(state: InvoiceState) -> RemoteInvoice:
    payments = tuple(map(_remote_payment, state.payments))
    return RemoteInvoice(
        remote=Remote(state.id, state.updated_at.isoformat(), WEB + PAGE + state.id),
        number=state.number,
        status=_status(state),
        currency=state.currency,
        total=state.total,
        amount_due=state.amount_due,
        amount_paid=state.amount_paid,
        amount_credited=state.amount_credited,
        updated_at=state.updated_at,
        customer_id=state.contact.id,
        payments=payments,
        payments_complete=sum((p.amount for p in payments), _ZERO) == state.amount_paid,
    )


def _states(api: XeroApi, asked: Mapping[str, str]) -> list[InvoiceState]:
    reply = api.get("/Invoices", InvoiceStates, params={**asked, **_WHOLE})
    return [state for state in reply.invoices if state.type == SALES]


def _remote_payment(payment: PaymentInside) -> RemotePayment:
    return RemotePayment(Remote(payment.id), payment.amount, payment.day, payment.reference)


def _status(state: InvoiceState) -> InvoiceStatus:
    """What is approved is told apart by what is due, and so is a status we do not know."""
    known = _STATUSES.get(state.status)
    if known:
        return known
    if state.amount_due <= _ZERO:
        return InvoiceStatus.PAID
    return InvoiceStatus.OPEN if state.amount_due == state.total else InvoiceStatus.PARTIALLY_PAID
