"""How what a provider has differs from what we have, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from tallystick.ports.records import Customer, Product, Record, RemoteCustomer, RemoteProduct

Told = tuple[str, str, str]
"""The field, what it is there, what it is here."""

ARCHIVED = "It was archived there."


def between(ours: Record, theirs: object) -> list[Told]:
    """The fields in which they differ. What only a provider's way of writing changes is none: case of
    an e-mail address, spaces, zeros, a name or a country that it filled in."""
    if isinstance(ours, Customer) and isinstance(theirs, RemoteCustomer):
        return list(_of_customer(ours, theirs))
    if isinstance(ours, Product) and isinstance(theirs, RemoteProduct):
        return list(_of_product(ours, theirs))
    return []


def in_words(ours: Record, theirs: object) -> str:
    """The same for people; empty when they agree."""
    if getattr(ours, "is_active", True) and not getattr(theirs, "is_active", True):
        return ARCHIVED
    told = between(ours, theirs)
    return " ".join(
        f"{name} {_quoted(there)} there, {_quoted(here)} here." for name, there, here in told
    )


def _of_customer(ours: Customer, theirs: RemoteCustomer) -> Iterator[Told]:
    here, there = ours.address, theirs.address
    if ours.name:
        yield from _differing("Name", theirs.name, ours.name)
    yield from _differing("E-mail address", theirs.email.lower(), ours.email.lower())
    yield from _differing("Phone", theirs.phone, ours.phone)
    yield from _differing("Tax number", theirs.tax_number, ours.tax_number)
    yield from _differing("Address", f"{there.line1} {there.line2}", f"{here.line1} {here.line2}")
    yield from _differing("City", there.city, here.city)
    yield from _differing("Region", there.region, here.region)
    yield from _differing("Postal code", there.postal_code, here.postal_code)
    if here.country:
        yield from _differing("Country", there.country, here.country)


def _of_product(ours: Product, theirs: RemoteProduct) -> Iterator[Told]:
    yield from _differing("Code", theirs.code, ours.code)
    if theirs.name and theirs.name != theirs.code:
        yield from _differing("Name", theirs.name, ours.name)
    # A price in another currency was never told them: there is none to compare with.
    if theirs.currency in {"", ours.currency} and ours.price != theirs.price:
        yield "Price", _plain(theirs.price), _plain(ours.price)
    # A provider may write more below it: category, country.
    if _folded(ours.description) not in _folded(theirs.description):
        yield "Description", theirs.description, ours.description


def _differing(name: str, there: str, here: str) -> Iterator[Told]:
    there, here = _folded(there), _folded(here)
    if there != here:
        yield name, there, here


def _folded(text: str) -> str:
    return " ".join(text.split())


def _quoted(text: str) -> str:
    text = _folded(text)
    if not text:
        return "empty"
    return f"“{text[:60]}”" if not text.replace(".", "").isdecimal() else text


def _plain(value: Decimal) -> str:
    """With two decimal places, or more where they are needed."""
    text = f"{value.normalize():f}"
    whole, _, rest = text.partition(".")
    return f"{whole}.{rest:0<2}"
