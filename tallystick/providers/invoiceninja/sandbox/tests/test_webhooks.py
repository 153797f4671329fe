"""Webhooks: the bare entity, no signature, one try."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tallystick.kit.clock import VirtualClock
from tallystick.ports.sandboxing import Outgoing, Receipt
from tallystick.providers.invoiceninja.sandbox import InvoiceNinjaStand
from tallystick.providers.invoiceninja.sandbox.tests.api import Api, Json

URL = "https://site.example/hook"


def subscribe(api: Api, *events: int, **fields: object) -> list[Json]:
    headers = {"X-Secret": "s3cret"}
    given = {"target_url": URL, "headers": headers, **fields}
    return [api.post("/webhooks", {**given, "event_id": event}) for event in events]


def body(sent: Outgoing) -> Any:  # noqa: ANN401 - JSON
    return json.loads(sent.body)


def test_the_bare_entity_with_the_headers_registered(api: Api, stand: InvoiceNinjaStand) -> None:
    (made,) = subscribe(api, 1)
    assert (made["event_id"], made["rest_method"], made["format"]) == ("1", "post", "JSON")
    client = api.client_of()
    (sent,) = stand.outgoing()
    assert body(sent) == client
    assert (sent.url, sent.method, sent.headers["x-secret"]) == (URL, "POST", "s3cret")
    assert not any("signature" in name for name in sent.headers)
    assert stand.outgoing() == []


@pytest.mark.parametrize(
    ("deed", "event"),
    [
        (lambda api, client: api.put(f"/clients/{client['id']}", {"name": "B"}), 10),
        (lambda api, client: api.ask("DELETE", f"/clients/{client['id']}"), 11),
        (lambda api, _client: api.stand.act("archive_client", {"client": "7"}), 37),
        (lambda api, client: api.invoice(client), 2),
        (lambda api, client: api.invoice(client), 8),
        (lambda api, _client: api.post("/products", {"product_key": "a"}), 50),
    ],
)
def test_one_subscription_for_one_event(
    api: Api, stand: InvoiceNinjaStand, deed: Callable[[Api, Json], object], event: int
) -> None:
    client = api.client_of(id_number="7")
    subscribe(api, event)
    deed(api, client)
    assert len(stand.outgoing()) == 1


def test_two_that_match_are_told_twice(api: Api, stand: InvoiceNinjaStand) -> None:
    subscribe(api, 1, 1)
    api.client_of()
    assert len(stand.outgoing()) == 2


def test_the_state_is_read_when_sending(api: Api, stand: InvoiceNinjaStand) -> None:
    subscribe(api, 1, rest_method="put")
    client = api.client_of("Ada")
    api.put(f"/clients/{client['id']}", {"name": "Bob"})
    (sent,) = stand.outgoing()
    assert (body(sent)["name"], sent.method) == ("Bob", "PUT")


def test_payments_are_told_of_late(api: Api, stand: InvoiceNinjaStand, clock: VirtualClock) -> None:
    subscribe(api, 4)
    made = api.invoice(api.client_of("Ada"))
    api.payment(made, 19)
    clock.sleep(19)
    assert stand.outgoing() == []
    clock.sleep(1)
    (sent,) = stand.outgoing()
    told = body(sent)
    assert told["client"]["name"] == "Ada"
    assert [invoice["id"] for invoice in told["invoices"]] == [made["id"]]


def test_who_hands_them_over_himself_does_not_wait(api: Api, stand: InvoiceNinjaStand) -> None:
    subscribe(api, 2, 4)
    api.payment(api.invoice(api.client_of()), 19)
    first, second = stand.pending_deliveries()
    assert (first.label, second.label) == ("invoices create", "payments create")
    assert body(first)["client"]["name"] == "Ada"
    assert stand.pending_deliveries() == []


@pytest.mark.parametrize(
    ("status", "stays"),
    [(404, False), (405, False), (410, False), (200, True), (500, True), (None, True)],
)
def test_one_try_and_some_answers_end_it(
    api: Api, stand: InvoiceNinjaStand, status: int | None, stays: bool
) -> None:
    subscribe(api, 1)
    api.client_of()
    (sent,) = stand.outgoing()
    stand.reported(Receipt(sent, stand.now(), status))
    assert stand.outgoing() == []
    assert bool(api.get("/webhooks", status="active")) is stays
    api.client_of()
    assert bool(stand.outgoing()) is stays


def test_an_administrator_deletes_and_pauses_them(api: Api, stand: InvoiceNinjaStand) -> None:
    subscribe(api, 1, 50)
    stand.act("pause_webhooks", {})
    api.client_of()
    assert stand.outgoing() == []
    assert stand.act("delete_webhooks", {}) == {"deleted": 2}
    stand.act("pause_webhooks", {"paused": False})
    assert stand.outgoing() == []


@pytest.mark.parametrize(
    ("fields", "member"),
    [
        ({"target_url": "no address"}, "target_url"),
        ({"event_id": "client.created"}, "event_id"),
        ({"rest_method": "get"}, "rest_method"),
        ({"event_id": None}, "event_id"),
    ],
)
def test_what_is_refused(api: Api, fields: Json, member: str) -> None:
    given = {"target_url": URL, "event_id": 1, **fields}
    assert api.refused("POST", "/webhooks", given) == [member]
