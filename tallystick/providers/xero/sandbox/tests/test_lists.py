"""Lists: filters, order, pages, changes since."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tallystick.kit.clock import VirtualClock
from tallystick.providers.xero.sandbox import XeroStand
from tallystick.providers.xero.sandbox.tests.api import Api, draft


@pytest.fixture
def full(api: Api) -> Api:
    """Seven invoices, T-2 paid, T-4 a draft."""
    for number in range(1, 8):
        status = "DRAFT" if number == 4 else "AUTHORISED"
        api.invoice(f"T-{number}", Status=status, Reference=f"PO {number % 2}")
    api.stand.pay_invoice("T-2")
    return api


def numbers(api: Api, **query: str) -> str:
    found = api.get("/Invoices", **query)["Invoices"]
    return " ".join(invoice["InvoiceNumber"].removeprefix("T-") for invoice in found)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ('Status=="PAID"', "2"),
        ('Status=="DRAFT" OR Status=="PAID"', "2 4"),
        ('InvoiceNumber=="t-3" OR InvoiceNumber=="T-5"', "3 5"),
        ('Reference.Contains("o 1") AND Status!="DRAFT"', "1 3 5 7"),
        ('(AmountPaid > 0 && Total>=120.00) || InvoiceNumber.EndsWith("7")', "2 7"),
        ("FullyPaidOnDate!=null", "2"),
        ('Contact.Name=="ada lovelace" AND Date>=DateTime(2026,1,1)', "1 2 3 4 5 6 7"),
        ('Date>DateTime.Parse("2026-01-01")', ""),
        ('InvoiceNumber.ToLower()=="t-1" and AmountDue<=120', "1"),
        ('InvoiceNumber.StartsWith("T-") AND SentToContact==false AND AmountDue<50', "2"),
        ('Contact.ContactID==guid("00000000-0000-0000-0000-000000000000")', ""),
        (r'Reference=="a \"quoted\" word"', ""),
    ],
)
def test_where(full: Api, where: str, found: str) -> None:
    assert numbers(full, where=where) == found


@pytest.mark.parametrize(
    "where",
    [
        "Staus==1",
        "Status=",
        "Status",
        '(Status=="A"',
        'Status=="A" AND',
        'Status=="A" Total',
        "Status==Total",
        "Date>=DateTime(2026)",
        "Date>=DateTime(2026,13,1)",
        'Status=="A',
        "§",
        "(" * 50 + 'Status=="A"' + ")" * 50,
        "Total==1 OR " * 500 + "Total==1",
    ],
)
def test_a_bad_filter_is_refused(full: Api, where: str) -> None:
    root = "https://api.xero.com/api.xro/2.0/Invoices"
    answer = full.client.get(root, params={"where": where}, headers=full.headers)
    assert answer.status_code in {400, 414}
    if answer.status_code == 400:
        assert answer.json()["Type"] == "QueryParseException"


def test_order(full: Api) -> None:
    assert numbers(full, order="InvoiceNumber DESC") == "7 6 5 4 3 2 1"
    assert numbers(full, order="Reference, InvoiceNumber desc") == "6 4 2 7 5 3 1"
    assert numbers(full, order="UpdatedDateUTC") == "1 3 4 5 6 7 2"
    assert full.send("GET", "/Invoices?order=Nothing").status_code == 400
    assert full.send("GET", "/Invoices?order=Total%20UP").status_code == 400


def test_pages_are_whole_and_lists_are_not(full: Api) -> None:
    page = full.get("/Invoices", page="2", pageSize="3")
    assert page["pagination"] == {"page": 2, "pageSize": 3, "pageCount": 3, "itemCount": 7}
    assert [len(i["LineItems"]) for i in page["Invoices"]] == [1, 1, 1]
    assert "ContactPersons" in page["Invoices"][0]["Contact"]
    plain = full.get("/Invoices")
    assert "pagination" not in plain
    assert {len(i["LineItems"]) for i in plain["Invoices"]} == {0}
    assert {len(i["Payments"]) for i in plain["Invoices"]} == {0}
    brief = full.get("/Invoices", page="1", summaryOnly="true")
    assert {len(i["LineItems"]) for i in brief["Invoices"]} == {0}
    assert full.get("/Invoices", page="9")["Invoices"] == []
    assert full.get("/Invoices", page="1", pageSize="5000")["pagination"]["pageSize"] == 1000


def test_filters_by_parameter(full: Api) -> None:
    everything = full.get("/Invoices")["Invoices"]
    ids = ",".join(i["InvoiceID"] for i in everything[:2])
    assert numbers(full, IDs=ids) == "1 2"
    assert numbers(full, IDs=ids, Statuses="PAID,VOIDED") == "2"
    assert numbers(full, InvoiceNumbers="T-3,t-5,T-99") == "3 5"
    assert numbers(full, ContactIDs=everything[0]["Contact"]["ContactID"]) == "1 2 3 4 5 6 7"
    assert numbers(full, searchTerm="t-6") == "6"
    assert (
        full.send("GET", f"/Invoices?IDs={','.join([everything[0]['InvoiceID']] * 60)}").status_code
        == 414
    )


def test_changes_since(full: Api, clock: VirtualClock, stand: XeroStand) -> None:
    clock.advance(timedelta(minutes=20))
    stand.edit_invoice("T-5", {"Reference": "changed"})
    since = f"{clock.now() - timedelta(minutes=1):%Y-%m-%dT%H:%M:%S}"

    def changed(header: str) -> int:
        answer = full.send("GET", "/Invoices?page=1", if_modified_since=header)
        return len(answer.json()["Invoices"])

    assert changed(since) == 1
    # Neither a zone nor an HTTP date is understood: everything comes.
    assert changed(since + "Z") == 7
    assert changed("Sat, 01 Jan 2026 00:19:00 GMT") == 7


def test_pages_follow_changes(full: Api) -> None:
    assert full.get("/Invoices", page="1")["pagination"]["itemCount"] == 7
    full.put("Invoices", draft("T-8"))
    assert full.get("/Invoices", page="1")["pagination"]["itemCount"] == 8


def test_settings(api: Api) -> None:
    banks = api.get("/Accounts", where='Type=="BANK" AND Status=="ACTIVE"')["Accounts"]
    assert [account["Code"] for account in banks] == ["090", "091"]
    rates = {rate["TaxType"]: rate["EffectiveRate"] for rate in api.get("/TaxRates")["TaxRates"]}
    assert rates["OUTPUT2"] == 20.0
    assert api.get("/TaxRates/OUTPUT2")["TaxRates"][0]["CanApplyToRevenue"] is True
    assert "GBP" in {currency["Code"] for currency in api.get("/Currencies")["Currencies"]}
    assert api.send("PUT", "/Currencies", {}).status_code == 404
    assert api.send("PUT", "/Accounts", {}).status_code == 404


def test_payments_are_found_by_reference(full: Api) -> None:
    invoice = full.get("/Invoices/T-3")["Invoices"][0]
    full.payment(invoice, 5, Reference="p-9")
    where = f'Reference=="p-9" AND Invoice.InvoiceID==guid("{invoice["InvoiceID"]}")'
    (found,) = full.get("/Payments", where=where)["Payments"]
    assert (found["Amount"], found["Invoice"]["InvoiceNumber"]) == (5.0, "T-3")
    assert full.get("/Payments", where='Reference=="none"')["Payments"] == []
