from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from tallystick.ports.records import InvoiceStatus
from tallystick.ports.testing import Recorder
from tallystick.providers.invoiceninja import InvoiceNinja
from tallystick.providers.invoiceninja.tests.answers import fixture, ninja, settings

ONE = "GET invoices/AxP7K9nY5z"


def told(**changes: object) -> bytes:
    body: dict[str, Any] = json.loads(fixture("invoice_partly_paid"))
    body["data"].update(changes)
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    ("changes", "status", "due"),
    [
        ({}, InvoiceStatus.PARTIALLY_PAID, 69),
        ({"status_id": "1", "balance": 0, "paid_to_date": 0}, InvoiceStatus.DRAFT, 119),
        ({"status_id": "2", "balance": 119, "paid_to_date": 0}, InvoiceStatus.OPEN, 119),
        ({"status_id": "4", "balance": 0, "paid_to_date": 119}, InvoiceStatus.PAID, 0),
        ({"status_id": "5", "balance": 69}, InvoiceStatus.VOID, 0),
        ({"status_id": "6"}, InvoiceStatus.VOID, 0),
        ({"is_deleted": True}, InvoiceStatus.VOID, 0),
        ({"status_id": "-1"}, InvoiceStatus.PARTIALLY_PAID, 69),
        ({"status_id": "-2", "balance": 119}, InvoiceStatus.OPEN, 119),
        ({"status_id": "99", "balance": 0}, InvoiceStatus.PAID, 0),
        ({"archived_at": 1768903300}, InvoiceStatus.PARTIALLY_PAID, 69),
    ],
    ids=str,
)
def test_what_an_invoice_says(changes: dict[str, object], status: InvoiceStatus, due: int) -> None:
    client, _ = ninja({ONE: told(**changes)})
    (found,) = client.fetch_invoices(["AxP7K9nY5z"])
    assert (found.status, found.amount_due) == (status, Decimal(due))
    assert found.total == Decimal(119)
    assert found.currency == "EUR"


def test_what_of_a_payment_went_to_the_invoice() -> None:
    client, _ = ninja({ONE: told()})
    (found,) = client.fetch_invoices(["AxP7K9nY5z"])
    (payment,) = found.payments
    assert payment.amount == Decimal(50)
    assert payment.reference == "y-00000000000000000000000000000001"
    assert found.payments_complete


def test_a_payment_that_failed_or_was_taken_back_is_gone() -> None:
    body = json.loads(told(paid_to_date=0, balance=119, status_id="2"))
    (kept,) = body["data"]["payments"]
    body["data"]["payments"] = [
        {**kept, "status_id": "3"},
        {**kept, "id": "Deleted1", "is_deleted": True},
        {**kept, "id": "Back1", "paymentables": [{**kept["paymentables"][0], "refunded": 50}]},
        {**kept, "id": "Other1", "paymentables": [{"invoice_id": "Another", "amount": 7}]},
    ]
    client, _ = ninja({ONE: json.dumps(body).encode()})
    (found,) = client.fetch_invoices(["AxP7K9nY5z"])
    assert [payment.is_deleted for payment in found.payments] == [True, True]
    assert found.payments_complete


def test_credit_is_told_apart_from_what_was_paid() -> None:
    client, _ = ninja({ONE: told(balance=40)})
    (found,) = client.fetch_invoices(["AxP7K9nY5z"])
    assert (found.amount_paid, found.amount_credited) == (Decimal(50), Decimal(29))


class Shelf:
    """Rows as the server lists them: by the time of their change, in pages."""

    def __init__(self, count: int) -> None:
        self.rows = [
            {"id": f"Rate{n}", "name": f"Rate {n}", "rate": n, "updated_at": 1000 + n}
            for n in range(count)
        ]

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        asked = request.url.params
        assert asked["sort"] == "updated_at|asc"
        assert asked["status"] == "active,archived,deleted"
        rows = [r for r in self.rows if r["updated_at"] >= int(asked.get("updated_at", 0))]  # type: ignore[operator]
        rows.sort(key=lambda row: row["updated_at"])  # type: ignore[arg-type,return-value]
        page, size = int(asked["page"]), int(asked["per_page"])
        shown = rows[(page - 1) * size : page * size]
        pages = -(-len(rows) // size)
        pagination = {"current_page": page, "total_pages": pages}
        return httpx2.Response(200, json={"data": shown, "meta": {"pagination": pagination}})


def pulled(shelf: Shelf, since: datetime | None = None, *, meddle: bool = False) -> list[str]:
    client = InvoiceNinja(settings(), transport=Recorder(httpx2.MockTransport(shelf.answer)))
    found: list[str] = []
    cursor = ""
    for turn in range(50):
        page = client.pull_tax_rates(since=since, cursor=cursor)
        found += [rate.remote.id for rate in page.items]
        if meddle:
            shelf.rows[turn]["updated_at"] = 10_000 + turn
        cursor = page.next
        assert len(cursor) < 40
        if not cursor:
            break
    return found


def test_pages_follow_each_other_to_the_end() -> None:
    found = pulled(Shelf(250))
    assert set(found) == {f"Rate{n}" for n in range(250)}
    assert len(found) <= 260


def test_what_changes_while_pages_are_turned_pulls_nothing_past_us() -> None:
    shelf = Shelf(450)
    assert set(pulled(shelf, meddle=True)) == {f"Rate{n}" for n in range(450)}


def test_many_changes_of_one_second_end_too() -> None:
    shelf = Shelf(250)
    for row in shelf.rows:
        row["updated_at"] = 1000
    assert set(pulled(shelf)) == {f"Rate{n}" for n in range(250)}


def test_only_what_changed_since_is_asked_for() -> None:
    since = datetime.fromtimestamp(1240, UTC)
    assert pulled(Shelf(250), since) == [f"Rate{n}" for n in range(240, 250)]


def test_tax_rates_come_with_their_percentage() -> None:
    client, _ = ninja({})
    rates = client.pull_tax_rates(since=None).items
    assert [(rate.name, rate.percent, rate.is_active) for rate in rates] == [
        ("USt", Decimal(19), True),
        ("ermäßigt", Decimal(7), True),
        ("Old", Decimal(16), False),
    ]
