"""The go-between over HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any, ClassVar

from tallystick.kit import signing
from tallystick.kit.clock import Clock
from tallystick.ports.sandboxing import Answer, Outgoing, Receipt, Request, Table
from tallystick.providers.relay.sandbox import console, said
from tallystick.providers.relay.sandbox.books import Entry
from tallystick.providers.relay.sandbox.control import Control
from tallystick.providers.relay.sandbox.said import Said, Unfit

_PATH = "/webhook/invoice-ninja-sync"
_PATIENCE = 300
_JSON = {"content-type": "application/json; charset=utf-8"}


class RelayStand(Control):
    """n8n or the bridge, with a pretended Invoice Ninja behind it. Below its root:
    `POST /webhook/invoice-ninja-sync`. It accepts with 200, as n8n does, and tells what became of it
    by a callback."""

    name: ClassVar[str] = "relay"
    title: ClassVar[str] = "Relay (n8n or bridge)"

    def __init__(
        self, clock: Clock | None = None, *, public_url: str = "https://relay.sandbox"
    ) -> None:
        super().__init__(clock, public_url=public_url)

    def respond(self, request: Request) -> Answer:
        with self.lock:
            if request.path.rstrip("/") != _PATH or request.method != "POST":
                words = (
                    f'The requested webhook "{request.method} {request.path}" is not registered.'
                )
                return _answer(HTTPStatus.NOT_FOUND, {"code": 404, "message": words})
            if not self._is_let_in(request):
                # As n8n words it, without a type.
                dated = {"date": format_datetime(self.now().astimezone(UTC), usegmt=True)}
                return Answer(HTTPStatus.FORBIDDEN, dated, b"Authorization data is wrong!")
            try:
                heard = said.read(request.body)
            except Unfit as why:
                return _answer(HTTPStatus.BAD_REQUEST, {"message": str(why)})
            if heard:
                self._take(heard)
            return _answer(HTTPStatus.OK, {"message": "Workflow was started"})

    def outgoing(self) -> list[Outgoing]:
        with self.lock:
            return self.callbacks.due(self.now())

    def pending_deliveries(self) -> list[Outgoing]:
        """All callbacks not made yet, taken out of the queue: for a test that hands them over
        itself. Without a `callback_url` their address is the path alone."""
        with self.lock:
            return self.callbacks.pending()

    def reported(self, receipt: Receipt) -> None:
        with self.lock:
            super().reported(receipt)
            self.callbacks.reported(receipt)

    def state(self) -> list[Table]:
        with self.lock:
            return console.tables(self)

    def reset(self) -> None:
        with self.lock:
            super().reset()
            self._fresh()

    # -- one request

    def _is_let_in(self, request: Request) -> bool:
        if not self.secret:
            return True
        given = request.headers.get("x-webhook-secret", "")
        return signing.same(given, self.secret) and self._is_signed(request)

    def _is_signed(self, request: Request) -> bool:
        """By Standard Webhooks, where it says that it is."""
        headers = request.headers
        given = headers.get("webhook-signature", "").split()
        if not given:
            return True
        delivery, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not stamp.isdecimal() or abs(self.now().timestamp() - int(stamp)) > _PATIENCE:
            return False
        signed = f"{delivery}.{stamp}.".encode() + request.body
        return f"v1,{signing.hmac_sha256_base64(said.key_of(self.secret), signed)}" in given

    def _take(self, heard: Said) -> None:
        if self.losing:
            self.losing -= 1
            return
        entry = self._work(heard)
        if heard.change == "deleted" or self.is_silent:
            return
        noun = heard.noun
        self._say(
            noun,
            {
                noun.local_id: heard.data[noun.local_id],
                noun.remote_id: entry.id if entry else None,
                "delivery_id": heard.delivery,
                "key": heard.key,
            },
            message="" if entry else self.failing.message,
            retry=entry is None and self.failing.retry,
        )

    def _work(self, heard: Said) -> Entry | None:
        """The client or product; None when that failed. What was done for a delivery is not done
        again when it is repeated."""
        is_done = heard.delivery in self.done
        is_new = heard.change == "created" and not is_done
        found = self.books.find(heard.noun, heard.key)
        entry = None if is_new and self.forgets_keys else found
        if entry and is_done:
            return entry
        if self.failing.left:
            self.failing.left -= 1
            return None
        self.done.add(heard.delivery)
        return self._worked(heard, entry)

    def _worked(self, heard: Said, entry: Entry | None) -> Entry | None:
        """Made, changed or put away."""
        if heard.change == "deleted":
            if entry:
                self.books.archive(entry, self.now())
        elif entry:
            self.books.change(entry, heard.data, self.now())
        else:
            self.ledger.made(heard.noun.plural, heard.key)
            entry = self.books.make(heard.noun, heard.key, heard.data, self.now())
        return entry


def _answer(status: int, document: Mapping[str, Any]) -> Answer:
    return Answer(status, _JSON, json.dumps(document, separators=(",", ":")).encode())
