"""The callbacks of the go-between: queued, repeated with growing pauses, given up at last."""

from __future__ import annotations

import heapq
import itertools
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus

from tallystick.ports.sandboxing import Outgoing, Receipt

_PAUSES = (2, 10, 60, 300)
"""Seconds before the second try, the third, ...; the fifth is the last."""
_FINAL = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.GONE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""What a repeat would only hear again."""
_GIVEN_UP_KEPT = 200


class Callbacks:
    """`url` is the root of the site; without it callbacks wait until there is one. `delay` is what
    passes between the work and its callback."""

    def __init__(self) -> None:
        self.url = ""
        self.delay = timedelta(0)
        self.given_up: deque[Outgoing] = deque(maxlen=_GIVEN_UP_KEPT)
        self._ids = itertools.count(1)
        self._queue: list[tuple[datetime, int, Outgoing]] = []
        self._last: dict[str, Outgoing] = {}

    @property
    def waiting(self) -> list[tuple[datetime, Outgoing]]:
        return [(due, sent) for due, _, sent in sorted(self._queue, key=lambda row: row[:2])]

    def call(self, path: str, body: Mapping[str, object], *, secret: str, now: datetime) -> None:
        """Queue a callback about the object that `body` names by its key."""
        headers = {"content-type": "application/json"}
        if secret:
            headers["x-webhook-secret"] = secret
        content = json.dumps(body, separators=(",", ":")).encode()
        label = "done" if body["success"] else "failed"
        sent = Outgoing(next(self._ids), path, headers, content, label=label, wants_silence=False)
        self._last[str(body["key"])] = sent
        self._put(now + self.delay, sent)

    def again(self, key: str, now: datetime) -> bool:
        """Say once more what was said last of `key`; whether there was anything."""
        last = self._last.get(key)
        if last:
            self._put(now, replace(last, id=next(self._ids)))
        return last is not None

    def due(self, now: datetime) -> list[Outgoing]:
        """What is to be sent now, each handed out once."""
        ready = []
        while self.url and self._queue and self._queue[0][0] <= now:
            ready.append(self._addressed(heapq.heappop(self._queue)[2]))
        return ready

    def pending(self) -> list[Outgoing]:
        """All that waits, due or not, taken out."""
        found = [self._addressed(sent) for _, sent in self.waiting]
        self._queue = []
        return found

    def reported(self, receipt: Receipt) -> None:
        """What was not heard is tried again."""
        sent = receipt.sent
        if receipt.accepted or receipt.status in _FINAL:
            return
        if sent.attempt > len(_PAUSES):
            self.given_up.append(sent)
            return
        pause = timedelta(seconds=_PAUSES[sent.attempt - 1])
        self._put(receipt.at + pause, replace(sent, attempt=sent.attempt + 1))

    def _put(self, due: datetime, sent: Outgoing) -> None:
        heapq.heappush(self._queue, (due, sent.id, sent))

    def _addressed(self, sent: Outgoing) -> Outgoing:
        # A queued one has the path alone: the site may have moved since.
        if not sent.url.startswith("/"):
            return sent
        return replace(sent, url=self.url.rstrip("/") + sent.url)
