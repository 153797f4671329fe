"""The pretended Invoice Ninja behind the go-between: clients and products, each made once."""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Noun:
    """What the events, the data and the callbacks call one kind of object."""

    word: str
    plural: str
    local_id: str
    remote_id: str
    callback: str


USER = Noun(
    "user",
    "customers",
    "django_user_id",
    "invoice_ninja_client_id",
    "/api/invoice-ninja/client-created/",
)
PRODUCT = Noun(
    "product",
    "products",
    "django_product_id",
    "invoice_ninja_product_id",
    "/api/invoice-ninja/product-created/",
)
NOUNS = {noun.word: noun for noun in (USER, PRODUCT)}


@dataclass(slots=True)
class Entry:
    """One client or product. `local_id` is the site's own number of it."""

    noun: Noun
    key: str
    id: str
    local_id: int | str | None
    data: Data = field(repr=False)
    changed_at: datetime
    is_archived: bool = False

    @property
    def name(self) -> str:
        return str(self.data.get("full_name") or self.data.get("name") or "")


class Books:
    """Everything by key. Not thread-safe by itself: the stand holds its lock."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], Entry] = {}
        self._numbers = itertools.count(1)

    def find(self, noun: Noun, key: str) -> Entry | None:
        return self._entries.get((noun.word, key))

    def named(self, noun: Noun, name: str) -> Entry | None:
        """By key, by Invoice Ninja's id or by the site's number."""
        by_key = self.find(noun, name)
        return by_key or next(
            (entry for entry in self.all(noun) if name in {entry.id, str(entry.local_id)}), None
        )

    def all(self, noun: Noun) -> Iterator[Entry]:
        return (entry for entry in self._entries.values() if entry.noun is noun)

    def make(self, noun: Noun, key: str, data: Data, now: datetime) -> Entry:
        entry = Entry(noun, key, self._id(), data.get(noun.local_id), data, now)
        self._entries[noun.word, key] = entry
        return entry

    def change(self, entry: Entry, data: Data, now: datetime) -> None:
        entry.data, entry.changed_at, entry.is_archived = data, now, False

    def archive(self, entry: Entry, now: datetime) -> None:
        entry.changed_at, entry.is_archived = now, True

    def _id(self) -> str:
        """Ten letters and digits, as Invoice Ninja writes its ids."""
        digest = hashlib.sha256(f"entry {next(self._numbers)}".encode()).digest()
        return base64.b32encode(digest).decode()[:10]
