from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import httpx2

from tallystick.ports.errors import Refused, Taken
from tallystick.ports.records import (
    Invoice,
    InvoiceStatus,
    Kind,
    Ref,
    Remote,
)
from tallystick.ports.roles import Push
from tallystick.ports.samples import payment
from tallystick.ports.testing import Recorder, remotes_of
from tallystick.providers.xero import Xero
from tallystick.providers.xero.sandbox import XeroStand
from tallystick.providers.xero.tests.answers import (
    Answers,
    bill,
    fixture,
    line,
    settings,
    xero,
)
from tallystick.providers.xero.tests.case import BUYER, CASE, ORGANISATION


def test_a_number_that_is_taken_by_another_customer_is_told() -> None:
    answers: Answers = {
        "PUT Invoices": fixture("invoices_number_taken"),
        "GET Invoices": fixture("invoices_page"),
    }
    client, _ = xero(answers)
    stranger = replace(bill(line()), customer=Ref(Kind.CUSTOMER, "c-9", BUYER.remote_id[::-1]))
    (outcome,) = client.push_invoices([Push(replace(stranger, number="2026-0000"))], attempt="1")
    assert isinstance(outcome, Taken)
    assert "2026-0000" in str(outcome)


def test_a_number_that_is_taken_by_this_very_invoice_is_found() -> None:
    answers: Answers = {
        "PUT Invoices": fixture("invoices_number_taken"),
        "GET Invoices": fixture("invoices_page"),
    }
    client, _ = xero(answers)
    (outcome,) = client.push_invoices(
        [Push(replace(bill(line()), number="2026-0000"))], attempt="1"
    )
    assert isinstance(outcome, Remote)
    assert outcome.id == "c1a5d7e2-9b31-4f0e-8a6d-5e4f3a2b1c33"


def ready(stand: XeroStand) -> tuple[Xero, Invoice, Remote]:
    client = CASE.connect(stand)
    (record,) = CASE.records(client, Kind.INVOICE, 1)
    assert isinstance(record, Invoice)
    (remote,) = remotes_of(client.push_invoices([Push(record)], attempt="first"))
    return client, record, remote


def test_voiding_reaches_xero_and_may_be_repeated() -> None:
    client, record, remote = ready(CASE.stand())
    void = Push(replace(record, is_void=True), remote)
    for attempt in ("1", "2"):
        assert remotes_of(client.push_invoices([void], attempt=attempt))
        (found,) = client.fetch_invoices([remote.id])
        assert found.status is InvoiceStatus.VOID


def test_an_invoice_with_payments_is_not_voided_and_says_why() -> None:
    stand = CASE.stand()
    client, record, remote = ready(stand)
    stand.act("pay_invoice", {"invoice": remote.id, "organisation": ORGANISATION})
    (outcome,) = client.push_invoices([Push(replace(record, is_void=True), remote)], attempt="1")
    assert isinstance(outcome, Refused)
    assert "payments" in str(outcome)


def test_of_an_invoice_with_payments_what_can_change_changes() -> None:
    stand = CASE.stand()
    client, record, remote = ready(stand)
    stand.act("pay_invoice", {"invoice": remote.id, "amount": "1.00", "organisation": ORGANISATION})
    later = replace(record, due_date=date(2026, 3, 1), url="https://pay.example.org/new")
    assert remotes_of(client.push_invoices([Push(later, remote)], attempt="1"))
    (kept,) = stand.app(ORGANISATION).books.invoices
    assert (kept["DueDate"], kept["Url"]) == (date(2026, 3, 1), "https://pay.example.org/new")


def test_a_batch_that_is_refused_as_a_whole_is_taken_apart() -> None:
    """Seven calls find the one that spoils it."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/token"):
            return httpx2.Response(200, content=fixture("token"))
        if request.method == "GET":
            return httpx2.Response(200, content=b'{"Payments":[]}')
        elements = json.loads(request.content)["Payments"]
        if any(element["Amount"] == 13 for element in elements):
            return httpx2.Response(400, content=fixture("validation_exception"))
        for place, element in enumerate(elements):
            element |= {"PaymentID": f"f4d8a0b5-2e64-4c3b-9d9a-{place:012d}"}
        return httpx2.Response(200, json={"Payments": elements})

    network = Recorder(httpx2.MockTransport(answer))
    client = Xero(settings(), transport=network)
    owed = Ref(Kind.INVOICE, "i-1", BUYER.remote_id)
    records = [payment(n, "GBP", owed) for n in range(50)]
    records[37] = replace(records[37], amount=Decimal(13))
    outcomes = client.push_payments([Push(record) for record in records], attempt="a" * 120)
    assert [n for n, outcome in enumerate(outcomes) if not isinstance(outcome, Remote)] == [37]
    assert str(outcomes[37]) == "Email address must be valid."
    keys = [r.headers["Idempotency-Key"] for r in network.requests() if r.method == "PUT"]
    assert len(keys) == len(set(keys)) <= 15
    assert max(map(len, keys)) <= 128


def test_a_payment_without_a_bank_account_says_what_to_do() -> None:
    client, _ = xero({"GET Payments": b'{"Payments":[]}'}, payment_account_code="")
    owed = Ref(Kind.INVOICE, "i-1", BUYER.remote_id)
    (outcome,) = client.push_payments([Push(payment(1, "GBP", owed))], attempt="1")
    assert isinstance(outcome, Refused)
    assert "payment account code" in str(outcome)


def test_more_than_is_due_is_refused_in_xeros_words() -> None:
    answers: Answers = {
        "PUT Payments": fixture("payments_refused"),
        "GET Payments": b'{"Payments":[]}',
    }
    client, _ = xero(answers)
    owed = Ref(Kind.INVOICE, "i-1", BUYER.remote_id)
    (outcome,) = client.push_payments([Push(payment(0, "GBP", owed))], attempt="1")
    assert "exceeds the amount outstanding" in str(outcome)
