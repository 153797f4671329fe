"""Invoice Ninja in the shared suite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2

from tallystick.ports.descriptions import SPECS, Description
from tallystick.ports.records import Customer, Invoice, Kind, Payment, Product, Record
from tallystick.ports.roles import Delivery
from tallystick.ports.sandboxing import Outgoing, Stand
from tallystick.ports.testing import Case
from tallystick.providers.invoiceninja import InvoiceNinja, InvoiceNinjaSettings, webhooks
from tallystick.providers.invoiceninja.products import product_key
from tallystick.providers.invoiceninja.sandbox import InvoiceNinjaStand

FIXTURES = Path(__file__).parents[1] / "fixtures"
RECEIVER = "https://billing.example.org/api/integrations/invoice_ninja/webhook/1"
SECRET = "a webhook secret"
UNDESCRIBED = frozenset(
    {
        # StoreClientRequest takes a currency and a country by their codes; the description knows
        # only their numbers.
        "$.currency_code is not described",
        "$.country_code is not described",
        # InvoiceController saves and sends in one call; the description has it as an action alone.
        "parameter mark_sent is not described",
        # The routes have it; the description lists tax rates without their making.
        "POST /api/v1/tax_rates is not described",
    }
)
"""Where the server takes what its description leaves out."""


@dataclass(frozen=True)
class ServerDescription(Description):
    def complaints(self, request: httpx2.Request) -> list[str]:
        return [words for words in super().complaints(request) if words not in UNDESCRIBED]


class InvoiceNinjaCase(Case[InvoiceNinja]):
    provider = InvoiceNinja
    # The server keeps no product key unique, so a look comes before it is made.
    written_with = "POST"

    def stand(self) -> InvoiceNinjaStand:
        return InvoiceNinjaStand()

    def settings(self, stand: Stand, **changes: Any) -> InvoiceNinjaSettings:
        assert isinstance(stand, InvoiceNinjaStand)
        fields = {
            "api_url": "https://invoices.example.com",
            "api_token": stand.token,
            "webhook_secret": SECRET,
            # Half seconds of the virtual clock are not in what a date says.
            "request_delay": 0,
        }
        return InvoiceNinjaSettings.model_validate({**fields, **changes})

    def noun(self, kind: Kind) -> str:
        return {Kind.CUSTOMER: "clients"}.get(kind, kind.value)

    def path(self, kind: Kind) -> str:
        return f"/api/v1/{self.noun(kind)}"

    def natural_key(self, record: Record) -> str:
        if isinstance(record, Product):
            return product_key(record.code)
        return record.number if isinstance(record, Invoice) else record.key

    def broken(self, record: Record) -> Record:
        match record:
            case Customer():
                return replace(record, email="no address")
            case Product():
                return replace(record, price=Decimal("1e15"))
            case Invoice():
                return replace(record, currency="XAF")
            case Payment():
                return replace(record, amount=Decimal("99999.00"))
        raise AssertionError(record)

    def description(self) -> Description:
        file = SPECS / "invoiceninja" / "openapi.prism.json"
        return ServerDescription(file).required()

    def sign(self, body: bytes, settings: InvoiceNinjaSettings, event_id: str = "8") -> Delivery:
        """Nothing is signed: the address is what nobody else knows, and the header."""
        secret = settings.webhook_secrets()[0]
        headers = {webhooks.HEADER.lower(): webhooks.header_value(secret)}
        return Delivery(headers, body, f"{event_id}/{webhooks.token(secret, event_id)}")

    def forgeries(self, genuine: Delivery) -> list[Delivery]:
        """The body is not signed, so it is no forgery to change it."""
        event_id, _, token = genuine.tail.partition("/")
        tails = ["", token, f"9/{token}", f"{event_id}/{token[:-1]}", f"{event_id}/{'0' * 64}"]
        tails += [f"{genuine.tail}/", f"{event_id}/{token.upper()}", "é\udc80", "x" * 100_000]
        headers = [
            dict.fromkeys(genuine.headers, value)
            for value in ("", SECRET, "é\udc80", "x" * 100_000)
        ]
        return [
            *(replace(genuine, tail=tail) for tail in tails),
            *(replace(genuine, headers=held) for held in headers),
        ]

    def before_deliveries(self, stand: Stand) -> None:
        self.connect(stand).subscribe(RECEIVER)

    def deliveries(self, stand: InvoiceNinjaStand) -> Sequence[Outgoing]:
        return stand.pending_deliveries()

    def received(self, sent: Outgoing) -> Delivery:
        tail = sent.url.removeprefix(f"{RECEIVER}/")
        return Delivery(sent.headers, sent.body, tail)


CASE = InvoiceNinjaCase()
