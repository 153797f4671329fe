"""The two addresses: who gets in, what is taken, how the service is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.types import Message

from tallystick.bridge.app import MOST_BYTES
from tallystick.bridge.tests import samples
from tallystick.bridge.tests.world import OLD_SECRET, SECRET, WEBHOOK, World
from tallystick.kit import clock, standard_webhooks
from tallystick.kit.clock import VirtualClock
from tallystick.kit.tests import loops
from tallystick.ports.testing import HOSTILE_BODIES


def signed(body: bytes, secret: str) -> dict[str, str]:
    return standard_webhooks.headers([secret], "delivery-u17", at=clock.now(), body=body)


def test_it_is_accepted_before_anything_is_done(world: World) -> None:
    response = world.post(samples.user())
    assert response.status_code == 202
    assert response.json() == {"status": "accepted", "delivery_id": "delivery-u17"}
    assert world.calls() == 0
    assert world.bridge.book.counts().owed == 1


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
def test_a_secret_or_a_signature_lets_in(world: World, secret: str) -> None:
    body = samples.sent(samples.user())
    assert world.post(body, {"X-Webhook-Secret": secret}).status_code == 202
    assert world.post(body, signed(body, secret)).status_code == 202


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Webhook-Secret": ""},
        {"X-Webhook-Secret": "wrong"},
        {"X-Webhook-Secret": f"{SECRET},{OLD_SECRET}"},
        {"X-Webhook-Secret": "x" * 10_000},
    ],
)
def test_others_stay_out(world: World, headers: dict[str, str]) -> None:
    response = world.post(samples.user(), headers)
    assert response.status_code == 401
    assert response.json() == {"detail": "The secret is missing or wrong."}
    assert world.owed() == 0


def test_a_signature_of_other_bytes_or_times_stays_out(world: World, time: VirtualClock) -> None:
    body = samples.sent(samples.user())
    assert world.post(body + b" ", signed(body, SECRET)).status_code == 401
    assert world.post(body, signed(body, "wrong")).status_code == 401
    old = signed(body, SECRET)
    time.sleep(3600)
    assert world.post(body, old).status_code == 401


def test_a_ping_is_answered_and_not_written_down(world: World) -> None:
    response = world.post({"event": "ping", "timestamp": "x", "delivery_id": "ping-1"})
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert world.owed() == 0


@pytest.mark.parametrize("name", HOSTILE_BODIES)
def test_hostile_bodies_are_refused(world: World, name: str) -> None:
    response = world.post(HOSTILE_BODIES[name])
    assert response.status_code in {400, 413}
    assert response.json()["detail"]
    assert world.owed() == 0


def test_a_body_has_an_end(world: World) -> None:
    assert world.post(b" " * (MOST_BYTES + 1)).status_code == 413
    whole = samples.sent(samples.user())
    assert world.post(whole + b" " * (MOST_BYTES - len(whole))).status_code == 202


def without(document: dict[str, Any], *path: str) -> dict[str, Any]:
    inner = document
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return document


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({}, "event"),
        (samples.user(event="user.renamed"), "event"),
        (samples.user(event=7), "event"),
        (without(samples.user(), "delivery_id"), "delivery_id"),
        (samples.user(delivery_id=""), "delivery_id"),
        (samples.user(delivery_id="two words"), "delivery_id"),
        (samples.user(delivery_id="x" * 121), "delivery_id"),
        (samples.user(delivery_id="line\n"), "delivery_id"),
        (without(samples.user(event="user.deleted"), "key"), "key"),
        (samples.user(key="Größe"), "key"),
        (samples.user(key="c" * 51), "key"),
        (samples.user(data=None), "data"),
        (samples.user(invoice_ninja_client_id={}), "invoice_ninja_client_id"),
        (without(samples.user(), "data", "django_user_id"), "data.django_user_id"),
        (samples.user(data={"django_user_id": None}), "data.django_user_id"),
        (samples.user(data={"django_user_id": -1}), "data.django_user_id"),
        (samples.user(data={"django_user_id": True}), "data.django_user_id"),
        (samples.user(data={"django_user_id": 1, "email": ["a"]}), "data.email"),
        (samples.user(event="user.deleted"), "invoice_ninja_client_id"),
        (without(samples.product(), "data", "price"), "data.price"),
        (without(samples.product(), "data", "name"), "data.name"),
        (samples.product(event="product.deleted"), "invoice_ninja_product_id"),
    ],
)
def test_what_is_wrong_is_named(world: World, document: dict[str, Any], field: str) -> None:
    response = world.post(document)
    assert response.status_code == 400
    assert response.json()["detail"].startswith(field)
    assert world.owed() == 0


@pytest.mark.parametrize("price", ["NaN", "Infinity", "1e99", "dear", "1.1234567"])
def test_a_price_is_a_price(world: World, price: str) -> None:
    document = samples.product()
    document["data"]["price"] = price
    response = world.post(document)
    assert response.status_code == 400
    assert response.json()["detail"].startswith("data.price")


def test_a_key_that_is_a_text_is_one(world: World) -> None:
    document = samples.user()
    document["data"]["django_user_id"] = "6f1e9a"
    world.send(document)
    world.settle()
    assert world.site.bodies[0]["django_user_id"] == "6f1e9a"


def test_a_product_may_be_known_by_its_key_alone(world: World) -> None:
    document = samples.product()
    document["data"]["django_product_id"] = None
    world.send(document)
    world.settle()
    assert world.rows("products")[0]["custom_value4"] == f"Django_ID_{document['key']}"
    assert world.site.bodies[0]["success"] is True


def test_a_full_disk_is_told_and_passes(world: World) -> None:
    book = world.bridge.book._db
    (pages,) = book.execute("PRAGMA page_count").fetchone()
    book.execute(f"PRAGMA max_page_count = {pages}")
    large = samples.user()
    large["data"]["username"] = "x" * 9_000
    assert world.post(large).status_code == 503
    assert world.owed() == 0
    book.execute("PRAGMA max_page_count = 1000000")
    assert world.post(large).status_code == 202
    world.settle()
    assert world.site.bodies[0]["success"] is True


def test_a_body_that_does_not_come_is_not_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    said: list[Message] = []

    async def send(message: Message) -> None:
        said.append(message)

    monkeypatch.setattr("tallystick.bridge.app._PATIENCE", 0.01)
    scope = {"type": "http", "method": "POST", "path": WEBHOOK, "headers": [], "query_string": b""}
    loops.run(world.app(scope, receive, send))
    assert said[0]["status"] == 408


def test_nothing_else_is_open(world: World) -> None:
    for path in ("/", "/docs", "/redoc", "/openapi.json", f"{WEBHOOK}/x"):
        assert world.client.get(path).status_code == 404
    assert world.client.get(WEBHOOK).status_code == 405
    response = world.client.options(
        WEBHOOK, headers={"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    )
    assert "access-control-allow-origin" not in response.headers


def test_health_counts_what_is_owed(world: World, time: VirtualClock) -> None:
    assert world.client.get("/healthz").json() == {
        "status": "ok",
        "owed": 0,
        "callbacks_owed": 0,
        "oldest_seconds": 0.0,
    }
    world.send(samples.user())
    time.sleep(12)
    world.send(samples.user(18))
    found = world.client.get("/healthz").json()
    assert (found["owed"], found["callbacks_owed"], found["oldest_seconds"]) == (2, 0, 12.0)
    world.site.status = 500
    world.settle()
    found = world.client.get("/healthz").json()
    assert (found["owed"], found["callbacks_owed"]) == (0, 2)


def test_a_file_that_cannot_be_written_is_told(world: World) -> None:
    world.bridge.book._db.execute("PRAGMA query_only = ON")
    assert world.client.get("/healthz").status_code == 503
    response = world.post(samples.user())
    assert response.status_code == 503
    assert response.json()["detail"] == "The bridge cannot write its file."
    world.bridge.book._db.execute("PRAGMA query_only = OFF")
    assert world.client.get("/healthz").status_code == 200
    assert world.owed() == 0
