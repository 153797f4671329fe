from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import hypothesis
import pytest
from hypothesis import strategies as st

from tallystick.kit import signing
from tallystick.ports.errors import Forged, Garbled
from tallystick.ports.records import (
    Kind,
)
from tallystick.ports.roles import Delivery
from tallystick.providers.xero.tests.answers import (
    fixture,
    settings,
    xero,
)
from tallystick.providers.xero.tests.case import CASE


def test_a_webhook_counts_with_either_key_while_it_is_replaced() -> None:
    old, new = settings(webhook_key="old"), settings(webhook_key="new")
    both, _ = xero({}, webhook_key="new, old")
    body = fixture("webhook_invoice_updated")
    for signed_with in (old, new):
        both.verify(CASE.sign(body, signed_with))
    with pytest.raises(Forged):
        both.verify(CASE.sign(body, settings(webhook_key="older")))


@pytest.mark.parametrize("key", ["", " ", ",", " , "])
def test_without_a_key_nothing_is_genuine(key: str) -> None:
    client, _ = xero({}, webhook_key=key)
    body = fixture("webhook_invoice_updated")
    signature = signing.hmac_sha256_base64("", body)
    with pytest.raises(Forged, match="No webhook key"):
        client.verify(Delivery({"x-xero-signature": signature}, body))


def test_events_we_do_not_follow_are_told_as_such() -> None:
    client, _ = xero({})
    for name in ("creditnote_created", "subscription_created"):
        (event,) = client.events(Delivery({}, fixture(f"webhook_{name}")))
        assert event.kind is None


def test_intent_to_receive_has_no_events() -> None:
    client, _ = xero({})
    assert client.events(Delivery({}, fixture("webhook_intent_to_receive"))) == []


def test_the_tenant_of_an_event_is_the_account_of_the_connection() -> None:
    client, _ = xero({})
    (event,) = client.events(Delivery({}, fixture("webhook_invoice_updated")))
    assert event.account == client.account()
    assert (event.kind, event.change) == (Kind.INVOICE, "updated")
    assert event.at == datetime(2026, 1, 20, 10, 0, 0, 117_000, tzinfo=UTC)


@hypothesis.settings(max_examples=300, deadline=None)
@hypothesis.given(st.data())
def test_a_damaged_body_is_read_or_garbled(data: st.DataObject) -> None:
    body = bytearray(fixture("webhook_contact_and_invoice"))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place : place + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=20))
    client, _ = xero({})
    with suppress(Garbled):
        for event in client.events(Delivery({}, bytes(body))):
            assert event.remote_id.isascii()
            assert event.remote_id.isprintable()
