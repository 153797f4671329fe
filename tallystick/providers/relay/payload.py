"""What the relay is told: one JSON document a delivery, with all its keys always there.

Their names are a contract with workflows that others have built: none is renamed or left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tallystick.ports.records import SENSITIVE, Customer, Kind, Product, Scalar

Data = Mapping[str, Any]

READS = frozenset(
    (
        "django_user_id",
        "username",
        "phone_number",
        "date_of_birth",
        "nationality",
        "nationality_name",
        "referral_code",
        "referred_by",
        "date_joined",
        "signup_date",
        "is_active",
        *SENSITIVE,
        "django_product_id",
        "category",
        "country_of_origin",
        "max_discount_percentage",
        "image_url",
        "slug",
    )
)

_NOUNS = {
    Kind.CUSTOMER: ("user", "invoice_ninja_client_id"),
    Kind.PRODUCT: ("product", "invoice_ninja_product_id"),
}


@dataclass(frozen=True, slots=True)
class Message:
    """One change to tell. `remote_id` is Invoice Ninja's, where it is known."""

    kind: Kind
    change: str
    key: str
    remote_id: str
    data: Data

    def body(self, delivery: str, now: datetime) -> bytes:
        noun, id_name = _NOUNS[self.kind]
        return dump(
            {
                "event": f"{noun}.{self.change}",
                "timestamp": spelt(now),
                "delivery_id": delivery,
                "key": self.key,
                id_name: self.remote_id or None,
                "data": self.data,
            }
        )


def user(record: Customer, now: datetime, *, sensitive: bool) -> Data:
    """The data of a person; health and emergency data only if `sensitive`."""
    told = record.detail
    is_active = told("is_active")
    number = told("django_user_id")
    return {
        "django_user_id": _whole(number),
        "username": _known(told("username")),
        "email": _known(record.email),
        "first_name": _known(record.first_name),
        "last_name": _known(record.last_name),
        "full_name": _known(record.name),
        "phone_number": _known(told("phone_number")) or _known(record.phone),
        "date_of_birth": _known(told("date_of_birth")),
        "nationality": _known(told("nationality")),
        "nationality_name": _known(told("nationality_name")),
        "referral_code": _known(told("referral_code")),
        "referred_by": _known(told("referred_by")),
        "date_joined": _known(told("date_joined")),
        "is_active": record.is_active if is_active is None else is_active,
        "sync_timestamp": spelt(now),
        "custom_fields": {
            "referral_code": _known(told("referral_code")),
            "referred_by": _known(told("referred_by")),
            "nationality": _known(told("nationality")),
            "django_user_id": None if number is None else str(number),
            "signup_date": _known(told("signup_date")),
        },
        **{name: _known(told(name)) if sensitive else None for name in SENSITIVE},
    }


def product(record: Product, now: datetime) -> Data:
    """The data of a product. Amounts and percentages are texts."""
    told = record.detail
    return {
        "django_product_id": told("django_product_id"),
        "name": _known(record.name),
        "slug": _known(told("slug")) or _known(record.code),
        "description": _known(record.description),
        "category": _known(told("category")),
        "country_of_origin": _known(told("country_of_origin")),
        "price": f"{record.price:f}",
        "currency": _known(record.currency),
        "max_discount_percentage": _known(told("max_discount_percentage")),
        "tax_name": _known(record.tax.code) if record.tax else None,
        "tax_rate": f"{record.tax.percent.normalize():f}" if record.tax else None,
        "is_active": record.is_active,
        "image_url": _known(told("image_url")),
        "sync_timestamp": spelt(now),
    }


def gone(sample: Data) -> Data:
    """The keys of `sample` with nothing to tell: the object is no longer here."""
    return {
        name: gone(held) if isinstance(held, Mapping) else None for name, held in sample.items()
    }


def dump(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def spelt(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _known(value: Scalar) -> str | None:
    return None if value is None or value == "" else str(value)


def _whole(value: Scalar) -> Scalar:
    """A whole number also where it came as text; other keys of users ("007") stay what they are."""
    is_number = isinstance(value, str) and value.isdecimal() and str(int(value)) == value
    return int(value) if isinstance(value, str) and is_number else value
