"""What the holder of a payment link may do."""

from __future__ import annotations

from enum import StrEnum


class LinkState(StrEnum):
    UNKNOWN = "unknown"
    USABLE = "usable"
    EXPIRED = "expired"
    REVOKED = "revoked"
    USED = "used"
    PAID = "paid"
    VOID = "void"
