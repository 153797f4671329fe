"""Xero in the shared suite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from tallystick.kit import signing
from tallystick.ports.descriptions import SPECS, Description
from tallystick.ports.records import (
    Customer,
    Invoice,
    Kind,
    Payment,
    Product,
    Record,
    Ref,
    Tax,
)
from tallystick.ports.roles import Delivery
from tallystick.ports.sandboxing import Outgoing, Stand
from tallystick.ports.testing import Case
from tallystick.providers.xero import Xero, XeroSettings
from tallystick.providers.xero.sandbox import XeroStand

FIXTURES = Path(__file__).parents[1] / "fixtures"
ORGANISATION = "Demo Company (Global)"
BUYER = Ref(Kind.CUSTOMER, "c-1", "5b0e2f6c-1d2a-4a57-9d5b-3f5f0e6a7c11")
VAT = Tax("standard", Decimal(20))


class XeroCase(Case[Xero]):
    provider = Xero

    def stand(self) -> XeroStand:
        return XeroStand()

    def settings(self, stand: Stand, **changes: Any) -> XeroSettings:
        assert isinstance(stand, XeroStand)
        app = stand.app(ORGANISATION)
        fields = {
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "tenant_id": app.books.id,
            "webhook_key": app.webhooks.key,
            "account_code": "200",
            "payment_account_code": "090",
            "currency_code": "EUR",
        }
        return XeroSettings.model_validate({**fields, **changes})

    def noun(self, kind: Kind) -> str:
        return {Kind.CUSTOMER: "contacts", Kind.PRODUCT: "items"}.get(kind, kind.value)

    def path(self, kind: Kind) -> str:
        return f"/api.xro/2.0/{self.noun(kind)}"

    def token_path(self) -> str:
        return "/connect/token"

    def natural_key(self, record: Record) -> str:
        if isinstance(record, Product):
            return record.code
        return record.number if isinstance(record, Invoice) else record.key

    def broken(self, record: Record) -> Record:
        match record:
            case Customer():
                return replace(record, address=replace(record.address, country="D3"))
            case Product():
                return replace(record, price=Decimal("-1.00"))
            case Invoice():
                return replace(record, currency="XAF")
            case Payment():
                return replace(record, amount=Decimal("99999.00"))
        raise AssertionError(record)

    def description(self) -> Description:
        file = SPECS / "xero" / "xero_accounting.prism.json"
        return Description(file, base="/api.xro/2.0").required()

    def sign(self, body: bytes, settings: XeroSettings) -> Delivery:
        key = settings.webhook_keys()[0]
        return Delivery({"x-xero-signature": signing.hmac_sha256_base64(key, body)}, body)

    def deliveries(self, stand: XeroStand) -> Sequence[Outgoing]:
        return stand.pending_deliveries(ORGANISATION)


CASE = XeroCase()
