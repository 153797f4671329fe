"""Products."""

from __future__ import annotations

from tallystick.providers.invoiceninja.sandbox.tests.api import Api


def test_keys_are_not_unique(api: Api) -> None:
    first, second = (api.post("/products", {"product_key": "SKU"}) for _ in range(2))
    assert first["id"] != second["id"]
    assert len(api.get("/products", product_key="sku")) == 2
    assert api.stand.ledger.doubled() == [("", "products", "SKU")]


def test_another_product_of_the_same_key_is_no_double(api: Api) -> None:
    for ours in ("1", "2"):
        api.post("/products", {"product_key": "SKU", "custom_value4": ours})
    assert api.stand.ledger.counts("products") == {"SKU": 1, "SKU (2)": 1}


def test_nothing_finds_by_custom_value(api: Api) -> None:
    for ours in ("1", "2"):
        api.post("/products", {"custom_value4": ours})
    assert len(api.get("/products", custom_value4="1")) == 2
    assert len(api.get("/products", filter="1")) == 1


def test_a_change_leaves_the_rest(api: Api) -> None:
    given = {"product_key": "SKU", "price": "9.95", "cost": 4, "notes": "A mug", "tax_rate1": 19}
    made = api.post("/products", {**given, "tax_name1": "VAT"})
    assert (made["price"], made["cost"], made["quantity"]) == (9.95, 4.0, 1.0)
    changed = api.put(f"/products/{made['id']}", {"price": 0, "notes": ""})
    assert (changed["price"], changed["notes"]) == (0.0, "")
    assert (changed["cost"], changed["tax_name1"]) == (4.0, "VAT")


def test_stock_moves_only_when_told(api: Api) -> None:
    made = api.post("/products", {"in_stock_quantity": 5})
    path = f"/products/{made['id']}"
    assert api.put(path, {"in_stock_quantity": 9})["in_stock_quantity"] == 5
    moved = api.put(path, {"in_stock_quantity": 9}, update_in_stock_quantity="true")
    assert moved["in_stock_quantity"] == 9


def test_numbers_are_numbers(api: Api) -> None:
    given = {"price": "a lot", "cost": "NaN", "quantity": True, "in_stock_quantity": 10**15}
    assert set(api.refused("POST", "/products", given)) == set(given)
    assert api.post("/products", {"price": "1.12345678"})["price"] == 1.123457
