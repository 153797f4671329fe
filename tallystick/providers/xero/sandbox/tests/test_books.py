"""Contacts, items, and what people do in Xero itself."""

from __future__ import annotations

import pytest

from tallystick.ports.sandboxing import BadAction
from tallystick.providers.xero.sandbox import XeroStand
from tallystick.providers.xero.sandbox.tests.api import Api, line, messages


def test_names_are_unique_among_the_active(api: Api) -> None:
    ada = api.contact("Ada")
    assert "already assigned" in messages(api.contact("ADA"))
    api.post("Contacts", {"ContactID": ada["ContactID"], "ContactStatus": "ARCHIVED"})
    assert api.contact("Ada")["ContactID"] != ada["ContactID"]
    again = api.post("Contacts", {"ContactID": ada["ContactID"], "ContactStatus": "ACTIVE"})[0]
    assert "already assigned" in messages(again)


def test_an_archived_contact_cannot_be_edited(api: Api) -> None:
    ada = api.contact("Ada", ContactNumber="c-1")
    api.post("Contacts", {"ContactNumber": "c-1", "ContactStatus": "ARCHIVED"})
    refused = api.post("Contacts", {"ContactNumber": "c-1", "EmailAddress": "a@b.c"})[0]
    assert "archived" in messages(refused)
    assert api.get("/Contacts")["Contacts"] == []
    assert len(api.get("/Contacts", includeArchived="true")["Contacts"]) == 1
    invoice = api.invoice("T-1", Contact={"ContactID": ada["ContactID"]})
    assert "archived" in messages(invoice)


def test_a_contact_is_matched_by_id_number_or_name(api: Api) -> None:
    ada = api.contact("Ada", ContactNumber="c-1", EmailAddress="ada@example.org")
    for named in ({"ContactID": ada["ContactID"]}, {"ContactNumber": "c-1"}, {"Name": "Ada"}):
        assert api.post("Contacts", {**named, "TaxNumber": "7"})[0]["ContactID"] == ada["ContactID"]
    kept = api.get("/Contacts/c-1")["Contacts"][0]
    assert (kept["EmailAddress"], kept["TaxNumber"]) == ("ada@example.org", "7")


def test_two_people_of_one_name_are_not_merged(api: Api) -> None:
    api.contact("Ada", ContactNumber="c-1")
    other = api.post("Contacts", {"Name": "Ada", "ContactNumber": "c-2"})[0]
    assert "already assigned" in messages(other)


@pytest.mark.parametrize(
    "fields",
    [
        {"Name": ""},
        {"Name": "x" * 256},
        {"Name": "Ada", "ContactNumber": "x" * 51},
        {"Name": "Ada", "Addresses": [{"AddressType": "STREET", "Country": "D3"}]},
        {"Name": "Ada", "Addresses": [{"AddressType": "HOME"}]},
        {"Name": "Ada", "ContactPersons": [{"FirstName": "x"}] * 6},
        {"Name": "Ada", "HasValidationErrors": True},
        {"Name": "Ada", "DefaultCurrency": "XXX"},
    ],
)
def test_a_bad_contact_is_refused(api: Api, fields: dict[str, object]) -> None:
    assert api.put("Contacts", fields)[0]["StatusAttributeString"] == "ERROR"
    assert len(api.app.books.contacts) == 0


def test_one_bad_element_refuses_all_or_only_itself(api: Api, stand: XeroStand) -> None:
    body = {"Contacts": [{"Name": "Ada"}, {"Name": "Ada"}]}
    refused = api.send("PUT", "/Contacts", body)
    assert refused.status_code == 400
    assert refused.json()["ErrorNumber"] == 10
    assert len(refused.json()["Elements"]) == 1
    assert stand.ledger.dump() == {}
    assert stand.pending_deliveries() == []
    states = [e["StatusAttributeString"] for e in api.put("Contacts", *body["Contacts"])]
    assert states == ["OK", "ERROR"]
    assert stand.ledger.counts("contacts") == {"Ada": 1}


def test_items_are_unique_by_code(api: Api) -> None:
    item = {"Code": "hour", "Name": "Hour", "SalesDetails": {"UnitPrice": 90}}
    made = api.put("Items", item)[0]
    assert "already exists" in messages(api.put("Items", item)[0])
    changed = api.post("Items", {"Code": "HOUR", "Name": "An hour"})[0]
    assert (changed["ItemID"], changed["Name"]) == (made["ItemID"], "An hour")
    assert api.get("/Items/hour")["Items"][0]["SalesDetails"] == {"UnitPrice": 90.0}
    for bad in ({"Code": "x" * 31}, {"Code": "a", "Name": "x" * 51}, {"Name": "none"}):
        assert api.post("Items", bad)[0]["StatusAttributeString"] == "ERROR"


