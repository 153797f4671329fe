"""What is hashed of an event, and how the hashes hang together.

    row_hash(n)  = HMAC(key, "row"  | the event's columns, in canonical JSON)
    seal_hash(n) = HMAC(key, "link" | seal_hash(n-1) | n | row_hash(n))
    head mac     = HMAC(key, "head" | n | seal_hash(n))

Without the key nobody can change an event, its place, or how many there are, and make it fit.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from django.conf import settings

from tallystick.kit import json, signing

FIRST = "0" * 64


class Columns(NamedTuple):
    """An event as it is hashed. The order of the fields is part of what is sealed."""

    id: int
    website_id: int | None
    kind: str
    subject_type: str
    subject_id: str
    actor_kind: str
    actor_id: str
    actor_label: str
    address: str
    at: datetime
    change: str

    def hash(self) -> str:
        at = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        values = [*(self._asdict() | {"at": at}).values()]
        return _hmac("row", json.canonical(values).decode())


def link_hash(before: str, seq: int, row_hash: str) -> str:
    return _hmac("link", before, str(seq), row_hash)


def head_mac(seq: int, seal_hash: str) -> str:
    return _hmac("head", str(seq), seal_hash)


def _hmac(*parts: str) -> str:
    return signing.hmac_sha256(settings.JOURNAL_KEY, "\0".join(parts).encode()).hex()
