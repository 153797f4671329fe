"""A site that tells the stand things, and hears its callbacks, for its tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2

from tallystick.ports.sandboxing import Outgoing, Receipt
from tallystick.providers.relay.sandbox import RelayStand

FIXTURES = Path(__file__).parents[2] / "fixtures"
Json = dict[str, Any]


class Site:
    def __init__(self, stand: RelayStand, client: httpx2.Client) -> None:
        self.stand = stand
        self.client = client

    def tell(self, what: str, delivery: str = "attempt-1", **changes: Any) -> httpx2.Response:
        """Tell what a fixture says, under the identity given; `changes` are to its document."""
        document = json.loads((FIXTURES / f"sent_{what}.json").read_bytes())
        return self.post({**document, "delivery_id": delivery, **changes})

    def post(self, document: object, **headers: str) -> httpx2.Response:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {"x-webhook-secret": self.stand.secret, **named}
        return self.client.post(self.stand.webhook_url, content=body, headers=given)

    def heard(self) -> list[Json]:
        """The bodies of the callbacks that wait, due or not."""
        return [json.loads(sent.body) for sent in self.stand.pending_deliveries()]

    def answer(self, status: int | None) -> list[Outgoing]:
        """Take the callbacks that are due, and answer each of them so; None: not at all."""
        due = self.stand.outgoing()
        for sent in due:
            self.stand.reported(Receipt(sent, self.stand.now(), status))
        return due
