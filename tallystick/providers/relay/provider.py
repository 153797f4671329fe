"""The relay: what changes is posted to a go-between, whose callback tells what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tallystick.kit import clock, signing, standard_webhooks
from tallystick.ports.errors import Refused
from tallystick.ports.exchange import Line
from tallystick.ports.metering import Meter
from tallystick.ports.provider import AccountInfo, Category, Provider
from tallystick.ports.records import Customer, Kind, Product, Record, Remote
from tallystick.ports.roles import (
    Accepted,
    Archives,
    Change,
    Compares,
    Gone,
    Outcome,
    Push,
    PushesCustomers,
    PushesProducts,
)
from tallystick.ports.traffic import Traffic
from tallystick.providers.relay import payload
from tallystick.providers.relay.api import RelayApi
from tallystick.providers.relay.payload import Data, Message
from tallystick.providers.relay.schema import RelaySettings

if TYPE_CHECKING:
    from typing import Any

    import httpx2

SECRET = "X-Webhook-Secret"  # noqa: S105 - the name of a header


class Relay(Provider[RelaySettings], PushesCustomers, PushesProducts, Archives, Compares):
    type = "INVOICE_NINJA_RELAY"
    name = "Invoice Ninja by relay"
    category = Category.ACCOUNTING
    settings_class = RelaySettings
    concurrency = 4
    batch_size = 1
    reads = payload.READS
    by_callback = True
    environment = ("INVOICE_NINJA", "webhook_url")
    leads = frozenset({"webhook_url"})

    def __init__(
        self,
        settings: RelaySettings,
        *,
        transport: httpx2.BaseTransport | None = None,
        meter: Meter | None = None,
    ) -> None:
        super().__init__(settings, transport=transport, meter=meter)
        self._secrets = settings.secrets()
        self._api = RelayApi(
            "The relay",
            settings.webhook_url,
            line=Line(
                transport=transport,
                concurrency=self.concurrency,
                timeout=settings.timeout,
                allow_http=settings.allow_http,
            ),
            headers={SECRET: self._secrets[0]} if self._secrets else {},
            meter=self.meter,
            # What it is told may be about somebody's health: no log has it.
            traffic=Traffic(
                "Relay", is_on=settings.debug, secrets=lambda: self._secrets, bodies=False
            ),
        )

    @property
    def max_attempts(self) -> int:
        return self.settings.max_attempts

    @classmethod
    def declines(cls, record: Record) -> str:
        if isinstance(record, Customer) and record.detail("django_user_id") is None:
            return "The relay takes people, and this is an organisation."
        return ""

    def ping(self) -> AccountInfo:
        delivery = f"ping-{signing.token(128)}"
        said = {"event": "ping", "timestamp": payload.spelt(clock.now()), "delivery_id": delivery}
        self._deliver(payload.dump(said), delivery)
        return AccountInfo("", urlsplit(self.settings.webhook_url).hostname or "")

    def close(self) -> None:
        self._api.close()

    def push_customers(self, batch: Sequence[Push[Customer]], *, attempt: str) -> list[Outcome]:
        return [
            self._told(Kind.CUSTOMER, push.record, push.remote, self._user(push.record), attempt)
            for push in batch
        ]

    def find_customers(self, records: Sequence[Customer]) -> list[Remote | None]:
        """It cannot be asked."""
        return [None] * len(records)

    def push_products(self, batch: Sequence[Push[Product]], *, attempt: str) -> list[Outcome]:
        return [
            self._told(Kind.PRODUCT, push.record, push.remote, _product(push.record), attempt)
            for push in batch
        ]

    def find_products(self, records: Sequence[Product]) -> list[Remote | None]:
        """It cannot be asked."""
        return [None] * len(records)

    def archive(self, kind: Kind, batch: Sequence[Gone], *, attempt: str) -> list[Outcome]:
        """No callback comes of it: there is nothing left here that it could name."""
        sample = self._user(_NOBODY) if kind is Kind.CUSTOMER else _product(_NOTHING)
        for gone in batch:
            message = Message(kind, "deleted", gone.key, gone.remote.id, payload.gone(sample))
            self._deliver(message.body(attempt, clock.now()), attempt)
        return [gone.remote for gone in batch]

    def compare(self, kind: Kind, batch: Sequence[Push[Any]]) -> list[list[Change]]:
        """What would be told. What is there is not known: it cannot be asked."""
        if kind is not Kind.PRODUCT:
            raise Refused(f"{kind.value} are not compared field by field.")
        return [_untold(_product(push.record)) for push in batch]

    def _user(self, record: Customer) -> Data:
        allowed = self.settings.send_sensitive_fields
        return payload.user(record, clock.now(), sensitive=allowed)

    def _told(
        self, kind: Kind, record: Record, remote: Remote | None, data: Data, attempt: str
    ) -> Accepted:
        change = "updated" if remote else "created"
        message = Message(kind, change, record.key, remote.id if remote else "", data)
        self._deliver(message.body(attempt, clock.now()), attempt)
        return Accepted(self.settings.callback_timeout)

    def _deliver(self, body: bytes, delivery: str) -> None:
        signed = standard_webhooks.headers(self._secrets, delivery, at=clock.now(), body=body)
        self._api.deliver(body, {"Content-Type": "application/json", **signed})


def _product(record: Product) -> Data:
    return payload.product(record, clock.now())


def _untold(data: Data) -> list[Change]:
    told = {name: value for name, value in data.items() if value is not None}
    return [Change(name, None, told[name]) for name in told if name != "sync_timestamp"]


_NOBODY = Customer(key="", name="")
_NOTHING = Product(key="", code="", name="", price=Decimal(0), currency="")
