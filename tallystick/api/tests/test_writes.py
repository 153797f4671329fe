"""Mass assignment: what is read only, or another's, is never written by being sent."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework import serializers

from tallystick.api import inputs, schemas
from tallystick.api.fields import Strict
from tallystick.api.tests.desk import Desk
from tallystick.api.tests.test_roles import stored
from tallystick.billing.models import Invoice, Product
from tallystick.billing.tests import making

pytestmark = pytest.mark.django_db

# Every schema that is sent, where, and a body that is well.
WRITES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "NewInvoice": ("POST", "invoices/", {}),
    "InvoiceIn": ("PUT", "invoices/{draft}/", {}),
    "InvoicePatch": ("PATCH", "invoices/{draft}/", {"title": "A draft"}),
    "LineIn": ("PATCH", "invoices/{draft}/", {"lines": [{"description": "a", "unit_price": "1"}]}),
    "Issue": ("POST", "invoices/{draft}/issue/", {"send": False}),
    "Reason": ("POST", "invoices/{invoice}/void/", {"reason": "Twice."}),
    "MarkPaid": ("POST", "invoices/{invoice}/mark_paid/", {}),
    "Credit": ("POST", "invoices/{invoice}/credit/", {"reason": "Less."}),
    "CreditLine": (
        "POST",
        "invoices/{invoice}/credit/",
        {"reason": "Less.", "lines": [{"position": 1, "quantity": "1"}]},
    ),
    "LinkIn": ("POST", "invoices/{invoice}/payment_link/", {"action": "revoke"}),
    "Pay": ("POST", "invoices/{invoice}/process_payment/", {"method": "wallet"}),
    "RefundIn": ("POST", "payments/{payment}/refund/", {"reason": "Back."}),
    "Bulk": ("POST", "invoices/bulk/", {"action": "mark_paid", "ids": ["{invoice}"]}),
    "Nothing": ("POST", "invoices/{invoice}/send_email/", {}),
}
COLUMNS = {field.name for field in Invoice._meta.get_fields()} | {"id", "pk", "website_id", "user"}
READ = {
    name
    for schema in vars(schemas).values()
    if isinstance(schema, type) and issubclass(schema, serializers.Serializer)
    for name in getattr(schema, "_declared_fields", {})
}
VALUES = ("1x", 41, "00000000-0000-0000-0000-000000000000", {"id": 1}, [None])


def test_every_schema_is_tried() -> None:
    sent = {
        name
        for name, each in vars(inputs).items()
        if isinstance(each, type) and issubclass(each, Strict) and each is not Strict
    }
    assert sent == set(WRITES)


@pytest.mark.parametrize("name", WRITES)
def test_what_is_not_declared_is_refused_and_nothing_changes(name: str, desk: Desk) -> None:
    schema: Any = getattr(inputs, name)
    method, path, body = WRITES[name]
    names = {each: getattr(desk, each).uid for each in ("draft", "invoice", "payment")}
    body = {**desk.new(), **body} if name in ("NewInvoice", "InvoiceIn") else dict(body)
    if "ids" in body:
        body["ids"] = [str(desk.invoice.uid)]
    admin = desk.as_admin()
    before = stored()
    inner = name in ("LineIn", "CreditLine")
    for number, field in enumerate(sorted((COLUMNS | READ) - set(schema().fields))):
        value = VALUES[number % len(VALUES)]
        if inner:
            sent = body | {"lines": [body["lines"][0] | {field: value}]}
        else:
            sent = body | {field: value}
        told = admin.send(method, path.format(**names), sent)
        assert told.status == 422, (field, told.body)
        assert told.pointers == [f"/lines/0/{field}" if inner else f"/{field}"]
    assert stored() == before


def test_what_is_foreign_is_not_taken(desk: Desk) -> None:
    other = Desk.at(making.website())
    product = making_product(other)
    before = stored()
    path = f"invoices/{desk.draft.uid}/"
    for body, pointer in (
        ({"client": str(other.account.uid)}, "/client"),
        ({"lines": [{"product": str(product.uid)}]}, "/lines/0/product"),
    ):
        told = desk.as_admin().send("PATCH", path, body)
        assert (told.status, told.pointers) == (422, [pointer])
    # Both are the superadmin's to see, yet not to be mixed.
    told = desk.as_superadmin().send("PATCH", path, {"client": str(other.account.uid)})
    assert (told.status, told.code) == (422, "other_website")
    assert stored() == before


def making_product(desk: Desk) -> Product:
    return Product.objects.create(website=desk.website, name="Theirs", price="5", currency="EUR")
