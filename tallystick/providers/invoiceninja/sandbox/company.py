"""One company: its things, its settings, its numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from tallystick.kit import signing
from tallystick.kit.money import digits_of
from tallystick.providers.invoiceninja.sandbox.answers import Rejected, Row
from tallystick.providers.invoiceninja.sandbox.charts import (
    CURRENCIES,
    country_id,
    currency_id,
)
from tallystick.providers.invoiceninja.sandbox.store import Shelf, hashed
from tallystick.providers.invoiceninja.sandbox.twins import Twins

_PADDING = 4
_RATES = (("VAT", "19"), ("Reduced VAT", "7"))


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to one thing: for the ledger and the webhooks. `verb`: create, update, delete,
    archive, restore, sent; empty for what webhooks do not speak of. `made`: its natural key."""

    kind: str
    id: str
    verb: str
    made: str = ""


class Company:
    """Its token is made from its name: the same at every start."""

    def __init__(self, name: str, *, currency: str, country: str, now: Callable[[], datetime]):
        self.name = name
        self.now = now
        self.token = signing.digest(f"invoiceninja:token:{name}")
        self.id = hashed(1)
        self.key = signing.digest(f"invoiceninja:company:{name}")[:32]
        self.currency_id = currency_id(currency)
        self.country_id = country_id(country)
        self.created_at = int(now().timestamp())
        self._stamp = self.created_at
        self._parts = 0
        self._counters: dict[str, int] = {}
        self.custom_fields: dict[str, str] = {}
        self.changes: list[Change] = []
        self.twins = Twins()
        self.shelves = {
            "clients": Shelf({**_keys("id_number", "number"), "email": _emails}),
            "products": Shelf(_keys("product_key")),
            "invoices": Shelf({**_keys("number", "client_id"), "invitation": _invitations}),
            "payments": Shelf(_keys("number", "client_id", "idempotency_key")),
            "credits": Shelf(_keys("number", "client_id")),
            "tax_rates": Shelf(_keys("name")),
            "webhooks": Shelf(_keys("event_id")),
        }
        self.user_id = hashed(1)
        for label, rate in _RATES:
            self.add("tax_rates", {"name": label, "rate": Decimal(rate)})
        self.changes.clear()

    def today(self) -> date:
        return self.now().date()

    def currency_of(self, client: Row) -> str:
        return CURRENCIES[client["settings"]["currency_id"]]

    def digits_of(self, client: Row) -> int:
        return digits_of(self.currency_of(client))

    def one(self, kind: str, identity: object) -> Row:
        """The row there must be: others name it by its id."""
        found = self.shelves[kind].get(identity)
        if found is None:
            raise LookupError(f"{kind} {identity}")
        return found

    def add(self, kind: str, fields: Row, *, made: str = "") -> Row:
        """Put a new row; `made` is its natural key where that is not its id."""
        shelf, stamp = self.shelves[kind], self._now()
        identity = shelf.next_id()
        row = {"id": identity, **fields, "created_at": stamp, "updated_at": stamp}
        self.changes.append(Change(kind, identity, "create", made or identity))
        return shelf.put(row)

    def keep(self, kind: str, row: Row, verb: str = "update") -> Row:
        """Put a new version of a row."""
        self.changes.append(Change(kind, row["id"], verb))
        return self.shelves[kind].put({**row, "updated_at": self._now()})

    def archive(self, kind: str, row: Row) -> Row:
        if row.get("archived_at"):
            return row
        return self.keep(kind, {**row, "archived_at": self._now()}, "archive")

    def delete(self, kind: str, row: Row) -> Row:
        """It stays, marked: its number stays taken."""
        if row.get("is_deleted"):
            return row
        return self.keep(kind, {**row, "is_deleted": True, "archived_at": self._now()}, "delete")

    def restore(self, kind: str, row: Row) -> Row:
        if not row.get("archived_at"):
            return row
        return self.keep(kind, {**row, "is_deleted": False, "archived_at": 0}, "restore")

    def next_part(self) -> str:
        """The id of a thing that is part of another."""
        self._parts += 1
        return hashed(self._parts)

    def next_number(self, kind: str) -> str:
        """The next of the company's own series that is not taken."""
        while True:
            self._counters[kind] = self._counters.get(kind, 0) + 1
            number = f"{self._counters[kind]:0{_PADDING}d}"
            if not self.shelves[kind].find("number", number):
                return number

    def is_taken(self, kind: str, name: str, value: object, *, by_other_than: Row | None) -> bool:
        """Whether another one has it; deleted ones count."""
        identity = (by_other_than or {}).get("id")
        return any(row["id"] != identity for row in self.shelves[kind].find(name, value))

    def _now(self) -> int:
        """Unix seconds that never go back: lists are kept in this order."""
        self._stamp = max(self._stamp, int(self.now().timestamp()))
        return self._stamp


def check_editable(row: Row) -> None:
    if row.get("is_deleted"):
        raise Rejected(
            HTTPStatus.BAD_REQUEST,
            "Record is deleted and cannot be edited. Restore the record to enable editing",
        )


def _keys(*names: str) -> dict[str, Callable[[Row], Iterable[str]]]:
    return {name: _key(name) for name in names}


def _key(name: str) -> Callable[[Row], Iterable[str]]:
    return lambda row: (str(row.get(name) or ""),)


def _emails(client: Row) -> Iterable[str]:
    return (contact["email"] for contact in client["contacts"])


def _invitations(invoice: Row) -> Iterable[str]:
    return (invitation["key"] for invitation in invoice["invitations"])


def shown(row: Row, defaults: dict[str, Any]) -> Row:
    """As in an answer: with all members, and marks of time."""
    return {**defaults, "archived_at": 0, "is_deleted": False, **row}
