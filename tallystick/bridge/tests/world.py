"""What the bridge stands between, in process: an Invoice Ninja, and a Tallystick that is called back."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx2
from fastapi.testclient import TestClient
from pydantic import SecretStr

from tallystick.bridge.app import app
from tallystick.bridge.bridge import Bridge
from tallystick.bridge.settings import BridgeSettings
from tallystick.kit import clock, standard_webhooks
from tallystick.ports.sandboxing import transport
from tallystick.providers.invoiceninja import InvoiceNinjaSettings
from tallystick.providers.invoiceninja.sandbox import InvoiceNinjaStand

SECRET, OLD_SECRET = "secret-of-today", "secret-of-yesterday"
BACK_SECRET = "secret-of-the-way-back"
SITE = "https://billing.example.org"
WEBHOOK = "/webhook/invoice-ninja-sync"


class Site:
    """Tallystick's end of the callbacks: refuses what is not signed, keeps the rest."""

    def __init__(self) -> None:
        self.status: int | None = 200
        self.headers: Mapping[str, str] = {"content-type": "application/json"}
        self.paths: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.identities: list[str] = []
        self.came = threading.Semaphore(0)

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        body = request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        assert headers["x-webhook-secret"] == BACK_SECRET
        assert standard_webhooks.is_genuine([BACK_SECRET], headers, body, now=clock.now())
        self.paths.append(request.url.path)
        self.bodies.append(json.loads(body))
        self.identities.append(headers["webhook-id"])
        self.came.release()
        if self.status is None:
            raise httpx2.ConnectError("refused", request=request)
        return httpx2.Response(self.status, headers=dict(self.headers), content=b"{}")


class World:
    """`bridge` does nothing by itself: `settle` lets it work until nothing is due, `work` until
    nothing is owed, letting time pass."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "bridge.sqlite3"
        self.stand = InvoiceNinjaStand()
        self.site = Site()
        self.settings = BridgeSettings(
            host="127.0.0.1",
            port=8200,
            database=self.file,
            secrets=(SECRET, OLD_SECRET),
            callback_url=SITE,
            callback_secrets=(BACK_SECRET,),
            invoice_ninja=InvoiceNinjaSettings(
                api_url="https://ninja.example.org",
                api_token=SecretStr(self.stand.token),
                request_delay=0,
            ),
        )
        self.start()

    def start(self) -> None:
        self.bridge = Bridge(self.settings, transport=self.network())
        self.app = app(self.bridge, self.settings.secrets)
        # Without entering it the threads do not start.
        self.client = TestClient(self.app, raise_server_exceptions=False)

    def restart(self) -> None:
        self.bridge.book.close()
        self.start()

    def network(self) -> httpx2.MockTransport:
        ninja = transport(self.stand)

        def answer(request: httpx2.Request) -> httpx2.Response:
            if request.url.host == "billing.example.org":
                return self.site.answer(request)
            return ninja.handle_request(request)

        return httpx2.MockTransport(answer)

    def post(
        self, document: dict[str, Any] | bytes, headers: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        given = {"X-Webhook-Secret": SECRET} if headers is None else dict(headers)
        return self.client.post(WEBHOOK, content=body, headers=given)

    def send(self, document: dict[str, Any]) -> None:
        response = self.post(document)
        assert response.status_code == 202, response.text

    def settle(self) -> None:
        steps: list[Callable[[], float]] = [self.bridge.carry_next, self.bridge.tell_next]
        while any([step() == 0 for step in steps]):  # noqa: C419 - each has its turn
            pass

    def work(self) -> None:
        self.settle()
        for _ in range(2000):
            if not self.owed():
                return
            clock.sleep(60)
            self.settle()

    def owed(self) -> int:
        counts = self.bridge.book.counts()
        return counts.owed + counts.callbacks_owed

    def clients(self) -> list[Any]:
        return self.rows("clients")

    def rows(self, noun: str) -> list[Any]:
        response = self.client_of_ninja().get(f"/api/v1/{noun}", params={"per_page": "1000"})
        found: list[Any] = response.json()["data"]
        return found

    def client_of_ninja(self) -> httpx2.Client:
        return httpx2.Client(
            base_url="https://ninja.example.org",
            transport=transport(self.stand),
            headers={"X-API-TOKEN": self.stand.token, "X-Requested-With": "XMLHttpRequest"},
        )

    def calls(self, method: str = "") -> int:
        return len([call for call in self.stand.calls if method in call.method])
