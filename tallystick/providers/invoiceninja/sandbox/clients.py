"""Clients: found by id number or by the e-mail of any contact; only the id number is unique."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tallystick.providers.invoiceninja.sandbox import contacts
from tallystick.providers.invoiceninja.sandbox.answers import Row
from tallystick.providers.invoiceninja.sandbox.charts import (
    CURRENCIES,
    country_id,
    currency_id,
    is_country,
)
from tallystick.providers.invoiceninja.sandbox.company import Company
from tallystick.providers.invoiceninja.sandbox.company import shown as whole
from tallystick.providers.invoiceninja.sandbox.reading import Form, without_tags

_ADDRESS = ("address1", "address2", "city", "state", "postal_code")
_LENGTHS: dict[str, int | None] = {
    "name": 191,
    "website": 191,
    "private_notes": None,
    "public_notes": None,
    **dict.fromkeys(_ADDRESS, 191),
    **{f"shipping_{name}": 191 for name in _ADDRESS},
    "phone": 255,
    **{f"custom_value{n}": 191 for n in (1, 2, 3, 4)},
    "vat_number": 191,
    "id_number": 191,
    "number": 191,
    "routing_id": 191,
    "assigned_user_id": None,
    "group_settings_id": None,
}
_CLASSES = (
    "individual",
    "business",
    "company",
    "partnership",
    "trust",
    "charity",
    "government",
    "other",
)
_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(_LENGTHS, ""),
    "country_id": "",
    "shipping_country_id": "",
    "classification": "",
    "balance": Decimal(0),
    "paid_to_date": Decimal(0),
    "credit_balance": Decimal(0),
    "payment_balance": Decimal(0),
    "last_login": 0,
    "is_tax_exempt": False,
    "has_valid_vat_number": False,
}


def create(company: Company, given: Row, query: Mapping[str, str]) -> Row:
    del query
    form, people = _read(company, given, None)
    fields = form.done()
    settings = {**_settings(given), "currency_id": _currency(company, given, is_new=True)}
    fields.setdefault("country_id", company.country_id)
    fields["number"] = fields.get("number") or company.next_number("clients")
    fields["contacts"] = _replaced(company, [], people or [])
    made = fields.get("id_number", "")
    return company.add("clients", {**fields, "settings": settings}, made=made)


def change(company: Company, client: Row, given: Row, query: Mapping[str, str]) -> Row:
    del query
    form, people = _read(company, given, client)
    fields = form.done()
    if not fields.get("number"):
        fields.pop("number", None)
    if people is not None:
        fields["contacts"] = _replaced(company, client["contacts"], people)
    # The currency is set anew by every PUT: the company's where none is named.
    settings = {**client["settings"], **_settings(given)}
    settings["currency_id"] = _currency(company, given, is_new=False)
    return company.keep("clients", {**client, **fields, "settings": settings})


def drop_contact(company: Company, client: Row, identity: str) -> Row:
    left = [contact for contact in client["contacts"] if contact["id"] != identity]
    return company.keep("clients", {**client, "contacts": _replaced(company, left, left)})


def owe(company: Company, client_id: str, *, balance: Decimal, paid: Decimal = Decimal(0)) -> None:
    """Move what a client owes and has paid. Webhooks do not speak of it."""
    if not balance and not paid:
        return
    client = whole(company.one("clients", client_id), _DEFAULTS)
    moved = {"balance": client["balance"] + balance, "paid_to_date": client["paid_to_date"] + paid}
    company.keep("clients", {**company.one("clients", client_id), **moved}, verb="")


def shown(company: Company, client: Row, public_url: str) -> Row:
    people = [contacts.shown(contact, public_url) for contact in client["contacts"]]
    first = people[0]
    person = f"{first['first_name']} {first['last_name']}".strip()
    return {
        **whole(client, _DEFAULTS),
        "user_id": company.user_id,
        "client_hash": client["id"],
        "display_name": client.get("name") or person or first["email"],
        "contacts": people,
        "documents": [],
        "gateway_tokens": [],
    }


def _read(company: Company, given: Row, client: Row | None) -> tuple[Form, list[Row] | None]:
    form = Form(given)
    form.texts(_LENGTHS)
    form.flags(("is_tax_exempt",))
    form.choice("classification", _CLASSES)
    if "name" in form.fields:
        form.fields["name"] = without_tags(form.fields["name"])
    for name in ("id_number", "number"):
        value = form.fields.get(name)
        if company.is_taken("clients", name, value, by_other_than=client):
            words = name.replace("_", " ")
            form.refuse(name, f"The {words} has already been taken.")
    _read_country(company, form)
    return form, contacts.read(form)


def _read_country(company: Company, form: Form) -> None:
    form.texts({"country_id": None, "shipping_country_id": None})
    code = form.given.get("country_code")
    if code and not form.fields.get("country_id"):
        form.fields["country_id"] = country_id(str(code)) or company.country_id
    for name in ("country_id", "shipping_country_id"):
        number = form.fields.get(name)
        if number and not is_country(number):
            form.refuse(name, f"The selected {name.replace('_', ' ')} is invalid.")


def _settings(given: Row) -> Row:
    settings = given.get("settings")
    return dict(settings) if isinstance(settings, dict) else {}


def _currency(company: Company, given: Row, *, is_new: bool) -> str:
    wanted = str(_settings(given).get("currency_id") or "")
    if is_new and given.get("currency_code"):
        wanted = currency_id(str(given["currency_code"]))
    return wanted if wanted in CURRENCIES else company.currency_id


def _replaced(company: Company, held: list[Row], given: list[Row]) -> list[Row]:
    now = int(company.now().timestamp())
    ids = (company.next_part() for _ in range(len(given) + 1))
    return contacts.replaced(held, given, ids=ids, now=now)