def test_four_decimal_places_by_wish(api: Api) -> None:
    body = {"Items": [{"Code": "a", "SalesDetails": {"UnitPrice": "0.1234"}}]}
    fine = api.send("POST", "/Items?unitdp=4", body).json()["Items"][0]
    assert fine["SalesDetails"]["UnitPrice"] == 0.1234
    coarse = api.send("POST", "/Items", body).json()["Items"][0]
    assert coarse["SalesDetails"]["UnitPrice"] == 0.12


def test_people_act_in_xero_itself(api: Api, stand: XeroStand) -> None:
    api.invoice("T-1")
    assert stand.pay_invoice("T-1", "20")["AmountDue"] == "100.00"
    with pytest.raises(BadAction, match="cannot be voided"):
        stand.void_invoice("T-1")
    with pytest.raises(BadAction, match="no invoice 'none'"):
        stand.act("pay_invoice", {"invoice": "none"})
    with pytest.raises(BadAction, match="no action"):
        stand.act("reset", {})
    with pytest.raises(BadAction, match="argument"):
        stand.act("void_invoice", {"nothing": 1})
    edited = stand.act("edit_invoice", {"invoice": "T-1", "fields": {"Reference": "PO 7"}})
    assert isinstance(edited, dict)
    assert api.get("/Invoices/T-1")["Invoices"][0]["Reference"] == "PO 7"
    stand.act(
        "edit_contact", {"contact": api.contact("Bob")["ContactID"], "fields": {"Name": "Rob"}}
    )
    assert api.get("/Contacts", searchTerm="rob")["Contacts"][0]["Name"] == "Rob"


def test_every_change_has_a_later_time(api: Api, stand: XeroStand) -> None:
    api.invoice("T-1")
    times = []
    for reference in ("a", "b", "c"):
        stand.edit_invoice("T-1", {"Reference": reference})
        times.append(api.get("/Invoices/T-1")["Invoices"][0]["UpdatedDateUTC"])
    assert sorted(set(times)) == times


def test_organisations_are_apart(api: Api, stand: XeroStand) -> None:
    api.contact("Ada")
    other = Api(stand, api.client, "Demo Company (Global)")
    assert other.get("/Contacts")["Contacts"] == []
    assert other.invoice("T-1", LineItems=[line(TaxType="OUTPUT")])["CurrencyCode"] == "EUR"
    assert stand.ledger.counts("contacts", account=other.app.books.id) == {"Ada Lovelace": 1}
    added = stand.add_organisation("Third", "NZ")
    assert added["base_currency"] == "NZD"
    assert Api(stand, api.client, "Third").get("/TaxRates")["TaxRates"][0]["EffectiveRate"] == 15.0


def test_online_invoices_and_mail(api: Api, stand: XeroStand) -> None:
    api.contact("Ada Lovelace", EmailAddress="ada@example.org")
    api.invoice("T-1", LineItems=[line(Description="<b>Tea</b>")])
    found = api.get("/Invoices/T-1/OnlineInvoice")
    url = found["OnlineInvoices"][0]["OnlineInvoiceUrl"]
    shown = api.client.get(url)
    assert "120.00 GBP" in shown.text
    assert "&lt;b&gt;Tea" in shown.text
    assert "Mark as paid" not in api.client.post(url).text
    assert api.get("/Invoices/T-1")["Invoices"][0]["Status"] == "PAID"
    assert api.client.get(url + "0").status_code == 404
    api.invoice("T-2", Status="DRAFT")
    assert api.send("GET", "/Invoices/T-2/OnlineInvoice").status_code == 400
    assert api.send("POST", "/Invoices/T-1/Email", {}).status_code == 204
    assert api.get("/Invoices/T-1")["Invoices"][0]["SentToContact"] is True
    assert api.send("POST", "/Invoices/T-2/Email", {}).status_code == 400


def test_reset_forgets_all_but_the_credentials(api: Api, stand: XeroStand) -> None:
    before = stand.organisations()[0]["client_secret"]
    api.invoice("T-1")
    stand.reset()
    assert stand.ledger.dump() == {}
    assert len(stand.app().books.invoices) == 0
    assert stand.organisations()[0]["client_secret"] == before
    assert stand.limits.minute == 60
