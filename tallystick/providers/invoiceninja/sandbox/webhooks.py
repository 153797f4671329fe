"""Deliveries: the bare entity, without a signature, tried once."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus

from tallystick.ports.sandboxing import Outgoing, Receipt
from tallystick.providers.invoiceninja.sandbox.answers import Row, dump
from tallystick.providers.invoiceninja.sandbox.company import Change, Company

EVENTS = {
    "clients": {"create": 1, "update": 10, "delete": 11, "archive": 37, "restore": 45},
    "invoices": {"create": 2, "update": 8, "delete": 9, "archive": 33, "restore": 41, "sent": 60},
    "payments": {"create": 4, "update": 31, "delete": 12, "archive": 32, "restore": 40},
    "credits": {"create": 27, "update": 28, "delete": 29},
    "products": {"create": 50, "update": 51, "delete": 52, "restore": 53, "archive": 54},
}
_LATE = {"payments": timedelta(seconds=20)}
_ENDS_IT = {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.GONE}

Write = Callable[[str, Row], Row]
"""(kind, row) -> the entity as it is delivered."""
_Waiting = tuple[datetime, int, str, Change]


class Deliveries:
    """What waits to be sent: (when, number, subscription, change)."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._waiting: list[_Waiting] = []
        self._ids = itertools.count(1)
        self._subscribed: dict[int, str] = {}
        self.paused = False

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def tell(self, change: Change) -> None:
        """Wait for each subscription to such an event."""
        event = EVENTS.get(change.kind, {}).get(change.verb)
        due = self._company.now() + _LATE.get(change.kind, timedelta(0))
        for webhook in self._company.shelves["webhooks"].find("event_id", event):
            if not webhook.get("archived_at"):
                waiting = (due, next(self._ids), webhook["id"], change)
                heapq.heappush(self._waiting, waiting)

    def due(self, now: datetime, write: Write) -> list[Outgoing]:
        """Those whose time has come, taken out."""
        found: list[Outgoing] = []
        while self._waiting and self._waiting[0][0] <= now and not self.paused:
            found += self._written(heapq.heappop(self._waiting), write)
        return found

    def all(self, write: Write) -> list[Outgoing]:
        """All of them, taken out."""
        waiting, self._waiting = sorted(self._waiting), []
        return [sent for each in waiting for sent in self._written(each, write)]

    def reported(self, receipt: Receipt) -> None:
        """It was tried: that was all. Some answers end the subscription."""
        subscription = self._subscribed.pop(receipt.sent.id, "")
        webhook = self._company.shelves["webhooks"].get(subscription)
        if webhook and receipt.status in _ENDS_IT:
            self._company.delete("webhooks", webhook)

    def _written(self, waiting: _Waiting, write: Write) -> list[Outgoing]:
        """Of the entity as it is now, not as it was; none when the subscription has gone."""
        _, number, subscription, change = waiting
        webhook = self._company.one("webhooks", subscription)
        if webhook.get("archived_at"):
            return []
        self._subscribed[number] = subscription
        row = self._company.one(change.kind, change.id)
        headers = {name.lower(): value for name, value in webhook["headers"].items()}
        return [
            Outgoing(
                number,
                webhook["target_url"],
                {"content-type": "application/json", "user-agent": "InvoiceNinja", **headers},
                dump(write(change.kind, row)),
                label=f"{change.kind} {change.verb}",
                method=webhook["rest_method"].upper(),
                wants_silence=False,
            )
        ]
