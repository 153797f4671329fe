"""Webhooks over real sockets to a real receiver."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest

from tallystick.kit import signing
from tallystick.sandbox.running import Running

_MANY = 10_000


class Receiver(ThreadingHTTPServer):
    """Takes rightly signed deliveries, and callbacks, which are not signed. `fails` many are answered 500 first; `body` is what a good
    one is answered with."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.key = ""
        self.fails = 0
        self.body = b""
        self.taken: queue.Queue[dict[str, Any]] = queue.Queue()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver = self.server
        assert isinstance(receiver, Receiver)
        body = self.rfile.read(int(self.headers["content-length"]))
        if "x-xero-signature" not in self.headers:
            self._answer(200)
            return
        right = signing.hmac_sha256_base64(receiver.key, body) == self.headers["x-xero-signature"]
        document = json.loads(body)
        status = 200 if right else 401
        if right and document["events"] and receiver.fails:
            receiver.fails -= 1
            status = 500
        self._answer(status)
        if status == 200 and document["events"]:
            receiver.taken.put(document)

    def _answer(self, status: int) -> None:
        receiver = self.server
        assert isinstance(receiver, Receiver)
        answer = receiver.body if status == 200 else b""
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Silent."""


@pytest.fixture
def receiver(sandbox: Running) -> Iterator[Receiver]:
    with Receiver() as receiver:
        receiver.key = sandbox.xero.act("organisations")[0]["webhook_key"]
        thread = threading.Thread(target=receiver.serve_forever)
        thread.start()
        yield receiver
        sandbox.xero.act("set_webhook", url="")
        receiver.shutdown()
        thread.join()


def settled(sandbox: Running) -> str:
    """The state of the webhook once the handshake is over."""
    health = ""
    for _ in range(_MANY):
        health = sandbox.xero.act("organisations")[0]["webhook_health"]
        if health != "intent to receive":
            break
    return health


def test_changes_arrive_signed(sandbox: Running, xero: httpx2.Client, receiver: Receiver) -> None:
    sandbox.xero.act("set_webhook", url=receiver.url)
    assert settled(sandbox) == "ok"
    xero.put("/Contacts", json={"Contacts": [{"Name": "Ada"}]})
    (event,) = receiver.taken.get(timeout=5)["events"]
    assert (event["eventCategory"], event["eventType"]) == ("CONTACT", "CREATE")
    assert event["resourceUrl"].startswith(sandbox.xero.url)


def test_a_failed_delivery_comes_again(
    sandbox: Running, xero: httpx2.Client, receiver: Receiver
) -> None:
    sandbox.xero.act("set_webhook", url=receiver.url)
    assert settled(sandbox) == "ok"
    receiver.fails = 1
    xero.put("/Contacts", json={"Contacts": [{"Name": "Ada"}]})
    for _ in range(_MANY):
        if any(delivery["status"] == 500 for delivery in sandbox.xero.deliveries()):
            break
    sandbox.advance(5)
    assert len(receiver.taken.get(timeout=5)["events"]) == 1


def test_a_receiver_that_talks_back_is_found_out(sandbox: Running, receiver: Receiver) -> None:
    receiver.body = b"thanks"
    sandbox.xero.act("set_webhook", url=receiver.url)
    assert settled(sandbox) == "intent to receive failed"
    complaints = {delivery["complaint"] for delivery in sandbox.xero.deliveries()}
    assert "the body is not empty" in complaints


def test_a_callback_may_be_answered_with_words(sandbox: Running, receiver: Receiver) -> None:
    receiver.body = b"{}"
    relay = sandbox.stand("relay")
    relay.act("configure", callback_url=receiver.url)
    relay.act("call_back", name="7", remote_id="VolejRejNm")
    found: list[dict[str, Any]] = []
    for _ in range(_MANY):
        found = relay.deliveries()
        if found:
            break
    assert [(delivery["status"], delivery["complaint"]) for delivery in found] == [(200, "")]


def test_a_receiver_that_is_not_there(sandbox: Running) -> None:
    sandbox.xero.act("set_webhook", url="http://127.0.0.1:9/hook")
    assert settled(sandbox) == "intent to receive failed"
    assert sandbox.xero.deliveries()[0]["status"] is None
    sandbox.xero.act("set_webhook", url="no address at all")
    assert settled(sandbox) == "intent to receive failed"
