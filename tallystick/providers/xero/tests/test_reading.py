from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import httpx2
import pytest

from tallystick.ports.errors import Refused
from tallystick.providers.xero import Xero
from tallystick.providers.xero.reading import PAGE_SIZE
from tallystick.providers.xero.tests.answers import (
    fixture,
    settings,
    xero,
)
from tallystick.providers.xero.tests.case import BUYER


def test_what_a_page_says() -> None:
    client, network = xero({"GET Invoices": fixture("invoices_page")})
    since = datetime(2026, 1, 15, 11, tzinfo=UTC).astimezone()
    partly, paid, void = client.pull_invoices(since=since).items
    assert [i.status for i in (partly, paid, void)] == ["partially_paid", "paid", "void"]
    assert [partly.total, partly.amount_due, partly.amount_paid] == [
        Decimal(amount) for amount in (120, 70, 50)
    ]
    assert partly.updated_at == datetime(2026, 1, 15, 10, 0, 0, 117_000, tzinfo=UTC)
    (received,) = partly.payments
    assert received.amount == Decimal(50)
    assert received.date == date(2026, 1, 20)
    assert partly.payments_complete
    assert partly.customer_id == BUYER.remote_id
    request = network.requests()[-1]
    assert request.headers["If-Modified-Since"] == "2026-01-15T11:00:00"
    assert request.url.params["where"] == 'Type=="ACCREC"'


def test_bills_and_unusable_ids_are_left_out() -> None:
    bills = fixture("invoices_page").replace(b"ACCREC", b"ACCPAY")
    client, network = xero({"GET Invoices": bills})
    assert client.fetch_invoices(["x", "", "1' OR 1==1"]) == []
    assert network.requests() == []
    assert client.fetch_invoices([BUYER.remote_id]) == []


@pytest.mark.parametrize("step", [timedelta(0), timedelta(milliseconds=20), timedelta(seconds=2)])
def test_a_pull_misses_nothing_and_hardly_repeats_itself(step: timedelta) -> None:
    """Changes in one second, in bulk, and far apart; some change again while pages are turned."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    times = {n: start + n * step for n in range(2_345)}
    template = json.loads(fixture("invoices_page"))["Invoices"][0]

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/token"):
            return httpx2.Response(200, content=fixture("token"))
        since = request.headers.get("If-Modified-Since")
        least = datetime.fromisoformat(since).replace(tzinfo=UTC) if since else start
        listed = sorted((at, n) for n, at in times.items() if at >= least)
        first = (int(request.url.params["page"]) - 1) * PAGE_SIZE
        page = [
            {
                **template,
                "InvoiceID": f"f4d8a0b5-2e64-4c3b-9d9a-{n:012d}",
                "UpdatedDateUTC": f"/Date({at.timestamp() * 1000:.0f}+0000)/",
            }
            for at, n in listed[first : first + PAGE_SIZE]
        ]
        return httpx2.Response(200, json={"Invoices": page})

    client = Xero(settings(), transport=httpx2.MockTransport(answer))
    seen: list[str] = []
    cursor, calls = "", 0
    while calls == 0 or cursor:
        page = client.pull_invoices(since=None, cursor=cursor)
        seen += [found.remote.id for found in page.items]
        moments = [found.updated_at for found in page.items]
        assert moments == sorted(moments)
        cursor, calls = page.next, calls + 1
        assert len(cursor) <= 200
        if step >= timedelta(seconds=1):
            times[calls] = start + timedelta(days=1, seconds=calls)
    assert len(set(seen)) == len(times)
    assert len(times) / calls > 90


def test_what_is_not_an_address_for_customers_is_not_given_to_them() -> None:
    client, _ = xero({"GET OnlineInvoice": fixture("online_invoice")})
    assert client.invoice_url(BUYER.remote_id) == "https://in.xero.com/Zx81ExampleExampleExample"
    client, _ = xero(
        {"GET OnlineInvoice": fixture("online_invoice").replace(b"https:", b"javascript:")}
    )
    assert client.invoice_url(BUYER.remote_id) is None


def test_xero_e_mails_an_invoice_unless_told_not_to() -> None:
    client, network = xero({"POST Email": httpx2.Response(204)})
    client.email_invoice(BUYER.remote_id)
    assert network.requests()[-1].url.path.endswith(f"/Invoices/{BUYER.remote_id}/Email")
    client, network = xero({}, email_invoices=False)
    with pytest.raises(Refused, match="no e-mails"):
        client.email_invoice(BUYER.remote_id)
