"""Both sides of the relay's contract: what our relay sends the bridge takes, and the API takes what
the bridge calls back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest

from tallystick.api.invoice_ninja.inputs import ClientCreated, ProductCreated
from tallystick.bridge.tests.world import SECRET, World
from tallystick.kit import clock
from tallystick.kit.clock import VirtualClock
from tallystick.ports.records import Kind, Remote, Tax
from tallystick.ports.roles import Accepted, Gone, Push
from tallystick.ports.samples import customer, product
from tallystick.providers.relay import Relay, RelaySettings


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with clock.use(VirtualClock()):
        found = World(tmp_path)
        yield found
        found.bridge.book.close()


@pytest.fixture
def relay(world: World) -> Relay:
    def answer(request: httpx2.Request) -> httpx2.Response:
        headers = dict(request.headers)
        got = world.client.post(request.url.path, content=request.read(), headers=headers)
        return httpx2.Response(got.status_code, headers=dict(got.headers), content=got.content)

    settings = {
        "webhook_url": "https://relay.example.org/webhook/invoice-ninja-sync",
        "webhook_secret": SECRET,
        "send_sensitive_fields": True,
    }
    return Relay(RelaySettings.model_validate(settings), transport=httpx2.MockTransport(answer))


def test_a_ping_arrives(relay: Relay) -> None:
    assert relay.ping().name == "relay.example.org"


def test_a_customer_goes_there_comes_back_and_leaves(world: World, relay: Relay) -> None:
    record = replace(
        customer(1), details=(("django_user_id", 17), ("allergies", "nuts"), ("nationality", "DE"))
    )
    (outcome,) = relay.push_customers([Push(record)], attempt="one")
    assert isinstance(outcome, Accepted)
    world.settle()
    (body,) = world.site.bodies
    told = ClientCreated(data=body)
    assert told.is_valid(), told.errors
    callback = told.callback(told.validated_data)
    assert (callback.success, callback.delivery_id) == (True, "one")
    (client,) = world.clients()
    assert callback.remote_id == client["id"]
    gone = Gone(record.key, Remote(callback.remote_id))
    relay.archive(Kind.CUSTOMER, [gone], attempt="two")
    world.settle()
    assert world.clients()[0]["archived_at"] > 0


def test_a_product_goes_there_and_comes_back(world: World, relay: Relay) -> None:
    record = product(1, "EUR", Tax("VAT", Decimal(19)))
    relay.push_products([Push(record)], attempt="one")
    world.settle()
    (body,) = world.site.bodies
    told = ProductCreated(data=body)
    assert told.is_valid(), told.errors
    assert told.callback(told.validated_data).remote_id == world.rows("products")[0]["id"]


def test_a_failure_comes_back(world: World, relay: Relay) -> None:
    record = replace(customer(1), email="no address", details=(("django_user_id", 17),))
    relay.push_customers([Push(record)], attempt="one")
    world.settle()
    told = ClientCreated(data=world.site.bodies[0])
    assert told.is_valid(), told.errors
    callback = told.callback(told.validated_data)
    assert (callback.success, callback.retry) == (False, False)
    assert callback.message
