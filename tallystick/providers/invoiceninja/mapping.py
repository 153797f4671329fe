"""Which of our values goes into which field there: data, for a host that wants it otherwise.

What a counterpart is known by is not for choosing and is not here: a client's `id_number` and
contacts, a product's `product_key`, `custom_value4` and tax. Values are cut to what a field holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from tallystick.ports.errors import Refused
from tallystick.ports.records import Customer, Detailed, Details, Product

Value = str | Decimal
CustomerFields = Mapping[str, Callable[[Customer], Value]]
ProductFields = Mapping[str, Callable[[Product], Value]]
NUMBERS = frozenset({"price", "cost"})
"""The fields that take a number; where there is none they are left alone."""

D = TypeVar("D", bound=Detailed)


def chosen(
    fields: Mapping[str, Callable[[D], Value]], overrides: Mapping[str, str]
) -> dict[str, Callable[[D], Value]]:
    """`fields`, with what a connection's settings want otherwise."""
    own = {name: _reader(name, source) for name, source in overrides.items() if source}
    return {name: of for name, of in fields.items() if name not in overrides} | own


def otherwise(
    fields: Mapping[str, Callable[[D], Value]], overrides: Mapping[str, str], record: D
) -> Details:
    """What the settings put into which field that is not there usually; None: they leave it alone."""
    ours = chosen(fields, overrides)
    found = []
    for name in sorted(overrides):
        usual, own = _read(fields, name, record), _read(ours, name, record)
        if own != usual:
            found.append((name, own))
    return tuple(found)


def _read(fields: Mapping[str, Callable[[D], Value]], name: str, record: D) -> str | None:
    try:
        return str(fields[name](record)) if name in fields else None
    except Refused as why:  # its push says so
        return str(why)


def _reader(name: str, source: str) -> Callable[[Detailed], Value]:
    """Reads a detail of the record, or else an attribute, for the field `name`."""

    def read(record: Detailed) -> Value:
        value: object = record.detail(source)
        if value is None:
            value = _attribute(record, source)
        if name in NUMBERS:
            return _number(value, name, source)
        return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)

    return read


def _attribute(record: object, path: str) -> object:
    for step in path.split("."):
        record = getattr(record, step, "")
    return record


def _number(value: object, name: str, source: str) -> Value:
    """Empty where there is none. Raises `Refused` for what is none."""
    if value == "":
        return ""
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise Refused(f"{name} takes a number, and {source} is none.") from None


def told(record: Detailed, name: str) -> str:
    """A detail as text; empty where it is not known."""
    value = record.detail(name)
    return "" if value is None else str(value)


def _name(record: Customer) -> str:
    return record.name.strip() or record.email or record.key


def _notes(record: Product) -> str:
    parts = [record.description, told(record, "category"), told(record, "country_of_origin")]
    return "\n".join(part.strip() for part in parts if part.strip())


def first_notes(record: Customer) -> str:
    """What a new client's private notes begin with; from then on they belong to the staff."""
    lines = [
        ("Django user", told(record, "django_user_id")),
        ("Signed up", told(record, "signup_date")),
    ]
    return "\n".join(f"{label}: {value}" for label, value in lines if value)


CUSTOMER_FIELDS: CustomerFields = {
    "name": _name,
    "vat_number": lambda record: record.tax_number,
    "address1": lambda record: record.address.line1,
    "address2": lambda record: record.address.line2,
    "city": lambda record: record.address.city,
    "state": lambda record: record.address.region,
    "postal_code": lambda record: record.address.postal_code,
    "custom_value1": lambda record: told(record, "referral_code"),
    "custom_value2": lambda record: told(record, "referred_by"),
    "custom_value3": lambda record: told(record, "nationality"),
    "custom_value4": lambda record: told(record, "django_user_id"),
}

PRODUCT_FIELDS: ProductFields = {
    "notes": _notes,
    "price": lambda record: record.price,
    "cost": lambda record: record.price,
    "custom_value1": lambda record: told(record, "category"),
    "custom_value2": lambda record: told(record, "country_of_origin"),
    "custom_value3": lambda record: told(record, "max_discount_percentage"),
}

CUSTOMER_DETAILS = frozenset(
    {"referral_code", "referred_by", "nationality", "django_user_id", "signup_date"}
)
PRODUCT_DETAILS = frozenset(
    {
        "django_product_id",
        "category",
        "country_of_origin",
        "max_discount_percentage",
        "image_url",
        "slug",
    }
)
