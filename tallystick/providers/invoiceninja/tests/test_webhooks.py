from __future__ import annotations

import json
import logging
from contextlib import suppress
from dataclasses import replace

import httpx2
import hypothesis
import pytest
from hypothesis import strategies as st

from tallystick.ports.errors import Forged, Garbled, Refused
from tallystick.ports.records import Kind
from tallystick.ports.roles import Delivery
from tallystick.ports.testing import Recorder
from tallystick.providers.invoiceninja import InvoiceNinja, webhooks
from tallystick.providers.invoiceninja.tests.answers import fixture, ninja, settings
from tallystick.providers.invoiceninja.tests.case import CASE, RECEIVER, SECRET


def test_a_webhook_counts_with_either_secret_while_it_is_replaced() -> None:
    old, new = settings(webhook_secret="old"), settings(webhook_secret="new")
    both, _ = ninja({}, webhook_secret="new, old")
    body = fixture("webhook_invoice_updated")
    for held in (old, new):
        both.verify(CASE.sign(body, held))
    with pytest.raises(Forged):
        both.verify(CASE.sign(body, settings(webhook_secret="older")))


@pytest.mark.parametrize("secret", ["", " ", ",", " , "])
def test_without_a_secret_nothing_is_genuine(secret: str) -> None:
    client, _ = ninja({}, webhook_secret=secret)
    tail = f"8/{webhooks.token('', '8')}"
    with pytest.raises(Forged, match="No webhook secret"):
        client.verify(Delivery({}, fixture("webhook_invoice_updated"), tail))


def test_the_header_is_the_one_that_was_ordered_when_it_is_there() -> None:
    client, _ = ninja({}, webhook_secret=SECRET)
    genuine = CASE.sign(b"{}", settings(webhook_secret=SECRET))
    client.verify(genuine)
    client.verify(replace(genuine, headers={}))
    with pytest.raises(Forged):
        client.verify(replace(genuine, headers={"x-tallystick-secret": SECRET}))


@pytest.mark.parametrize(
    ("name", "event_id", "kind", "change"),
    [
        ("client_created", "1", Kind.CUSTOMER, "created"),
        ("product_updated", "51", Kind.PRODUCT, "updated"),
        ("invoice_updated", "8", Kind.INVOICE, "updated"),
    ],
)
def test_what_happened_is_told_by_the_address(
    name: str, event_id: str, kind: Kind, change: str
) -> None:
    client, _ = ninja({})
    body = fixture(f"webhook_{name}")
    (event,) = client.events(Delivery({}, body, f"{event_id}/x"))
    assert (event.kind, event.change) == (kind, change)
    assert event.remote_id == json.loads(body)["id"]
    assert int(event.at.timestamp()) == json.loads(body)["updated_at"]


def test_a_payment_speaks_of_its_invoices_too() -> None:
    client, _ = ninja({})
    events = client.events(Delivery({}, fixture("webhook_payment_created"), "4/x"))
    assert [(event.kind, event.remote_id) for event in events] == [
        (Kind.PAYMENT, "D2J234DFAq"),
        (Kind.INVOICE, "AxP7K9nY5z"),
    ]


def test_the_same_body_of_another_event_is_another_event() -> None:
    client, _ = ninja({})
    body = fixture("webhook_invoice_updated")
    ids = {client.events(Delivery({}, body, f"{n}/x"))[0].id for n in ("2", "8", "60")}
    assert len(ids) == 3


def test_events_we_do_not_follow_are_told_as_such() -> None:
    client, _ = ninja({})
    (event,) = client.events(Delivery({}, fixture("webhook_invoice_updated"), "27/x"))
    assert event.kind is None


@hypothesis.settings(max_examples=300, deadline=None)
@hypothesis.given(st.data())
def test_a_damaged_body_is_read_or_garbled(data: st.DataObject) -> None:
    body = bytearray(fixture("webhook_payment_created"))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place : place + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=20))
    client, _ = ninja({})
    with suppress(Garbled):
        for event in client.events(Delivery({}, bytes(body), "4/x")):
            assert event.remote_id.isascii()
            assert event.remote_id.isprintable()


