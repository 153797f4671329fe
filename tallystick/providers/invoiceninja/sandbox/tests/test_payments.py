"""Payments."""

from __future__ import annotations

from tallystick.kit.clock import VirtualClock
from tallystick.providers.invoiceninja.sandbox import InvoiceNinjaStand
from tallystick.providers.invoiceninja.sandbox.tests.api import Api, paying


def test_money_moves_the_invoice(api: Api, clock: VirtualClock) -> None:
    client = api.client_of()
    made = api.invoice(client)
    clock.sleep(5)
    payment = api.payment(made, 19)
    assert (payment["amount"], payment["applied"], payment["status_id"]) == (19.0, 19.0, "4")
    assert payment["paymentables"][0]["invoice_id"] == made["id"]
    partly = api.get(f"/invoices/{made['id']}")
    assert (partly["status_id"], partly["balance"], partly["paid_to_date"]) == ("3", 100.0, 19.0)
    assert partly["updated_at"] == made["updated_at"] + 5
    api.payment(made, 100)
    assert api.get(f"/invoices/{made['id']}")["status_id"] == "4"
    told = api.get(f"/clients/{client['id']}")
    assert (told["balance"], told["paid_to_date"]) == (0.0, 119.0)


def test_an_idempotency_key_is_refused_the_second_time(api: Api) -> None:
    made = api.invoice(api.client_of())
    given = paying(made, 19, idempotency_key="k-1")
    api.post("/payments", given)
    assert api.refused("POST", "/payments", given) == ["idempotency_key"]
    long = paying(made, 19, idempotency_key="k" * 65)
    assert api.refused("POST", "/payments", long) == ["idempotency_key"]
    assert api.stand.ledger.counts("payments") == {"k-1": 1}


def test_twins_within_a_second_are_one_too_many(api: Api, clock: VirtualClock) -> None:
    made = api.invoice(api.client_of())
    api.payment(made, 19)
    answer = api.send("POST", "/payments", paying(made, 19))
    assert (answer.status_code, answer.json()) == (400, {"message": "Duplicate request"})
    api.payment(made, 20)
    clock.sleep(1)
    api.payment(made, 19)


def test_what_is_refused(api: Api) -> None:
    made, other = api.invoice(api.client_of()), api.client_of("Bob")
    assert "client_id" in api.refused("POST", "/payments", {})
    assert api.refused("POST", "/payments", paying(made, 120)) == ["invoices.0.invoice_id"]
    foreign = {**paying(made, 1), "client_id": other["id"]}
    assert api.refused("POST", "/payments", foreign) == ["invoices.0.invoice_id"]
    twice = paying(made, 1)
    twice["invoices"] *= 2
    assert api.refused("POST", "/payments", twice) == ["invoices.1.invoice_id"]
    less = {**paying(made, 10), "amount": 5}
    assert api.refused("POST", "/payments", less) == ["amount"]
    assert api.refused("POST", "/payments", paying(made, 10, type_id="99")) == ["type_id"]
    api.payment(made, 1, number="P-1")
    assert api.refused("POST", "/payments", paying(made, 2, number="P-1")) == ["number"]


def test_deleting_takes_the_money_back(api: Api) -> None:
    made = api.invoice(api.client_of())
    payment = api.payment(made, 119)
    deleted = api.ask("DELETE", f"/payments/{payment['id']}")
    assert deleted["is_deleted"]
    owed = api.get(f"/invoices/{made['id']}")
    assert (owed["status_id"], owed["balance"]) == ("2", 119.0)
    api.ask("DELETE", f"/payments/{payment['id']}")
    assert api.get(f"/invoices/{made['id']}")["balance"] == 119.0
    api.post("/payments/bulk", {"action": "restore", "ids": [payment["id"]]})
    assert api.get(f"/invoices/{made['id']}")["status_id"] == "4"


def test_include_brings_more(api: Api) -> None:
    made = api.invoice(api.client_of("Ada"))
    payment = api.payment(made, 19)
    path = f"/payments/{payment['id']}"
    assert "invoices" not in api.get(path)
    found = api.get(path, include="invoices,client")
    assert [invoice["number"] for invoice in found["invoices"]] == ["0001"]
    assert found["client"]["name"] == "Ada"
    (paid,) = api.get(f"/invoices/{made['id']}", include="payments")["payments"]
    assert paid["id"] == payment["id"]


def test_a_change_moves_no_money(api: Api) -> None:
    made = api.invoice(api.client_of())
    payment = api.payment(made, 19)
    given = {"amount": 1, "transaction_reference": "wire", "number": ""}
    changed = api.put(f"/payments/{payment['id']}", given)
    assert (changed["amount"], changed["transaction_reference"]) == (19.0, "wire")
    assert changed["number"] == payment["number"]


def test_credits_help(api: Api, stand: InvoiceNinjaStand) -> None:
    made = api.invoice(api.client_of(id_number="7"))
    stand.act("add_credit", {"client": "7", "amount": "19"})
    (credit,) = api.get("/credits")
    used = [{"credit_id": credit["id"], "amount": 19}]
    payment = api.payment(made, 119, credits=used)
    assert payment["amount"] == 100.0
    assert api.get(f"/credits/{credit['id']}")["balance"] == 0.0
    assert api.get(f"/invoices/{made['id']}")["status_id"] == "4"
