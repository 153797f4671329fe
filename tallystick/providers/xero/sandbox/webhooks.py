"""Xero's webhooks: signed batches of events, the intent-to-receive handshake, the retries."""

from __future__ import annotations

import heapq
import itertools
import json
import random
import string
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from tallystick.kit import signing
from tallystick.ports.sandboxing import Outgoing, Receipt
from tallystick.providers.xero.sandbox.books import Change

_MOST_EVENTS = 100
_GIVE_UP = timedelta(hours=24)
_PAUSES = (1, 5, 30, 120, 600, 1800, 3600, 7200)
"""Seconds before the second attempt, the third, ...; the last one over and over. Xero says only
that attempts become rarer over 24 hours."""
_OK, _WRONG = 200, 401


class Health(StrEnum):
    OFF = "no address"
    CHECKING = "intent to receive"
    OK = "ok"
    FAILED = "intent to receive failed"
    DISABLED = "switched off after 24 h of failures"


class Webhooks:
    """The webhook subscription of one app."""

    def __init__(self, key: str, *, account: str) -> None:
        self.key = key
        self.account = account
        self.url = ""
        self.health = Health.OFF
        self.paused = False
        self.batch = _MOST_EVENTS
        self._ids = itertools.count(1)
        self._sequence = 0
        self._events: list[dict[str, str]] = []
        self._retries: list[tuple[datetime, int, Outgoing]] = []
        self._first_tried: dict[int, datetime] = {}
        self._handshake: list[Outgoing] = []
        self._awaited: dict[int, bool] = {}
        self._random = random.Random(key)  # noqa: S311 - it looks random, nothing hangs on it

    @property
    def waiting(self) -> int:
        """Events not delivered yet."""
        return len(self._events) + len(self._retries)

    def tell(self, change: Change, tenant: str, api: str) -> None:
        """An event, if webhooks speak of such things."""
        if not change.category:
            return
        noun = {"CONTACT": "Contacts", "INVOICE": "Invoices"}[change.category]
        self._events.append(
            {
                "resourceUrl": f"{api}/{noun}/{change.id}",
                "resourceId": change.id,
                "tenantId": tenant,
                "tenantType": "ORGANISATION",
                "eventCategory": change.category,
                "eventType": "CREATE" if change.made else "UPDATE",
                "eventDateUtc": change.at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3],
            }
        )

    def subscribe(self, url: str) -> None:
        """Save the address: the handshake follows. An empty address ends the subscription."""
        self.url = url
        self._retries, self._first_tried, self._awaited = [], {}, {}
        self.health = Health.CHECKING if url else Health.OFF
        self._handshake = self.handshake() if url else []
        self._awaited = {sent.id: False for sent in self._handshake}

    def handshake(self) -> list[Outgoing]:
        """Empty lists, rightly and wrongly signed: 200 and 401 are what they must be answered."""
        made = []
        for right in (True, False, True, False):
            body = self._body([])
            key = self.key if right else signing.digest(self.key)
            made.append(self._signed(body, key, expects=_OK if right else _WRONG))
        return [replace(sent, label="intent to receive") for sent in made]

    def pending(self) -> list[Outgoing]:
        """All waiting events as signed deliveries, taken out: for who hands them over himself."""
        made = []
        while self._events:
            made.append(self._next_batch())
        return made

    def due(self, now: datetime) -> list[Outgoing]:
        """What is to be sent now."""
        if self.health is Health.CHECKING:
            handshake, self._handshake = self._handshake, []
            return handshake
        if self.health is not Health.OK or self.paused:
            return []
        ready = []
        while self._retries and self._retries[0][0] <= now:
            ready.append(heapq.heappop(self._retries)[2])
        ready += self.pending()
        for sent in ready:
            self._first_tried.setdefault(sent.id, now)
        return ready

    def again(self, sent: Outgoing, now: datetime) -> None:
        """Send it once more, as Xero may: a receiver must not act twice."""
        heapq.heappush(self._retries, (now, sent.id, sent))

    def reported(self, receipt: Receipt) -> None:
        sent = receipt.sent
        if sent.id in self._awaited:
            self._shaken(receipt)
        elif receipt.accepted:
            self._first_tried.pop(sent.id, None)
        elif receipt.at - self._first_tried.get(sent.id, receipt.at) >= _GIVE_UP:
            self.health = Health.DISABLED
            self._retries = []
        else:
            pause = _PAUSES[min(sent.attempt, len(_PAUSES)) - 1]
            again = replace(sent, attempt=sent.attempt + 1)
            due = receipt.at + timedelta(seconds=pause)
            heapq.heappush(self._retries, (due, sent.id, again))

    def _shaken(self, receipt: Receipt) -> None:
        """One answer of the handshake; all must be right."""
        if self.health is not Health.CHECKING:
            return
        self._awaited[receipt.sent.id] = receipt.accepted
        if not receipt.accepted:
            self.health = Health.FAILED
        elif all(self._awaited.values()):
            self.health = Health.OK

    def _next_batch(self) -> Outgoing:
        events, self._events = self._events[: self.batch], self._events[self.batch :]
        sent = self._signed(self._body(events), self.key)
        return replace(sent, label=f"{len(events)} event{'s' if len(events) > 1 else ''}")

    def _body(self, events: Sequence[dict[str, str]]) -> bytes:
        first = self._sequence + 1 if events else 0
        self._sequence += len(events)
        document = {
            "events": events,
            "firstEventSequence": first,
            "lastEventSequence": self._sequence if events else 0,
            "entropy": "".join(self._random.choices(string.ascii_uppercase, k=20)),
        }
        return json.dumps(document, separators=(",", ":")).encode()

    def _signed(self, body: bytes, key: str, *, expects: int = _OK) -> Outgoing:
        signature = signing.hmac_sha256_base64(key, body)
        headers = {"content-type": "application/json", "x-xero-signature": signature}
        return Outgoing(next(self._ids), self.url, headers, body, self.account, expects)
