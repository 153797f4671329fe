"""Deliveries as the relay of Tallystick sends them."""

from __future__ import annotations

import json
from typing import Any

HEALTH = {
    "emergency_contact_name": "canary Bob",
    "emergency_contact_phone": "canary 1",
    "emergency_contact_relationship": "canary brother",
    "medical_sex": "canary f",
    "medical_conditions": "canary asthma",
    "allergies": "canary nuts",
    "medications": "canary pills",
    "insurance_policy": "canary 42",
    "insurance_company": "canary Ltd",
}


def user(number: int = 17, **changes: Any) -> dict[str, Any]:
    """With health data, as a site that allows it would send."""
    data = {
        "django_user_id": number,
        "username": f"ada{number}",
        "email": f"ada{number}@example.org",
        "first_name": "Ada",
        "last_name": f"Muster {number}",
        "full_name": f"Ada Muster {number}",
        "phone_number": "+49 221 000000",
        "date_of_birth": "1990-05-04",
        "nationality": "DE",
        "nationality_name": "Germany",
        "referral_code": "SUN",
        "referred_by": "Grace",
        "date_joined": "2026-01-02T03:04:05.000Z",
        "is_active": True,
        "sync_timestamp": "2026-01-02T03:04:06.000Z",
        "custom_fields": {
            "referral_code": "SUN",
            "referred_by": "Grace",
            "nationality": "DE",
            "django_user_id": str(number),
            "signup_date": "2026-01-02",
        },
        **HEALTH,
    }
    return {
        "event": "user.created",
        "timestamp": "2026-01-02T03:04:06.000Z",
        "delivery_id": f"delivery-u{number}",
        "key": f"c-{number:032x}",
        "invoice_ninja_client_id": None,
        "data": data,
        **changes,
    }


def product(number: int = 5, **changes: Any) -> dict[str, Any]:
    data = {
        "django_product_id": number,
        "name": f"Lesson {number}",
        "slug": f"lesson-{number}",
        "description": "One hour",
        "category": "Lessons",
        "country_of_origin": "DE",
        "price": "40.00",
        "currency": "EUR",
        "max_discount_percentage": "15.00",
        "tax_name": None,
        "tax_rate": None,
        "is_active": True,
        "image_url": None,
        "sync_timestamp": "2026-01-02T03:04:06.000Z",
    }
    return {
        "event": "product.created",
        "timestamp": "2026-01-02T03:04:06.000Z",
        "delivery_id": f"delivery-p{number}",
        "key": f"p-{number:032x}",
        "invoice_ninja_product_id": None,
        "data": data,
        **changes,
    }


def sent(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode()
