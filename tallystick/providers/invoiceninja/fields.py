"""The fields of clients and products, as their pages call them, and what goes into each.

A company names its custom fields itself: see `labels`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from tallystick.ports.fields import Field, FieldLabels
from tallystick.ports.records import Customer, Kind, Product
from tallystick.providers.invoiceninja.mapping import Value, told
from tallystick.providers.invoiceninja.products import keys, line, mark
from tallystick.providers.invoiceninja.wording import LINE, fitted

CLIENT = (
    Field("id_number", "ID Number", "our key", is_fixed=True),
    Field("name", "Name", "name, or the e-mail address", holds="name"),
    Field("vat_number", "VAT Number", "tax number", holds="tax_number"),
    Field("phone", "Phone"),
    Field("website", "Website"),
    Field("contacts", "Contact", "first and last name, e-mail address, phone", is_fixed=True),
    Field("address1", "Street", "first line of the address", holds="address.line1"),
    Field("address2", "Apt/Suite", "second line of the address", holds="address.line2"),
    Field("city", "City", "city", holds="address.city"),
    Field("state", "State/Province", "region", holds="address.region"),
    Field("postal_code", "Postal Code", "postal code", holds="address.postal_code"),
    Field("country", "Country", "country", is_fixed=True),
    Field("currency", "Currency", "currency, of a new one", is_fixed=True),
    Field("public_notes", "Public Notes"),
    Field("custom_value1", "Custom field 1", "referral code"),
    Field("custom_value2", "Custom field 2", "referred by"),
    Field("custom_value3", "Custom field 3", "nationality"),
    Field("custom_value4", "Custom field 4", "user number"),
)

PRODUCT = (
    Field("product_key", "Item", "short name, else the name", is_fixed=True),
    Field(
        "notes", "Description", "description, category and country of origin", holds="description"
    ),
    Field("price", "Price", "price", holds="price"),
    Field("cost", "Cost", "price"),
    Field("tax", "Tax", "tax rate", is_fixed=True),
    Field("product_image", "Image URL", "address of the picture", is_fixed=True),
    Field("custom_value1", "Custom field 1", "category"),
    Field("custom_value2", "Custom field 2", "country of origin"),
    Field("custom_value3", "Custom field 3", "maximum discount"),
    Field("custom_value4", "Custom field 4", "product number, as our mark", is_fixed=True),
)

_OF_A_KIND = {"client": Kind.CUSTOMER, "product": Kind.PRODUCT}


def of_client(
    fields: Mapping[str, Callable[[Customer], Value]], record: Customer
) -> dict[str, str]:
    """What is written into which field."""
    person = (f"{record.first_name} {record.last_name}".strip(), record.email, record.phone)
    fixed = {
        "id_number": record.key,
        "contacts": ", ".join(part for part in person if part),
        "country": record.address.country,
        "currency": record.currency,
    }
    return {name: fitted(str(of(record)), LINE, name) for name, of in fields.items()} | fixed


def of_product(
    fields: Mapping[str, Callable[[Product], Value]], record: Product, *, sets_cost: bool
) -> dict[str, str]:
    """As `of_client`, where the company reckons in the product's currency."""
    said = {}
    for name, of in fields.items():
        value = of(record)
        if isinstance(value, Decimal):
            if name != "cost" or sets_cost:
                said[name] = f"{value.normalize():f}"
        elif name not in {"price", "cost"}:
            said[name] = line(name, value)
    tax = record.tax
    fixed = {
        "product_key": keys(record)[0],
        "tax": f"{tax.code} {tax.percent.normalize():f} %" if tax else "",
        "product_image": told(record, "image_url"),
        "custom_value4": mark(record),
    }
    return said | fixed


def labels_of(custom_fields: Mapping[str, str]) -> FieldLabels:
    """`client1` .. `product4` with their labels, by kind and field."""
    found: dict[Kind, dict[str, str]] = {kind: {} for kind in _OF_A_KIND.values()}
    for place, label in custom_fields.items():
        name, _, _ = label.partition("|")
        match = re.fullmatch(r"(client|product)([1-4])", place)
        if match and name.strip():
            found[_OF_A_KIND[match[1]]][f"custom_value{match[2]}"] = name.strip()
    return found
