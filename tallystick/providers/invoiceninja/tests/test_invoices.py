from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tallystick.ports.errors import Refused, Taken
from tallystick.ports.records import Invoice, Kind, Payment, Ref, Remote
from tallystick.ports.roles import Push
from tallystick.ports.samples import invoice, payment
from tallystick.ports.testing import remotes_of
from tallystick.providers.invoiceninja.tests.answers import (
    BUYER,
    VAT,
    Answers,
    bodies,
    called,
    fixture,
    ninja,
    refusal,
)

THERE = Remote("AxP7K9nY5z", "1768471260")
OWED = Ref(Kind.INVOICE, "i-1", "AxP7K9nY5z")
ONE = "invoices/AxP7K9nY5z"
NEW: Answers = {"GET clients/Opnel5aKBz": fixture("client"), "POST invoices": fixture("invoice")}


def bought() -> Invoice:
    return invoice(1, "EUR", VAT, [BUYER], [])


def paid() -> Payment:
    return payment(1, "EUR", OWED)


def test_an_invoice_is_sent_at_once_under_our_number() -> None:
    client, network = ninja(NEW)
    (remote,) = remotes_of(client.push_invoices([Push(bought())], attempt="1"))
    assert remote.url == "https://invoices.example.org/#/invoices/AxP7K9nY5z/edit"
    (sent,) = bodies(network, "POST invoices")
    assert sent["number"] == "2026-0001"
    assert (sent["date"], sent["due_date"]) == ("2026-01-15", "2026-01-29")
    assert sent["po_number"] == "Order 4711"
    assert sent["public_notes"] == "Pay online: https://pay.example.org/invoice/1"
    assert len(sent["line_items"]) == 2
    (request,) = [r for r in network.requests() if called(r) == "POST invoices"]
    assert dict(request.url.params) == {"mark_sent": "true"}


def test_a_payment_in_the_second_of_our_own_write_is_another_version() -> None:
    paid = fixture("invoice").replace(b'"paid_to_date": 0', b'"paid_to_date": 40')
    assert paid != fixture("invoice")
    client, _ = ninja({**NEW, f"PUT {ONE}": paid})
    (made,) = remotes_of(client.push_invoices([Push(bought())], attempt="1"))
    (again,) = remotes_of(client.push_invoices([Push(bought(), THERE)], attempt="2"))
    assert made.version.partition("/")[0] == again.version.partition("/")[0]
    assert made.version != again.version


def test_another_total_than_ours_is_told() -> None:
    body = fixture("invoice").replace(b'"amount": 119', b'"amount": 119.05')
    client, _ = ninja({**NEW, "POST invoices": body})
    (outcome,) = client.push_invoices([Push(bought())], attempt="1")
    assert isinstance(outcome, Refused)
    assert "reckons 119.05 EUR where ours is 119.00" in str(outcome)


def test_an_invoice_in_another_currency_than_its_clients_does_not_leave() -> None:
    client, network = ninja(NEW)
    (outcome,) = client.push_invoices([Push(replace(bought(), currency="USD"))], attempt="1")
    assert isinstance(outcome, Refused)
    assert "billed in EUR" in str(outcome)
    assert "POST invoices" not in [called(r) for r in network.requests()]


def test_a_number_that_is_ours_already_is_taken_up() -> None:
    answers: Answers = {
        **NEW,
        "POST invoices": refusal(422, "invoice_number_taken"),
        "GET invoices": fixture("invoices"),
        f"PUT {ONE}": fixture("invoice"),
    }
    client, _ = ninja(answers)
    (remote,) = remotes_of(client.push_invoices([Push(bought())], attempt="1"))
    assert remote.id == THERE.id
    others = fixture("invoices").replace(b'"client_id": "Opnel5aKBz"', b'"client_id": "Other"')
    client, _ = ninja({**answers, "GET invoices": others})
    (outcome,) = client.push_invoices([Push(bought())], attempt="1")
    assert isinstance(outcome, Taken)
    assert "2026-0001" in str(outcome)


