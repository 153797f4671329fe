"""Items: what is sold, by code."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tallystick.providers.xero.sandbox import reading
from tallystick.providers.xero.sandbox.answers import Element, Invalid
from tallystick.providers.xero.sandbox.books import Books, new_id

_LENGTHS = {"Code": 30, "Name": 50, "Description": 4000, "PurchaseDescription": 4000}


def create(books: Books, given: Element, *, places: int = 2) -> Element:
    """PUT: a new one; a code that is taken is an error."""
    return _create(books, _read(books, given, places))


def upsert(books: Books, given: Element, *, places: int = 2) -> Element:
    """POST: the one with this ItemID, else with this Code; a new one otherwise."""
    fields = _read(books, given, places)
    item = _identify(books, given)
    if item is None:
        return _create(books, fields)
    code = fields.get("Code") or item["Code"]
    if code.lower() != item["Code"].lower():
        _check_code(books, code)
    return books.keep(books.items, {**item, **fields})


def by_id_or_code(books: Books, key: str) -> Element | None:
    return books.items.get(key) or by_code(books, key)


def by_code(books: Books, code: str) -> Element | None:
    found = books.items.find("Code", code)
    return found[0] if found else None


def shown(books: Books, item: Element, *, whole: bool = True) -> Element:
    """As in an answer."""
    del books, whole
    return {**item, "IsTrackedAsInventory": False}


def _identify(books: Books, given: Element) -> Element | None:
    if identity := reading.text(given, "ItemID"):
        found = books.items.get(identity)
        if found is None:
            raise Invalid("The Item with the specified ItemID could not be found")
        return found
    return by_code(books, reading.text(given, "Code") or "")


def _create(books: Books, fields: Mapping[str, Any]) -> Element:
    code = fields.get("Code") or ""
    if not code.strip():
        raise Invalid("Price List Item Code must be specified")
    _check_code(books, code)
    item: Element = {
        "ItemID": new_id(),
        "Description": "",
        "PurchaseDescription": "",
        "Name": code,
        "IsSold": True,
        "IsPurchased": True,
        "SalesDetails": {},
        "PurchaseDetails": {},
        **fields,
    }
    return books.keep(books.items, item, made=code)


def _check_code(books: Books, code: str) -> None:
    if by_code(books, code):
        raise Invalid(f"Price List Item with Code '{code}' already exists")


def _read(books: Books, given: Element, places: int) -> dict[str, Any]:
    fields: dict[str, Any] = reading.texts(given, _LENGTHS)
    for name in ("IsSold", "IsPurchased"):
        if (value := reading.flag(given, name)) is not None:
            fields[name] = value
    for name in ("SalesDetails", "PurchaseDetails"):
        if given.get(name) is not None:
            fields[name] = _details(books, given[name], places=places)
    return fields


def _details(books: Books, given: Element, *, places: int) -> Element:
    details: Element = {}
    price = reading.number(given, "UnitPrice", places=places)
    if price is not None:
        if price < Decimal(0):
            raise Invalid("The UnitPrice of an item cannot be negative")
        details["UnitPrice"] = price
    if code := reading.text(given, "AccountCode"):
        if not books.accounts.find("Code", code):
            raise Invalid(f"Account code '{code}' is not a valid code for this item")
        details["AccountCode"] = code
    if tax_type := reading.text(given, "TaxType"):
        if books.rate(tax_type) is None:
            raise Invalid(f"The TaxType code '{tax_type}' does not exist")
        details["TaxType"] = tax_type
    return details