class Orders:
    """A server that keeps webhooks, and nothing else."""

    def __init__(self) -> None:
        self.held: list[dict[str, object]] = []
        self.next = 1

    def put(self, event_id: str, target_url: str, **more: object) -> None:
        row = {"id": f"Hook{self.next}", "event_id": event_id, "target_url": target_url, **more}
        self.held.append(row)
        self.next += 1

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":
            return httpx2.Response(200, json={"data": self.held})
        if request.method == "POST":
            order = json.loads(request.content)
            self.put(**order)
            return httpx2.Response(200, json={"data": self.held[-1]})
        gone = request.url.path.rpartition("/")[2]
        self.held = [hook for hook in self.held if hook["id"] != gone]
        return httpx2.Response(200, json={"data": {}})

    def client(self, **changes: object) -> InvoiceNinja:
        transport = Recorder(httpx2.MockTransport(self.answer))
        return InvoiceNinja(settings(**changes), transport=transport)


def test_what_is_missing_is_ordered_once() -> None:
    orders = Orders()
    assert orders.client().subscribe(RECEIVER) == len(webhooks.EVENTS)
    assert orders.client().subscribe(RECEIVER) == 0
    assert {hook["event_id"] for hook in orders.held} == set(webhooks.EVENTS)
    assert {hook["rest_method"] for hook in orders.held} == {"post"}
    orders.held.pop()
    assert orders.client().subscribe(RECEIVER) == 1


def test_every_order_leads_to_where_it_is_taken_for_genuine() -> None:
    orders = Orders()
    client = orders.client()
    client.subscribe(RECEIVER)
    for hook in orders.held:
        tail = str(hook["target_url"]).removeprefix(f"{RECEIVER}/")
        headers = {k.lower(): v for k, v in hook["headers"].items()}  # type: ignore[attr-defined]
        client.verify(Delivery(headers, b"{}", tail))
        assert tail.partition("/")[0] == hook["event_id"]


def test_ours_that_lead_elsewhere_are_cancelled_and_nobody_elses() -> None:
    orders = Orders()
    orders.client(webhook_secret="older").subscribe(RECEIVER)
    orders.put("1", "https://elsewhere.example/hook")
    orders.put("1", f"{RECEIVER}0/1/{'0' * 64}")
    orders.put("1", f"{RECEIVER}/by-hand")
    others = orders.held[-3:]
    client = orders.client()
    assert client.subscribe(RECEIVER) == len(webhooks.EVENTS)
    assert orders.held[:3] == others
    assert len(orders.held) == len(webhooks.EVENTS) + 3
    doubled = dict(orders.held[-1])
    orders.put(str(doubled["event_id"]), str(doubled["target_url"]))
    assert client.subscribe(RECEIVER) == 0
    assert len(orders.held) == len(webhooks.EVENTS) + 3


def test_one_that_was_archived_there_sends_nothing_and_is_ordered_anew() -> None:
    orders = Orders()
    orders.client().subscribe(RECEIVER)
    orders.held[0]["archived_at"] = 1768471200
    assert orders.client().subscribe(RECEIVER) == 1


def test_without_a_secret_nothing_is_ordered() -> None:
    orders = Orders()
    with pytest.raises(Refused, match="webhook secret"):
        orders.client(webhook_secret="").subscribe(RECEIVER)
    with pytest.raises(Refused, match="is not https"):
        orders.client().subscribe("http://billing.example.org/hook")
    assert orders.held == []


def test_addresses_that_cannot_be_guessed_are_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    orders = Orders()
    with caplog.at_level(logging.DEBUG):
        orders.client(debug=True).subscribe(RECEIVER)
    assert "[secret]" in caplog.text
    for hook in orders.held:
        assert str(hook["target_url"]).rpartition("/")[2] not in caplog.text
    assert webhooks.header_value("a secret") not in caplog.text
