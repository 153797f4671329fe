"""What people and tests order, what the ledger and the console tell."""

from __future__ import annotations

import pytest

from tallystick.ports.sandboxing import BadAction
from tallystick.providers.invoiceninja.sandbox import InvoiceNinjaStand
from tallystick.providers.invoiceninja.sandbox.tests.api import Api


def test_clients(api: Api, stand: InvoiceNinjaStand) -> None:
    stand.act("add_client", {"name": "Ada", "email": "ada@example.org", "currency": "USD"})
    named = {"client": "ada@example.org"}
    stand.act("edit_client", {**named, "fields": {"name": "Ada L.", "id_number": "7"}})
    (client,) = api.get("/clients", id_number="7")
    assert (client["name"], client["settings"]["currency_id"]) == ("Ada L.", "1")
    stand.act("archive_client", {"client": "7"})
    assert api.get(f"/clients/{client['id']}")["archived_at"]
    stand.act("restore_client", {"client": "7"})
    stand.act("drop_contact", named)
    assert [c["email"] for c in api.get(f"/clients/{client['id']}")["contacts"]] == [""]
    assert stand.act("delete_client", {"client": "7"})
    assert api.get("/clients", status="active") == []


def test_products(api: Api, stand: InvoiceNinjaStand) -> None:
    stand.act("add_product", {"product_key": "SKU", "price": "9.95"})
    stand.act("edit_product", {"product": "SKU", "fields": {"price": 12}})
    (product,) = api.get("/products", product_key="SKU")
    assert product["price"] == 12.0
    assert stand.act("archive_product", {"product": "SKU"}) == {
        "product": product["id"],
        "archived": True,
        "deleted": False,
    }
    stand.act("delete_product", {"product": product["id"]})
    assert api.get(f"/products/{product['id']}")["is_deleted"]


def test_invoices_and_payments(api: Api, stand: InvoiceNinjaStand) -> None:
    stand.act("add_client", {"name": "Ada", "id_number": "7"})
    stand.act("add_invoice", {"client": "7", "amount": "50", "number": "A-1"})
    stand.act("pay_invoice", {"invoice": "A-1", "amount": "20"})
    (payment,) = api.get("/payments")
    (invoice,) = api.get("/invoices")
    assert (invoice["status_id"], invoice["balance"]) == ("3", 30.0)
    stand.act("delete_payment", {"payment": payment["number"]})
    assert api.get("/invoices")[0]["balance"] == 50.0
    stand.act("cancel_invoice", {"invoice": "A-1"})
    assert api.get("/invoices")[0]["status_id"] == "5"


def test_seeding(api: Api, stand: InvoiceNinjaStand) -> None:
    assert stand.act("seed_clients", {"count": 3}) == {"clients": 3, "products": 0}
    assert stand.act("seed_products", {"count": 4}) == {"clients": 3, "products": 4}
    (client,) = api.get("/clients", email="seeded-2@example.com")
    assert (client["name"], client["id_number"]) == ("Seeded 2", "")
    assert len(api.get("/products", product_key="SEED-000004")) == 1


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("archive_client", {"client": "none"}, "no client 'none'"),
        ("edit_product", {"product": "none", "fields": {}}, "no product"),
        ("pay_invoice", {"invoice": "none"}, "no invoice"),
        ("pay_invoice", {"invoice": "A-1", "amount": "51"}, "at most 50"),
        ("pay_invoice", {"invoice": "A-1", "amount": "much"}, "not an amount"),
        ("delete_payment", {"payment": "none"}, "no payment"),
        ("drop_contact", {"client": "7", "email": "b@example.org"}, "no contact"),
        ("add_client", {"name": "Bob", "id_number": "7"}, "already been taken"),
        ("add_client", {"name": "Bob", "email": "bob"}, "valid email"),
        ("add_tax_rate", {"name": "VAT", "rate": "19"}, "already been taken"),
        ("seed_products", {"count": 0}, "count is from 1"),
        ("cancel_invoice", {"invoice": "A-2"}, "cannot be cancelled"),
    ],
)
def test_bad_orders_are_refused_in_words(
    stand: InvoiceNinjaStand, name: str, arguments: dict[str, object], words: str
) -> None:
    stand.act("add_client", {"name": "Ada", "id_number": "7"})
    stand.act("add_invoice", {"client": "7", "amount": "50", "number": "A-1"})
    stand.act("add_invoice", {"client": "7", "amount": "50", "number": "A-2"})
    stand.act("pay_invoice", {"invoice": "A-2"})
    with pytest.raises(BadAction, match=words):
        stand.act(name, arguments)


def test_tax_rates(api: Api, stand: InvoiceNinjaStand) -> None:
    stand.act("add_tax_rate", {"name": "Books", "rate": "5.5"})
    rates = {rate["name"]: rate["rate"] for rate in api.get("/tax_rates")}
    assert rates == {"VAT": 19.0, "Reduced VAT": 7.0, "Books": 5.5}
    made = api.post("/tax_rates", {"name": "Food", "rate": 4})
    assert api.put(f"/tax_rates/{made['id']}", {"rate": 3})["rate"] == 3.0
    assert api.refused("POST", "/tax_rates", {"name": "VAT"}) == ["rate", "name"]
    assert api.ask("DELETE", f"/tax_rates/{made['id']}")["is_deleted"]


def test_the_ledger_counts_what_was_made(api: Api, stand: InvoiceNinjaStand) -> None:
    client = api.client_of(id_number="7")
    bare = api.client_of("Bob")
    api.put(f"/clients/{client['id']}", {"name": "B"})
    api.payment(api.invoice(client, number="A-1"), 19)
    api.refused("POST", "/clients", {"id_number": "7"})
    assert stand.ledger.counts("clients") == {"7": 1, bare["id"]: 1}
    assert stand.ledger.counts("invoices") == {"A-1": 1}
    assert stand.ledger.counts("payments") == {"0001": 1}


def test_the_console(api: Api, stand: InvoiceNinjaStand) -> None:
    assert [table.title for table in stand.state()] == [
        "Tax rates of Demo Company",
        "Demo Company",
    ]
    client = api.client_of("Ada", id_number="7")
    api.payment(api.invoice(client), 19)
    api.post("/products", {"product_key": "SKU", "price": 3})
    api.post("/webhooks", {"target_url": "https://site.example/", "event_id": 1})
    tables = {table.title: table for table in stand.state()}
    (row,) = tables["Invoices of Demo Company"].rows
    assert row == ["0001", "Ada", "partial", "119.00 EUR", "100.00 EUR", "01 Jan 00:00"]
    assert tables["Clients of Demo Company"].rows[0][:3] == ["Ada", "7", "ada@example.org"]
    for table in tables.values():
        for deeds in filter(None, table.deeds):
            stand.act(deeds[0].action, dict(deeds[0].arguments))
    (invoice,) = api.get("/invoices")
    assert (invoice["status_id"], invoice["balance"]) == ("3", 19.0)


def test_reset_is_as_new(api: Api, stand: InvoiceNinjaStand) -> None:
    api.client_of()
    stand.reset()
    assert api.get("/clients") == []
    assert stand.ledger.dump() == {}
