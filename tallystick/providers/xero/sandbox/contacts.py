"""Contacts: unique names among the active, found again by id, number or name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallystick.providers.xero.sandbox import reading
from tallystick.providers.xero.sandbox.answers import Element, Invalid
from tallystick.providers.xero.sandbox.books import Books, new_id
from tallystick.providers.xero.sandbox.store import Shelf

_LENGTHS = {
    "ContactNumber": 50,
    "AccountNumber": 50,
    "Name": 255,
    "FirstName": 255,
    "LastName": 255,
    "EmailAddress": 255,
    "CompanyNumber": 50,
    "TaxNumber": 50,
    "BankAccountDetails": 255,
    "AccountsReceivableTaxType": 50,
    "AccountsPayableTaxType": 50,
    "SalesDefaultAccountCode": 10,
    "PurchasesDefaultAccountCode": 10,
}
_ADDRESS = {
    **{f"AddressLine{n}": 500 for n in (1, 2, 3, 4)},
    "City": 255,
    "Region": 255,
    "PostalCode": 50,
    "Country": 50,
    "AttentionTo": 255,
}
_PHONE = {"PhoneNumber": 50, "PhoneAreaCode": 10, "PhoneCountryCode": 20}
_PERSON = {"FirstName": 255, "LastName": 255, "EmailAddress": 255}
_ADDRESS_TYPES = frozenset({"STREET", "POBOX"})
_PHONE_TYPES = frozenset({"DDI", "DEFAULT", "FAX", "MOBILE", "OFFICE"})
_SHOWN_PHONES = ("DDI", "DEFAULT", "FAX", "MOBILE")
_STATUSES = frozenset({"ACTIVE", "ARCHIVED", "GDPRREQUEST"})
_LINE_AMOUNTS = frozenset({"INCLUSIVE", "EXCLUSIVE", "NONE"})
_MOST_PERSONS = 5
_ONLY_WHOLE = ("ContactPersons", "SalesDefaultLineAmountType", "SalesDefaultAccountCode")
"""Fields that a list without pages leaves out."""


def create(books: Books, given: Element, *, places: int = 2) -> Element:
    """PUT: a new one, and never another."""
    del places  # no unit amounts here
    fields = _read(books, given)
    number = fields.get("ContactNumber", "")
    if number and books.contacts.find("ContactNumber", number):
        raise Invalid(
            f"The contact number {number} is already assigned to another contact. "
            "The contact number must be unique across all contacts."
        )
    return _create(books, fields)


def upsert(books: Books, given: Element, *, places: int = 2) -> Element:
    """POST: the one that ContactID, else ContactNumber, else Name finds; a new one otherwise."""
    del places  # no unit amounts here
    found = identify(books, given)
    fields = _read(books, given)
    if found is None:
        return _create(books, fields)
    if found["ContactStatus"] != "ACTIVE" and "ContactStatus" not in fields:
        raise Invalid(
            "The specified Contact details matched an archived contact. "
            "Archived contacts cannot currently be edited via the API."
        )
    return change(books, found, fields)


def change(books: Books, contact: Element, fields: Mapping[str, Any]) -> Element:
    changed = {**contact, **fields}
    _check_unique(books, changed)
    return books.keep(books.contacts, changed, category="CONTACT")


def identify(books: Books, given: Element) -> Element | None:
    """The contact meant by what is given; raises `Invalid` for an id that does not exist."""
    if identity := reading.text(given, "ContactID"):
        found = books.contacts.get(identity)
        if found is None:
            raise Invalid("The Contact with the specified ContactID could not be found")
        return found
    number = reading.text(given, "ContactNumber")
    if number and (numbered := books.contacts.find("ContactNumber", number)):
        return numbered[0]
    named = active_named(books, reading.text(given, "Name") or "")
    # Two people of one name: a number of its own says that another one is meant.
    if named and number and named.get("ContactNumber") not in (None, "", number):
        return None
    return named


def active_named(books: Books, name: str) -> Element | None:
    for contact in books.contacts.find("Name", name) if name else ():
        if contact["ContactStatus"] == "ACTIVE":
            return contact
    return None


def by_id_or_number(shelf: Shelf, key: str) -> Element | None:
    found = shelf.get(key)
    if found is None and (numbered := shelf.find("ContactNumber", key)):
        return numbered[0]
    return found


def shown(books: Books, contact: Element, *, whole: bool = True) -> Element:
    """As in an answer."""
    is_customer = any(
        invoice["Status"] not in {"DRAFT", "SUBMITTED", "DELETED"}
        for invoice in books.invoices.each("Contact.ContactID", contact["ContactID"])
    )
    element = {
        **contact,
        "ContactGroups": [],
        "IsSupplier": False,
        "IsCustomer": is_customer,
        "HasAttachments": False,
        "HasValidationErrors": False,
    }
    for name in () if whole else _ONLY_WHOLE:
        element.pop(name, None)
    return element


def brief(contact: Element) -> Element:
    """As inside an invoice of a list."""
    kept: Element = {
        name: contact[name] for name in ("ContactID", "ContactNumber", "Name") if name in contact
    }
    return {
        **kept,
        "Addresses": [],
        "Phones": [],
        "ContactGroups": [],
        "ContactPersons": [],
        "HasValidationErrors": False,
    }


def _create(books: Books, fields: Mapping[str, Any]) -> Element:
    if not fields.get("Name"):
        raise Invalid("The Contact Name must be specified.")
    contact: Element = {
        "ContactID": new_id(),
        "ContactStatus": "ACTIVE",
        "BankAccountDetails": "",
        "EmailAddress": "",
        "Addresses": _addresses({}, []),
        "Phones": _phones({}, []),
        "ContactPersons": [],
        **fields,
    }
    _check_unique(books, contact)
    made = fields.get("ContactNumber") or fields["Name"]
    return books.keep(books.contacts, contact, made=made, category="CONTACT")


def _check_unique(books: Books, contact: Element) -> None:
    if contact["ContactStatus"] != "ACTIVE":
        return
    other = active_named(books, contact["Name"])
    if other and other["ContactID"] != contact["ContactID"]:
        raise Invalid(
            f"The contact name {contact['Name']} is already assigned to another contact. "
            "The contact name must be unique across all active contacts."
        )


def _read(books: Books, given: Element) -> dict[str, Any]:
    """What is given, of what may be set; read-only members are refused as Xero refuses them."""
    if given.get("HasValidationErrors") or given.get("ValidationErrors"):
        raise Invalid("An element that was read with errors cannot be sent back")
    fields: dict[str, Any] = reading.texts(given, _LENGTHS)
    if "Name" in fields and not fields["Name"].strip():
        raise Invalid("The Contact Name must be specified.")
    for name, choices in (
        ("ContactStatus", _STATUSES),
        ("SalesDefaultLineAmountType", _LINE_AMOUNTS),
        ("DefaultCurrency", frozenset(books.currencies)),
    ):
        if (value := reading.choice(given, name, choices)) is not None:
            fields[name] = value
    before = identify(books, given) or {}
    if given.get("Addresses"):
        fields["Addresses"] = _addresses(before, given["Addresses"])
    if given.get("Phones"):
        fields["Phones"] = _phones(before, given["Phones"])
    if given.get("ContactPersons") is not None:
        fields["ContactPersons"] = _persons(given["ContactPersons"])
    return fields


def _addresses(before: Element, given: list[Element]) -> list[Element]:
    """One of each type; a given one replaces the one of its type."""
    held = {a["AddressType"]: a for a in before.get("Addresses", ())}
    for address in given:
        kind = reading.choice(address, "AddressType", _ADDRESS_TYPES) or "POBOX"
        held[kind] = {"AddressType": kind, **reading.texts(address, _ADDRESS)}
        country = held[kind].get("Country", "")
        if not country.replace(" ", "").isalpha() and country:
            raise Invalid("The Country of an address can only contain letters.")
    empty = {"City": "", "Region": "", "PostalCode": "", "Country": ""}
    return [held.get(kind) or {"AddressType": kind, **empty} for kind in ("STREET", "POBOX")]


def _phones(before: Element, given: list[Element]) -> list[Element]:
    held = {p["PhoneType"]: p for p in before.get("Phones", ())}
    empty = dict.fromkeys(_PHONE, "")
    for phone in given:
        kind = reading.choice(phone, "PhoneType", _PHONE_TYPES) or "DEFAULT"
        held[kind] = {"PhoneType": kind, **empty, **reading.texts(phone, _PHONE)}
    kinds = (*_SHOWN_PHONES, *(k for k in held if k not in _SHOWN_PHONES))
    return [held.get(kind) or {"PhoneType": kind, **empty} for kind in kinds]


def _persons(given: list[Element]) -> list[Element]:
    if len(given) > _MOST_PERSONS:
        raise Invalid(f"A contact can have at most {_MOST_PERSONS} contact persons.")
    return [
        {
            **reading.texts(person, _PERSON),
            "IncludeInEmails": reading.flag(person, "IncludeInEmails") or False,
        }
        for person in given
    ]
