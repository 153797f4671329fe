from __future__ import annotations

from decimal import Decimal

import httpx2
import pytest

from tallystick.ports.errors import Refused
from tallystick.ports.records import Customer, Kind, Product
from tallystick.ports.roles import Push
from tallystick.providers.relay import Relay, RelaySettings


def _never(request: httpx2.Request) -> httpx2.Response:
    raise AssertionError(request.url)


@pytest.fixture
def relay() -> Relay:
    settings = RelaySettings.model_validate({"webhook_url": "https://relay.example.org/webhook"})
    return Relay(settings, transport=httpx2.MockTransport(_never))


def test_it_tells_what_would_be_sent_without_sending(relay: Relay) -> None:
    crown = Product(key="p-1", code="crown", name="Crown", price=Decimal(190), currency="EUR")
    (changes,) = relay.compare(Kind.PRODUCT, [Push(crown)])
    told = {change.field: change.here for change in changes}
    assert told["price"] == "190"
    assert "sync_timestamp" not in told
    assert "category" not in told
    assert {change.there for change in changes} == {None}


def test_people_are_not_compared(relay: Relay) -> None:
    with pytest.raises(Refused):
        relay.compare(Kind.CUSTOMER, [Push(Customer(key="c-1", name="Anna"))])
