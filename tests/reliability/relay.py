"""The relay for the reliability suites."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tallystick.billing.models import Product
from tallystick.integrations.push import PushRun
from tallystick.ports.records import Kind
from tallystick.ports.sandboxing import Outgoing, Stand
from tallystick.providers.relay import Relay
from tallystick.providers.relay.sandbox import RelayStand
from tallystick.providers.relay.sandbox.books import PRODUCT, USER
from tallystick.providers.relay.sandbox.control import DEFAULT_SECRET
from tallystick.sandbox.running import StandClient
from tests.reliability.venues import Company, Face, Reading, Venue

MANY_TRIES = 50
_PATH = "/webhook/invoice-ninja-sync"
_DEADLINE = 3600
_SOON = 45
"""Seconds for a callback where time is real."""
_KINDS = {"user": Kind.CUSTOMER, "product": Kind.PRODUCT}
_CLOCK = "clock"
_NOT_READ = ""
"""It answers 2xx, whatever else it says: that it was accepted is all there is to know."""


def _new_identity(run: PushRun, items: object) -> str:
    """Never the one that a go-between may have."""
    del run, items
    return uuid.uuid4().hex


class RelayVenue(Venue):
    provider = Relay
    stand_class = RelayStand
    ledgers = {Kind.CUSTOMER: USER.plural, Kind.PRODUCT: PRODUCT.plural}
    paths = dict.fromkeys(_KINDS.values(), _PATH)
    api_path = _PATH
    # Where it finds nothing by our key; see `forget_keys`.
    tolerates_doubles = frozenset(_KINDS.values())
    besieged = {Kind.CUSTOMER: 1, Kind.PRODUCT: 1}
    lacks = {
        "access token expired in the middle": "its secret does not expire",
        "daily limit reached": "it states no limits",
    }
    words = {
        "truncated JSON with 200": _NOT_READ,
        "HTML with 200": _NOT_READ,
        "body at 1 byte/s": _NOT_READ,  # so short that it is there in time
        "200 with errors for some items": "HTTP 422",
        "our clock 10 minutes ahead": _CLOCK,
        "our clock 10 minutes behind": _CLOCK,
    }
    safeguards = ((PushRun, "_identity", _new_identity),)

    def company(self, description: Mapping[str, Any], *, url: str = "") -> Company:
        return Company(
            name=description["name"],
            account="",
            credentials={"webhook_secret": description["secret"]},
            custom_data={
                "webhook_url": description["webhook_url"],
                "max_attempts": MANY_TRIES,
                "callback_timeout": _SOON if url else _DEADLINE,
            },
        )

    def describe(self, stand: Stand, number: int = 0) -> Mapping[str, Any]:
        relay = _relay(stand)
        relay.callback_url = "http://localhost"
        return {
            "name": f"Workflow {number}",
            "webhook_url": relay.webhook_url,
            "secret": relay.secret,
        }

    def open_running(self, client: StandClient, *, keys: bool = True) -> Mapping[str, Any]:
        client.act("forget_keys", on=not keys)
        described = client.act("configure")
        return {"name": "Workflow", "secret": DEFAULT_SECRET, **described}

    def calls_back(self, client: StandClient, url: str) -> None:
        client.act("configure", callback_url=url)

    def read(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Reading:
        document = json.loads(body)
        noun, _, change = document["event"].partition(".")
        if noun not in _KINDS:
            return Reading("read")
        data = {name: said for name, said in document["data"].items() if name != "sync_timestamp"}
        return Reading(
            "create" if change == "created" else "change",
            _KINDS[noun],
            [document["key"]],
            document["delivery_id"],
            json.dumps(data),
        )

    def faces(self, stand: Stand, company: Company) -> Iterable[Face]:
        books = _relay(stand).books
        for client in books.all(USER):
            data = client.data
            says = {"first name": data["first_name"] or "", "e-mail": data["email"] or ""}
            yield Face(Kind.CUSTOMER, client.key, says)
        for product in books.all(PRODUCT):
            price = f"{Decimal(product.data['price']):.2f}"
            says = {"name": product.data["name"], "price": price}
            yield Face(Kind.PRODUCT, product.key, says)

    def product_key(self, product: Product) -> str:
        return f"p-{product.uid.hex}"

    def deliveries(self, stand: Stand, company: Company) -> Sequence[Outgoing]:
        return _relay(stand).pending_deliveries()

    def forget_keys(self, stand: Stand, company: Company) -> None:
        _relay(stand).forget_keys()

    def refuse(self, stand: Stand, company: Company) -> None:
        _relay(stand).secret = "another secret"

    def permit(self, stand: Stand, company: Company) -> None:
        _relay(stand).secret = company.credentials["webhook_secret"]

    def lift_limits(self, stand: Stand) -> None:
        """It has none."""


def _relay(stand: Stand) -> RelayStand:
    assert isinstance(stand, RelayStand)
    return stand
