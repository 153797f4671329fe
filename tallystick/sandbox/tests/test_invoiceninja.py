"""Invoice Ninja on a socket: its API, and webhooks by the method that was asked for."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest

from tallystick.sandbox.running import Running

_MANY = 10_000


class Gone(ThreadingHTTPServer):
    """Answers all that it is PUT with 410."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.taken: list[tuple[str, Any]] = []


class _Handler(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        assert isinstance(self.server, Gone)
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.taken.append((self.headers["x-secret"], json.loads(body)))
        self.send_response(410)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Silent."""


@pytest.fixture
def gone() -> Iterator[Gone]:
    with Gone() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def ninja(sandbox: Running) -> Iterator[httpx2.Client]:
    stand = sandbox.stand("invoiceninja")
    headers = {"x-api-token": stand.act("describe")["token"], "accept": "application/json"}
    with httpx2.Client(
        base_url=f"{stand.url}/api/v1", headers=headers, timeout=10, trust_env=False
    ) as client:
        yield client


def test_a_client_is_made_and_counted(sandbox: Running, ninja: httpx2.Client) -> None:
    answer = ninja.post("/clients", json={"name": "Ada", "id_number": "7"})
    assert answer.status_code == 200
    assert answer.headers["x-app-version"]
    assert ninja.post("/clients", json={"id_number": "7"}).status_code == 422
    assert sandbox.stand("invoiceninja").ledger("clients") == {"7": 1}


def test_the_page_of_an_invitation_is_below_the_stands_address(
    sandbox: Running, ninja: httpx2.Client, browser: httpx2.Client
) -> None:
    stand = sandbox.stand("invoiceninja")
    stand.act("add_client", name="Ada", id_number="7")
    stand.act("add_invoice", client="7", amount="50")
    (invoice,) = ninja.get("/invoices").json()["data"]
    link = invoice["invitations"][0]["link"]
    assert link.startswith(stand.url)
    assert "50.00 EUR" in browser.get(link).text
    assert "Invoices of Demo Company" in browser.get("/stands/invoiceninja").text


def test_an_address_that_is_gone_ends_the_subscription(
    sandbox: Running, ninja: httpx2.Client, gone: Gone
) -> None:
    stand = sandbox.stand("invoiceninja")
    given = {
        "target_url": f"http://127.0.0.1:{gone.server_port}/hook",
        "event_id": "1",
        "rest_method": "put",
        "headers": {"X-Secret": "s3cret"},
    }
    assert ninja.post("/webhooks", json=given).status_code == 200
    ninja.post("/clients", json={"name": "Ada"})
    for _ in range(_MANY):
        if stand.deliveries():
            break
    ((secret, body),) = gone.taken
    assert (secret, body["name"]) == ("s3cret", "Ada")
    assert [delivery["status"] for delivery in stand.deliveries()] == [410]
    assert ninja.get("/webhooks", params={"status": "active"}).json()["data"] == []
