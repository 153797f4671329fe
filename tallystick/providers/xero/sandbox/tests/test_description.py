"""The stand against Xero's own description of its API."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tallystick.ports.descriptions import HOW_TO_GET, SPECS
from tallystick.providers.xero.sandbox import XeroStand
from tallystick.providers.xero.sandbox.tests.api import Api, Json, draft, line

_ACCOUNTING = SPECS / "xero" / "xero_accounting.prism.json"
_IDENTITY = SPECS / "xero" / "xero-identity.prism.json"

pytestmark = pytest.mark.skipif(
    not _ACCOUNTING.exists(), reason=f"needs {_ACCOUNTING.name}: {HOW_TO_GET}"
)


@cache
def _document(path: Path) -> Json:
    found: Json = json.loads(path.read_text())
    return found


def _check(value: object, schema: Json, *, path: Path = _ACCOUNTING) -> None:
    """`value` fits, and has no members that the description does not know."""
    whole = {**schema, "components": _document(path)["components"]}
    jsonschema.Draft202012Validator(whole).validate(value)


def _answer_schema(method: str, path: str, status: str = "200") -> Json:
    operation = _document(_ACCOUNTING)["paths"][path][method.lower()]
    found: Json = operation["responses"][status]
    if "$ref" in found:
        found = _document(_ACCOUNTING)["components"]["responses"][found["$ref"].rsplit("/", 1)[1]]
    schema: Json = found["content"]["application/json"]["schema"]
    return schema


def _body_schema(method: str, path: str) -> Json:
    operation = _document(_ACCOUNTING)["paths"][path][method.lower()]
    schema: Json = operation["requestBody"]["content"]["application/json"]["schema"]
    return schema


def _unknown(value: Any, schema: Json, where: str = "") -> list[str]:  # noqa: ANN401 - JSON
    """Paths of members that the schema does not name."""
    while "$ref" in schema:
        schema = _document(_ACCOUNTING)["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if isinstance(value, list):
        items = schema.get("items", {})
        return [name for each in value for name in _unknown(each, items, f"{where}[]")]
    known = schema.get("properties")
    if not isinstance(value, dict) or known is None:
        return []
    found = [f"{where}.{name}" for name in value if name not in known]
    for name, held in value.items():
        found += _unknown(held, _WHOLE.get(name, known.get(name, {})), f"{where}.{name}")
    return found


_WHOLE: dict[str, Json] = {"Invoice": {"$ref": "#/components/schemas/Invoice"}}
"""Cut short inside a payment, where the description goes in a circle."""


_ENVELOPE = {".Id", ".Status", ".ProviderName", ".DateTimeUTC"}
"""In every example of the description and in none of its schemas, as are the plain dates."""


def _fits(answer: Any, method: str, path: str, status: str = "200") -> None:  # noqa: ANN401 - JSON
    schema = _answer_schema(method, path, status)
    _check(answer, schema)
    unknown = {name for name in _unknown(answer, schema) if name not in _ENVELOPE}
    assert {name for name in unknown if not name.endswith("DateString")} == set()


@pytest.fixture
def full(api: Api, stand: XeroStand) -> Api:
    persons = [{"FirstName": "A", "LastName": "L", "EmailAddress": "a@b.c"}]
    address = {"AddressType": "STREET", "AddressLine1": "1 Road", "Country": "UK"}
    api.contact(ContactNumber="c-1", ContactPersons=persons, Addresses=[address])
    api.put("Items", {"Code": "hour", "SalesDetails": {"UnitPrice": 9, "AccountCode": "200"}})
    made = api.invoice(
        "T-1",
        LineItems=[line(DiscountRate=10), {"ItemCode": "hour"}],
        ExpectedPaymentDate="2026-02-01",
    )
    api.payment(made, 20, Reference="p-1")
    stand.pay_invoice("T-1")
    api.invoice("T-2", Status="DRAFT", CurrencyCode="EUR", CurrencyRate="1.15")
    stand.act("set_lock_date", {"day": "2025-12-31"})
    return api


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/Contacts", "/Contacts"),
        ("/Contacts?page=1", "/Contacts"),
        ("/Contacts/c-1", "/Contacts/{ContactNumber}"),
        ("/Items", "/Items"),
        ("/Items/hour", "/Items/{ItemID}"),
        ("/Invoices", "/Invoices"),
        ("/Invoices?page=1", "/Invoices"),
        ("/Invoices/T-1", "/Invoices/{InvoiceID}"),
        ("/Invoices/T-1/OnlineInvoice", "/Invoices/{InvoiceID}/OnlineInvoice"),
        ("/Payments", "/Payments"),
        ("/Payments?page=1", "/Payments"),
        ("/Accounts", "/Accounts"),
        ("/TaxRates", "/TaxRates"),
        ("/TaxRates/OUTPUT2", "/TaxRates/{TaxType}"),
        ("/Currencies", "/Currencies"),
        ("/Organisation", "/Organisation"),
    ],
)
def test_what_is_read(full: Api, path: str, template: str) -> None:
    answer = full.send("GET", path)
    assert answer.status_code == 200
    _fits(answer.json(), "GET", template)


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize(
    ("noun", "good", "bad"),
    [
        ("Contacts", {"Name": "Bob"}, {"Name": "Ada Lovelace", "ContactNumber": "c-9"}),
        (
            "Items",
            {"Code": "day", "Name": "Day"},
            {"Code": "x" * 30, "SalesDetails": {"TaxType": "?"}},
        ),
        ("Invoices", draft("T-9"), draft("T-8", Date="never")),
    ],
)
def test_what_is_written(full: Api, method: str, noun: str, good: Json, bad: Json) -> None:
    body = {noun: [good, bad]}
    _check(body, _body_schema(method, f"/{noun}"))
    mixed = full.send(method, f"/{noun}?summarizeErrors=false", body)
    assert [e["StatusAttributeString"] for e in mixed.json()[noun]] == ["OK", "ERROR"]
    _fits(mixed.json(), method, f"/{noun}")
    refused = full.send(method, f"/{noun}", {noun: [bad]})
    assert refused.status_code == 400
    _check(refused.json(), _answer_schema(method, f"/{noun}", "400"))


def test_payments_written(full: Api) -> None:
    made = full.invoice("T-3")
    payment = {
        "Invoice": {"InvoiceID": made["InvoiceID"]},
        "Account": {"Code": "090"},
        "Amount": 5,
        "Date": "2026-01-05",
        "Reference": "p-2",
    }
    _check({"Payments": [payment]}, _body_schema("PUT", "/Payments"))
    _fits(full.send("PUT", "/Payments", {"Payments": [payment]}).json(), "PUT", "/Payments")
    one = full.send("POST", "/Payments", payment)
    _fits(one.json(), "POST", "/Payments")
    identity = one.json()["Payments"][0]["PaymentID"]
    ended = full.send("POST", f"/Payments/{identity}", {"Status": "DELETED"})
    _fits(ended.json(), "POST", "/Payments/{PaymentID}")
    refused = full.send("POST", "/Payments", {**payment, "Amount": 1000})
    assert refused.status_code == 400


def test_connections(full: Api) -> None:
    answer = full.client.get("https://api.xero.com/Connections", headers=full.headers)
    operation = _document(_IDENTITY)["paths"]["/Connections"]["get"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    _check(answer.json(), schema, path=_IDENTITY)


def test_webhooks(full: Api, stand: XeroStand) -> None:
    yaml = pytest.importorskip("yaml")
    described = yaml.safe_load((SPECS / "xero" / "xero-webhooks.yaml").read_text())
    schema = described["components"]["schemas"]["WebhookEvent"]
    for sent in stand.pending_deliveries():
        jsonschema.Draft202012Validator(schema).validate(json.loads(sent.body))