def test_a_deleted_invoice_of_our_number_is_for_a_person() -> None:
    gone = fixture("invoices").replace(b'"is_deleted": false', b'"is_deleted": true')
    client, _ = ninja(
        {**NEW, "POST invoices": refusal(422, "invoice_number_taken"), "GET invoices": gone}
    )
    (outcome,) = client.push_invoices([Push(bought())], attempt="1")
    assert isinstance(outcome, Refused)
    assert "restore it there" in str(outcome)


@pytest.mark.parametrize(
    ("status", "action"), [("1", "delete"), ("2", "cancel"), ("5", None), ("6", None)]
)
def test_a_void_invoice_is_ended_there(status: str, action: str | None) -> None:
    state = fixture("invoice").replace(b'"status_id": "2"', f'"status_id": "{status}"'.encode())
    client, network = ninja({f"GET {ONE}": state, "POST invoices/bulk": fixture("invoices")})
    void = Push(replace(bought(), is_void=True), THERE)
    assert remotes_of(client.push_invoices([void], attempt="1"))
    done = [body["action"] for body in bodies(network, "POST invoices/bulk")]
    assert done == ([action] if action else [])


def test_a_paid_invoice_is_not_voided() -> None:
    client, _ = ninja({f"GET {ONE}": fixture("invoice_partly_paid")})
    (outcome,) = client.push_invoices([Push(replace(bought(), is_void=True), THERE)], attempt="1")
    assert isinstance(outcome, Refused)
    assert "payments" in str(outcome)


def test_a_payment_names_client_invoice_and_our_key() -> None:
    client, network = ninja(
        {f"GET {ONE}": fixture("invoice_whole"), "POST payments": fixture("payment"), **NEW}
    )
    record = replace(paid(), method="paypal", reference="TX 1")
    assert remotes_of(client.push_payments([Push(record)], attempt="1"))
    assert bodies(network, "POST payments") == [
        {
            "client_id": "Opnel5aKBz",
            "amount": 50.0,
            "date": "2026-01-20",
            "invoices": [{"invoice_id": "AxP7K9nY5z", "amount": 50.0}],
            "idempotency_key": record.key,
            "transaction_reference": record.key,
            "private_notes": "paypal TX 1",
            "type_id": "13",
        }
    ]


def test_a_payment_that_is_there_is_not_made_again() -> None:
    client, network = ninja({f"GET {ONE}": fixture("invoice_partly_paid")})
    (remote,) = remotes_of(client.push_payments([Push(paid())], attempt="1"))
    assert client.find_payments([paid()]) == [remote]
    assert {r.method for r in network.requests()} == {"GET"}


def test_a_payment_that_arrived_meanwhile_is_found() -> None:
    client, _ = ninja(
        {
            **NEW,
            f"GET {ONE}": [fixture("invoice_whole"), fixture("invoice_partly_paid")],
            "POST payments": refusal(422, "payment_repeated"),
        }
    )
    (remote,) = remotes_of(client.push_payments([Push(paid())], attempt="1"))
    assert remote.id == "D2J234DFAq"


def test_more_than_is_open_is_told() -> None:
    client, _ = ninja({f"GET {ONE}": fixture("invoice_whole"), **NEW})
    record = replace(paid(), amount=Decimal("119.01"))
    (outcome,) = client.push_payments([Push(record)], attempt="1")
    assert isinstance(outcome, Refused)
    assert "Only 119 EUR" in str(outcome)


def test_a_payment_never_changes() -> None:
    client, network = ninja({})
    (outcome,) = client.push_payments([Push(paid(), Remote("D2J234DFAq"))], attempt="1")
    assert isinstance(outcome, Refused)
    assert network.requests() == []


def test_its_page_is_that_of_the_invitation() -> None:
    client, _ = ninja({f"GET {ONE}": fixture("invoice_whole")})
    assert client.invoice_url(THERE.id) == (
        "https://invoices.example.org/client/invoice/J7rT2mWq9sXb"
    )
