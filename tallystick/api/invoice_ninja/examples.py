"""Bodies to copy from."""

from __future__ import annotations

_SAID = {
    "success": True,
    "message": "Client created.",
    "retry": False,
    "timestamp": "2026-11-21T11:30:00.000Z",
    "delivery_id": "4f1f2c7ad1f94a0b8a1c0f6f2f4c9c11",
}
CLIENT_CREATED = {"django_user_id": 42, "invoice_ninja_client_id": "VolejRejNm", **_SAID}
PRODUCT_CREATED = {"django_product_id": 7, "invoice_ninja_product_id": "Wpmbk5ezJn", **_SAID}
RETRY = {"force": False}
BULK = {
    "batch_id": "nightly-17",
    "results": [
        {"django_user_id": 42, "invoice_ninja_client_id": "VolejRejNm", "success": True},
        {"django_user_id": 43, "success": False, "error": "No e-mail address.", "retry": False},
    ],
}
