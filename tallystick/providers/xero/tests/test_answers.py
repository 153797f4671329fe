from __future__ import annotations

import httpx2
import pytest

from tallystick.ports.descriptions import Description
from tallystick.ports.errors import Garbled, RateLimited, Unauthorized
from tallystick.ports.roles import Push
from tallystick.providers.xero import Xero
from tallystick.providers.xero.tests.answers import (
    bill,
    fixture,
    line,
    xero,
)
from tallystick.providers.xero.tests.case import CASE


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"Invoices": []}',
        b'{"Invoices": [{}, {}]}',
        fixture("invoices_created").replace(b"2026-0000", b"2026-9999"),
        fixture("invoices_created").replace(b"c1a5d7e2-9b31-4f0e-8a6d-5e4f3a2b1c33", b""),
        fixture("invoices_created").replace(b"1768471200117", b"9" * 16),
        fixture("invoices_created").replace(b"1768471200117", b"9" * 15),
    ],
)
def test_an_answer_that_is_not_about_what_was_sent_is_garbled(body: bytes) -> None:
    client, _ = xero({"PUT Invoices": body})
    with pytest.raises(Garbled):
        client.push_invoices([Push(bill(line()))], attempt="1")


def test_a_connection_that_was_cut_must_be_made_anew() -> None:
    forbidden = httpx2.Response(403, content=fixture("problem_forbidden"))
    client, _ = xero({"GET Organisation": forbidden})
    with pytest.raises(Unauthorized, match="reconnect: AuthenticationUnsuccessful"):
        client.ping()


def test_scopes_that_are_not_allowed_are_told() -> None:
    with pytest.raises(Unauthorized, match=r"scopes .*reconnect"):
        CASE.connect(CASE.stand(), changes={"scopes": "accounting.transactions"}).ping()


@pytest.mark.parametrize(
    ("limit", "asked", "wait"),
    [
        ("minute", "17", 17),
        ("day", "40000", 40_000),
        ("concurrent", "", 1),
        ("day", "", 3600),
        ("?", "", 60),
    ],
)
def test_which_limit_was_reached_is_told(limit: str, asked: str, wait: float) -> None:
    headers = {"X-Rate-Limit-Problem": limit, **({"Retry-After": asked} if asked else {})}
    client, _ = xero({"GET Organisation": httpx2.Response(429, headers=headers)})
    with pytest.raises(RateLimited) as caught:
        client.ping()
    assert caught.value.retry_after == wait
    assert caught.value.limit == limit.strip("?")


def test_more_calls_at_once_than_xero_allows_do_not_leave() -> None:
    assert Xero.concurrency == 5
    assert {limit.name: limit.calls for limit in Xero.limits} == {
        "minute": 60,
        "day": 5000,
        "appminute": 10_000,
    }


@pytest.fixture(scope="module")
def description() -> Description:
    return CASE.description()


@pytest.mark.parametrize(
    ("name", "method", "path", "status"),
    [
        ("organisation", "GET", "/Organisation", 200),
        ("contacts_created", "PUT", "/Contacts", 200),
        ("contacts_one_refused", "PUT", "/Contacts", 200),
        ("items_saved", "POST", "/Items", 200),
        ("invoices_created", "PUT", "/Invoices", 200),
        ("invoices_one_refused", "PUT", "/Invoices", 200),
        ("invoices_number_taken", "PUT", "/Invoices", 200),
        ("invoices_page", "GET", "/Invoices", 200),
        ("payments_created", "PUT", "/Payments", 200),
        ("payments_refused", "PUT", "/Payments", 200),
        ("tax_rates", "GET", "/TaxRates", 200),
        ("online_invoice", "GET", "/Invoices/x/OnlineInvoice", 200),
        ("validation_exception", "PUT", "/Contacts", 400),
    ],
)
def test_fixtures_are_of_the_described_shape(
    description: Description, name: str, method: str, path: str, status: int
) -> None:
    assert description.answer_complaints(method, path, status, fixture(name)) == []
