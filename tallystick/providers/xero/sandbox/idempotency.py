"""`Idempotency-Key`: the answer to a write is remembered for some six minutes."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from datetime import datetime, timedelta

from tallystick.ports.sandboxing import Answer, Request
from tallystick.providers.xero.sandbox.answers import Rejected, bad_key

_MEMORY = timedelta(minutes=6)
_LONGEST = 128


class Memory:
    """Answers by key, failed ones too. Off: keys mean nothing, as at a provider without them."""

    def __init__(self) -> None:
        self.on = True
        self._answers: OrderedDict[str, tuple[datetime, str, Answer]] = OrderedDict()

    def key(self, request: Request) -> str:
        """The key of a write; empty when it has none."""
        key = request.headers.get("idempotency-key", "")
        if not self.on or request.method not in {"PUT", "POST", "PATCH"}:
            return ""
        if len(key) > _LONGEST:
            raise Rejected(bad_key("The Idempotency-Key must be at most 128 characters"))
        return key

    def recall(self, key: str, request: Request, now: datetime) -> Answer | None:
        """What was answered to this request before; `Rejected` if the key was another's."""
        self._forget(now)
        if key not in self._answers:
            return None
        _, mark, answer = self._answers[key]
        if mark != _mark(request):
            raise Rejected(bad_key("The Idempotency-Key was already used with a different request"))
        return answer

    def remember(self, key: str, request: Request, answer: Answer, now: datetime) -> None:
        self._answers[key] = (now, _mark(request), answer)

    def _forget(self, now: datetime) -> None:
        while self._answers and next(iter(self._answers.values()))[0] <= now - _MEMORY:
            self._answers.popitem(last=False)


def _mark(request: Request) -> str:
    query = sorted(request.query.items())
    told = repr((request.method, request.path.lower(), query)).encode() + request.body
    return hashlib.sha256(told).hexdigest()
