"""Products: the key is not unique, nor even needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallystick.providers.invoiceninja.sandbox.answers import Row
from tallystick.providers.invoiceninja.sandbox.company import Company
from tallystick.providers.invoiceninja.sandbox.company import shown as whole
from tallystick.providers.invoiceninja.sandbox.reading import Form, is_on

_LENGTHS: dict[str, int | None] = {
    "product_key": 191,
    "notes": None,
    **{f"custom_value{n}": 191 for n in (1, 2, 3, 4)},
    **{f"tax_name{n}": 191 for n in (1, 2, 3)},
    "tax_id": None,
    "product_image": 191,
    "assigned_user_id": None,
    "project_id": None,
    "vendor_id": None,
    "income_account_id": None,
}
_NUMBERS = ("cost", "price", "quantity", "tax_rate1", "tax_rate2", "tax_rate3")
_COUNTS = ("in_stock_quantity", "stock_notification_threshold", "max_quantity")
_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(_LENGTHS, ""),
    **dict.fromkeys(_NUMBERS, 0.0),
    **dict.fromkeys(_COUNTS, 0),
    "quantity": 1.0,
    "tax_id": "1",
    "stock_notification": True,
}


def create(company: Company, given: Row, query: Mapping[str, str]) -> Row:
    del query
    fields = _read(given)
    return company.add("products", _sparse(fields), made=_natural_key(company, fields))


def change(company: Company, product: Row, given: Row, query: Mapping[str, str]) -> Row:
    fields = _read(given)
    if not is_on(query, "update_in_stock_quantity"):
        fields.pop("in_stock_quantity", None)
    return company.keep("products", _sparse({**product, **fields}))


def shown(company: Company, product: Row, public_url: str) -> Row:
    del public_url
    return {**whole(product, _DEFAULTS), "user_id": company.user_id, "documents": []}


def _read(given: Row) -> Row:
    form = Form(given)
    form.texts(_LENGTHS)
    form.numbers(_NUMBERS)
    form.numbers(_COUNTS, places=0)
    form.flags(("stock_notification",))
    fields = form.done()
    return {name: int(value) if name in _COUNTS else value for name, value in fields.items()}


def _sparse(row: Row) -> Row:
    """Without what is as it is by default: there may be very many of them."""
    return {name: value for name, value in row.items() if value != _DEFAULTS.get(name)}


def _natural_key(company: Company, fields: Row) -> str:
    """What the ledger counts it by: two products of one key are two only if custom_value4 tells
    them apart."""
    key = str(fields.get("product_key", ""))
    first = next(iter(company.shelves["products"].find("product_key", key)), None)
    theirs, ours = (first or fields).get("custom_value4", ""), fields.get("custom_value4", "")
    return key if theirs == ours else f"{key} ({ours})"
