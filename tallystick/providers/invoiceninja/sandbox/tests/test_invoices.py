"""Invoices: totals, states, one client for ever."""

from __future__ import annotations

import pytest

from tallystick.kit.clock import VirtualClock
from tallystick.providers.invoiceninja.sandbox.tests.api import Api, Json


def line(cost: object, quantity: object = 1, rate: object = 0, **fields: object) -> Json:
    tax = {"tax_name1": "VAT", "tax_rate1": rate}
    return {"cost": cost, "quantity": quantity, **tax, **fields}


@pytest.mark.parametrize(
    ("fields", "amount", "taxes"),
    [
        ({"line_items": [line(10, 3)]}, 30.0, 0.0),
        ({"line_items": [line("0.333", 3, 19)]}, 1.19, 0.19),
        ({"line_items": [line(119, 1, 19)], "uses_inclusive_taxes": True}, 119.0, 19.0),
        ({"line_items": [line(100, 1, 19)], "discount": 10}, 107.1, 17.1),
        (
            {"line_items": [line(100, 1, 19)], "discount": 10, "is_amount_discount": True},
            107.1,
            17.1,
        ),
        ({"line_items": [line(100, 1, 19, discount=50)]}, 59.5, 9.5),
        ({"line_items": [line(100)], "tax_name1": "VAT", "tax_rate1": 7}, 107.0, 7.0),
        ({"line_items": [line(100, 1, 19, tax_name1="")]}, 100.0, 0.0),
        ({"line_items": [line(100)], "custom_surcharge1": 5}, 105.0, 0.0),
        ({}, 0.0, 0.0),
    ],
)
def test_totals_are_worked_out_here(api: Api, fields: Json, amount: float, taxes: float) -> None:
    given = {"client_id": api.client_of()["id"], "amount": 1, "balance": 1, **fields}
    made = api.post("/invoices", given)
    assert (made["amount"], made["total_taxes"]) == (amount, taxes)


def test_sums_have_the_places_of_the_clients_currency(api: Api) -> None:
    client = api.client_of(currency_code="JPY")
    made = api.invoice(client, line_items=[line(99, 1, 10)])
    assert (made["amount"], made["total_taxes"]) == (109.0, 10.0)


def test_a_draft_is_not_owed(api: Api) -> None:
    client = api.client_of()
    made = api.post("/invoices", {"client_id": client["id"], "line_items": [line(10)]})
    assert (made["status_id"], made["amount"], made["balance"]) == ("1", 10.0, 0.0)
    sent = api.get(f"/invoices/{made['id']}/mark_sent")
    assert (sent["status_id"], sent["balance"]) == ("2", 10.0)
    assert api.get(f"/clients/{client['id']}")["balance"] == 10.0


@pytest.mark.parametrize(
    ("query", "status", "balance"),
    [
        ({"mark_sent": "true"}, "2", 119.0),
        ({"send_email": "true"}, "2", 119.0),
        ({"paid": "true"}, "4", 0.0),
        ({"amount_paid": "19"}, "3", 100.0),
        ({"mark_sent": "true", "cancel": "true"}, "5", 0.0),
    ],
)
def test_saving_may_do_more(api: Api, query: dict[str, str], status: str, balance: float) -> None:
    given = {"client_id": api.client_of()["id"], "line_items": [line(100, 1, 19)]}
    made = api.post("/invoices", given, **query)
    assert (made["status_id"], made["balance"]) == (status, balance)


def test_actions(api: Api) -> None:
    made = api.invoice(api.client_of())
    assert api.get(f"/invoices/{made['id']}/mark_paid")["status_id"] == "4"
    assert api.get(f"/invoices/{made['id']}/cancel")["status_id"] == "4"
    other = api.invoice(api.client_of("Bob"))
    (ended,) = api.post("/invoices/bulk", {"action": "cancel", "ids": [other["id"]]})
    assert (ended["status_id"], ended["balance"]) == ("5", 0.0)
    assert api.send("GET", f"/invoices/{other['id']}/dance").status_code == 404


def test_numbers_are_unique_the_deleted_ones_too(api: Api) -> None:
    client = api.client_of()
    made = api.invoice(client, number="INV-1")
    api.send("DELETE", f"/invoices/{made['id']}")
    again = {"client_id": client["id"], "number": "inv-1"}
    assert api.refused("POST", "/invoices", again) == ["number"]
    assert api.invoice(client)["number"] == "0001"
    assert api.stand.ledger.counts("invoices") == {"INV-1": 1, "0001": 1}


def test_the_client_is_needed_and_stays(api: Api) -> None:
    made, other = api.invoice(api.client_of()), api.client_of("Bob")
    assert api.refused("POST", "/invoices", {}) == ["client_id"]
    assert api.refused("POST", "/invoices", {"client_id": "none"}) == ["client_id"]
    path = f"/invoices/{made['id']}"
    assert api.refused("PUT", path, {"client_id": other["id"]}) == ["client_id"]
    assert api.put(path, {"client_id": made["client_id"]})


def test_what_is_refused(api: Api) -> None:
    given = {
        "client_id": api.client_of()["id"],
        "due_date": "2026-01-10",
        "partial_due_date": "2026-01-20",
        "date": "soon",
        "discount": 10**15,
        "line_items": [{"cost": "much"}],
    }
    found = api.refused("POST", "/invoices", given)
    assert set(found) == {"partial_due_date", "date", "discount", "line_items.0.cost"}


def test_an_invitation_for_each_contact_that_gets_mails(api: Api) -> None:
    people = [
        {"email": "a@example.org"},
        {"email": "b@example.org", "send_email": False},
    ]
    made = api.invoice(api.client_of(contacts=people))
    (invitation,) = made["invitations"]
    page = api.client.get(invitation["link"])
    assert page.status_code == 200
    assert "119.00 EUR" in page.text
    api.client.post(invitation["link"])
    assert api.get(f"/invoices/{made['id']}")["status_id"] == "4"
    assert api.client.get("https://ninja.example/client/invoice/none").status_code == 404


def test_a_change_counts_anew(api: Api, clock: VirtualClock) -> None:
    client = api.client_of()
    made = api.invoice(client)
    clock.sleep(5)
    changed = api.put(f"/invoices/{made['id']}", {"line_items": [line(50)]})
    assert (changed["amount"], changed["balance"], changed["number"]) == (50.0, 50.0, "0001")
    assert changed["updated_at"] == made["updated_at"] + 5
    assert api.get(f"/clients/{client['id']}")["balance"] == 50.0
    api.send("DELETE", f"/invoices/{made['id']}")
    assert api.get(f"/clients/{client['id']}")["balance"] == 0.0
