"""The stand against Invoice Ninja's own description of its API."""

from __future__ import annotations

import pytest

from tallystick.ports.descriptions import SPECS, Description
from tallystick.providers.invoiceninja.sandbox.tests.api import Api, paying

_WRONG = {
    "paymentables": "a list of them, where the description has one",
    "custom_fields": "an empty object is an empty list in PHP",
    "event_id": "a number in requests, a text in answers",
}
"""Where the server does otherwise than the description says."""


@pytest.fixture
def described() -> Description:
    return Description(SPECS / "invoiceninja" / "openapi.prism.json").required()


@pytest.fixture
def full(api: Api) -> Api:
    client = api.client_of("Ada", id_number="7", country_code="GB", settings={"currency_id": "1"})
    made = api.invoice(client, due_date="2026-01-31", discount=5)
    api.post("/payments", paying(made, 19, idempotency_key="k-1", date="2026-01-02"))
    api.post("/products", {"product_key": "SKU", "price": 3, "tax_name1": "VAT", "tax_rate1": 19})
    api.post("/webhooks", {"target_url": "https://site.example/", "event_id": 1})
    api.stand.act("add_credit", {"client": "7", "amount": "19"})
    return api


def _complaints(described: Description, api: Api, method: str, path: str, body: object) -> None:
    answer = api.send(method, path, body)
    where = f"/api/v1{path.partition('?')[0]}"
    found = described.answer_complaints(method, where, answer.status_code, answer.content)
    assert [text for text in found if not any(name in text for name in _WRONG)] == []


@pytest.mark.parametrize(
    "kind",
    ["clients", "products", "invoices", "payments", "credits", "tax_rates", "webhooks"],
)
def test_what_is_read(described: Description, full: Api, kind: str) -> None:
    _complaints(described, full, "GET", f"/{kind}", None)
    identity = full.get(f"/{kind}")[0]["id"]
    _complaints(described, full, "GET", f"/{kind}/{identity}", None)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("clients", {"name": "Bob", "contacts": [{"email": "b@example.org"}]}, {"id_number": "7"}),
        ("products", {"product_key": "b", "notes": "B", "price": 2}, {"price": "much"}),
        ("invoices", {"line_items": [{"cost": 3}]}, {"number": "0001"}),
        ("payments", {"amount": 5}, {"amount": "much"}),
        ("webhooks", {"target_url": "https://b.example/", "event_id": "2"}, {}),
    ],
)
def test_what_is_written(
    described: Description, full: Api, kind: str, good: dict[str, object], bad: dict[str, object]
) -> None:
    named = {"client_id": full.get("/clients")[0]["id"]} if kind in {"invoices", "payments"} else {}
    _complaints(described, full, "POST", f"/{kind}", {**named, **good})
    _complaints(described, full, "POST", f"/{kind}", {**named, **bad})
    identity = full.get(f"/{kind}")[0]["id"]
    _complaints(described, full, "PUT", f"/{kind}/{identity}", {})
    _complaints(described, full, "POST", f"/{kind}/bulk", {"action": "archive", "ids": [identity]})


def test_the_rest(described: Description, full: Api) -> None:
    for method, path in (("GET", "/ping"), ("POST", "/companies/current"), ("GET", "/clients/x")):
        _complaints(described, full, method, path, None)
