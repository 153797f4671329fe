"""What the site says, held against the specification of the relay's webhook."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from tallystick.providers.relay.sandbox.books import NOUNS, PRODUCT, USER, Data, Noun

_CHANGES = ("created", "updated", "deleted")
_CUSTOM = {"referral_code", "referred_by", "nationality", "django_user_id", "signup_date"}
_KEYS = {
    USER: {
        *("django_user_id", "username", "email", "first_name", "last_name", "full_name"),
        *("phone_number", "date_of_birth", "nationality", "nationality_name", "referral_code"),
        *("referred_by", "date_joined", "is_active", "sync_timestamp", "custom_fields"),
        *("emergency_contact_name", "emergency_contact_phone", "emergency_contact_relationship"),
        *("medical_sex", "medical_conditions", "allergies", "medications"),
        *("insurance_policy", "insurance_company"),
    },
    PRODUCT: {
        *("django_product_id", "name", "slug", "description", "category", "country_of_origin"),
        *("price", "currency", "max_discount_percentage", "tax_name", "tax_rate", "is_active"),
        *("image_url", "sync_timestamp"),
    },
}


class Unfit(Exception):
    """It is not as specified; the message says where."""


@dataclass(frozen=True, slots=True)
class Said:
    """One delivery, read."""

    noun: Noun
    change: str
    delivery: str
    key: str
    data: Data


def read(body: bytes) -> Said | None:
    """None for a ping, which asks for nothing."""
    document = _document(body)
    for name in ("event", "timestamp", "delivery_id"):
        if not isinstance(document.get(name), str) or not document[name]:
            raise Unfit(f"{name} is missing.")
    if document["event"] == "ping":
        return None
    word, _, change = document["event"].partition(".")
    if word not in NOUNS or change not in _CHANGES:
        raise Unfit("event is not one that this workflow knows.")
    noun = NOUNS[word]
    if not isinstance(document.get("key"), str) or noun.remote_id not in document:
        raise Unfit(f"key or {noun.remote_id} is missing.")
    data = _data(noun, document.get("data"))
    return Said(noun, change, document["delivery_id"], document["key"], data)


def key_of(secret: str) -> bytes:
    """The bytes that a secret signs with: behind `whsec_` they are in base64."""
    try:
        if secret.startswith("whsec_"):
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        pass
    return secret.encode()


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise Unfit("The body is not JSON.") from None
    if not isinstance(document, dict):
        raise Unfit("The body is not an object.")
    return document


def _data(noun: Noun, data: object) -> Data:
    if not isinstance(data, dict):
        raise Unfit("data is not an object.")
    custom = data.get("custom_fields", {})
    wrong = _KEYS[noun] ^ set(data)
    wrong |= _CUSTOM ^ set(custom) if noun is USER and isinstance(custom, dict) else set()
    if wrong:
        raise Unfit(f"data lacks, or should not have: {', '.join(sorted(map(str, wrong)))}.")
    return data
