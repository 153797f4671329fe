"""Invoices and payments: totals, states, what may still be changed."""

from __future__ import annotations

import pytest

from tallystick.providers.xero.sandbox import XeroStand
from tallystick.providers.xero.sandbox.tests.api import Api, draft, line, messages


@pytest.mark.parametrize(
    ("amounts", "totals"),
    [("Exclusive", (1.0, 0.2, 1.2)), ("Inclusive", (0.82, 0.18, 1.0)), ("NoTax", (1.0, 0.0, 1.0))],
)
def test_tax_is_rounded_per_line(
    api: Api, amounts: str, totals: tuple[float, float, float]
) -> None:
    # Twice 0.50 at 20 %: 0.10 a line; from 0.50 inclusive 0.0833.. is 0.08, but two lines of it.
    lines = [line(UnitAmount="0.50"), line(UnitAmount="0.50")]
    if amounts == "Inclusive":
        totals = (0.84, 0.16, 1.0)
    made = api.invoice("T-1", LineAmountTypes=amounts, LineItems=lines)
    assert (made["SubTotal"], made["TotalTax"], made["Total"]) == totals
    assert made["AmountDue"] == made["Total"]


def test_ties_round_up_and_discounts_come_first(api: Api) -> None:
    made = api.invoice("T-1", LineItems=[line(UnitAmount="0.25", Quantity="1", TaxType="TAX5")])
    assert made["StatusAttributeString"] == "ERROR"
    made = api.invoice("T-1", LineItems=[line(UnitAmount="0.10", TaxType="RROUTPUT")])
    assert made["TotalTax"] == 0.01
    made = api.invoice("T-2", LineItems=[line(Quantity=3, DiscountRate="12.5")])
    assert (made["LineItems"][0]["LineAmount"], made["TotalDiscount"]) == (262.5, 37.5)
    made = api.invoice("T-3", LineItems=[line(Quantity=3, DiscountAmount="0.01")])
    assert made["SubTotal"] == 299.99


def test_the_sums_must_agree(api: Api) -> None:
    assert api.invoice("T-1", Total="120.00", TotalTax=20)["StatusAttributeString"] == "OK"
    assert "sum of the lines" in messages(api.invoice("T-2", Total="119.99"))
    assert "line total" in messages(api.invoice("T-3", LineItems=[line(LineAmount="99.00")]))
    given = api.invoice("T-4", LineItems=[line(TaxAmount="19.99")])
    assert given["Total"] == 119.99


def test_a_line_takes_what_it_lacks_from_its_item(api: Api) -> None:
    details = {"UnitPrice": "12.34", "AccountCode": "200", "TaxType": "RROUTPUT"}
    api.put("Items", {"Code": "hour", "Name": "Hour", "SalesDetails": details})
    made = api.invoice("T-1", LineItems=[{"ItemCode": "hour", "Quantity": 2}])
    assert made["Total"] == 25.91
    assert "not valid" in messages(api.invoice("T-2", LineItems=[{"ItemCode": "none"}]))


@pytest.mark.parametrize(
    "fields",
    [
        {"LineItems": []},
        {"LineItems": [{"Description": ""}]},
        {"LineItems": [{"Description": "x", "UnitAmount": 1}]},
        {"LineItems": [{"Description": "x", "AccountCode": "999"}]},
        {"LineItems": [{"Description": "x", "AccountCode": "200", "TaxType": "INPUT2"}]},
        {"DueDate": None},
        {"Type": None},
        {"Type": "ACCPAY"},
        {"Status": "PAID"},
        {"CurrencyCode": "XTS"},
        {"Contact": {}},
        {"Contact": {"ContactID": "00000000-0000-0000-0000-000000000001"}},
        {"Date": "yesterday"},
        {"LineAmountTypes": "INCLUSIVE"},
    ],
)
def test_a_bad_invoice_is_refused_and_leaves_no_contact(
    api: Api, fields: dict[str, object]
) -> None:
    made = api.invoice("T-1", **fields)
    assert (made["StatusAttributeString"], made["HasErrors"]) == ("ERROR", True)
    assert len(api.app.books.contacts) == 0


def test_a_number_is_taken_for_ever(api: Api, stand: XeroStand) -> None:
    api.invoice("T-1")
    assert messages(api.invoice("T-1")) == "Invoice # must be unique."
    assert api.post("Invoices", {"InvoiceNumber": "T-1", "Reference": "PO"})[0]["Reference"] == "PO"
    assert stand.ledger.counts("invoices") == {"T-1": 1}
    assert api.put("Invoices", draft(""))[0]["InvoiceNumber"] == "INV-0001"


def test_a_draft_is_approved_once_it_is_complete(api: Api) -> None:
    api.invoice("T-1", Status="DRAFT", LineItems=[{"Description": "x", "UnitAmount": 5}])
    assert "Account code" in messages(
        api.post("Invoices", {"InvoiceNumber": "T-1", "Status": "AUTHORISED"})[0]
    )
    lines = {"Status": "AUTHORISED", "LineItems": [line()]}
    assert api.post("Invoices", {"InvoiceNumber": "T-1", **lines})[0]["Status"] == "AUTHORISED"


def test_voiding(api: Api) -> None:
    made = api.invoice("T-1")
    api.payment(made, 20, Reference="p-1")
    void = {"InvoiceID": made["InvoiceID"], "Status": "VOIDED"}
    assert "cannot be voided" in messages(api.post("Invoices", void)[0])
    payment = api.get("/Payments")["Payments"][0]
    deleted = api.send("POST", f"/Payments/{payment['PaymentID']}", {"Status": "DELETED"})
    assert deleted.json()["Payments"][0]["Status"] == "DELETED"
    ended = api.post("Invoices", void)[0]
    assert (ended["Status"], ended["AmountDue"]) == ("VOIDED", 0.0)
    assert "not of valid status" in messages(api.post("Invoices", void)[0])
    assert "Authorised documents" in messages(api.payment(made, 1))


def test_payments_settle(api: Api, stand: XeroStand) -> None:
    made = api.invoice("T-1")
    part = api.payment(made, "20.00", Reference="p-1")
    assert (part["Invoice"]["AmountDue"], part["Invoice"]["Status"]) == (100.0, "AUTHORISED")
    assert "exceeds" in messages(api.payment(made, "100.01"))
    rest = api.payment(made, 100, Reference="p-2")
    assert (rest["Invoice"]["AmountDue"], rest["Invoice"]["Status"]) == (0.0, "PAID")
    whole = api.get("/Invoices/T-1")["Invoices"][0]
    assert [p["Reference"] for p in whole["Payments"]] == ["p-1", "p-2"]
    assert whole["FullyPaidOnDate"] == "/Date(1767312000000+0000)/"
    assert stand.ledger.counts("payments") == {"p-1": 1, "p-2": 1}
    stand.act("delete_payment", {"payment": "p-2"})
    assert api.get("/Invoices/T-1")["Invoices"][0]["Status"] == "AUTHORISED"


@pytest.mark.parametrize(
    "fields",
    [
        {"Amount": 0},
        {"Amount": -1},
        {"Amount": "x"},
        {"Account": {"Code": "200"}},
        {"Account": {"Code": "none"}},
        {"Invoice": None},
        {"Invoice": {"InvoiceNumber": "none"}},
    ],
)
def test_a_bad_payment_is_refused(api: Api, fields: dict[str, object]) -> None:
    made = api.invoice("T-1")
    given = {"Amount": 1, **fields}
    assert api.payment(made, given.pop("Amount"), **given)["StatusAttributeString"] == "ERROR"
    assert api.payment(made, 1, Account={"Code": "850"})["StatusAttributeString"] == "OK"


def test_a_paid_invoice_keeps_its_amounts(api: Api) -> None:
    made = api.invoice("T-1")
    api.payment(made, 20)
    lines = [line(UnitAmount="200.00")]
    refused = api.post("Invoices", {"InvoiceNumber": "T-1", "LineItems": lines})[0]
    assert "cannot be edited" in messages(refused)
    same = api.post("Invoices", {"InvoiceNumber": "T-1", "LineItems": [line()], "Reference": "PO"})
    assert same[0]["Reference"] == "PO"


def test_a_locked_period_does_not_change(api: Api, stand: XeroStand) -> None:
    made = api.invoice("T-1")
    stand.act("set_lock_date", {"day": "2026-01-01"})
    assert "lock date" in messages(api.invoice("T-2"))
    void = api.post("Invoices", {"InvoiceID": made["InvoiceID"], "Status": "VOIDED"})[0]
    assert "lock date" in messages(void)
    assert api.payment(made, 1, Date="2026-01-01")["StatusAttributeString"] == "ERROR"
    assert api.payment(made, 1, Date="2026-01-02")["StatusAttributeString"] == "OK"
    assert api.get("/Organisation")["Organisations"][0]["PeriodLockDate"]
