"""Xero, by a custom connection: one organisation, client credentials."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from tallystick.ports.errors import Missing, Refused
from tallystick.ports.exchange import Line
from tallystick.ports.http import Nothing
from tallystick.ports.metering import Limit, Meter
from tallystick.ports.provider import AccountInfo, Category, Provider
from tallystick.ports.records import Customer, Invoice, Payment, Product, Remote, RemoteInvoice
from tallystick.ports.roles import (
    Delivery,
    EmailsInvoices,
    Event,
    FetchesInvoices,
    HostsInvoices,
    Outcome,
    Page,
    PullsInvoices,
    Push,
    PushesCustomers,
    PushesInvoices,
    PushesPayments,
    PushesProducts,
    SendsWebhooks,
)
from tallystick.ports.tokens import ClientCredentials, traffic
from tallystick.providers.xero import reading, webhooks
from tallystick.providers.xero.api import XeroApi
from tallystick.providers.xero.contacts import Contacts
from tallystick.providers.xero.invoices import Invoices
from tallystick.providers.xero.items import Items
from tallystick.providers.xero.payments import Payments
from tallystick.providers.xero.schema import OnlineInvoices, Organisations, XeroSettings
from tallystick.providers.xero.taxes import TaxTypes

if TYPE_CHECKING:
    import httpx2


class Xero(
    Provider[XeroSettings],
    PushesCustomers,
    PushesProducts,
    PushesInvoices,
    PushesPayments,
    FetchesInvoices,
    PullsInvoices,
    HostsInvoices,
    EmailsInvoices,
    SendsWebhooks,
):
    type = "XERO"
    name = "Xero"
    category = Category.ACCOUNTING
    settings_class = XeroSettings
    limits = (
        Limit("minute", calls=60, window=60),
        Limit("day", calls=5000, window=86_400),
        Limit("appminute", calls=10_000, window=60, scope="app"),
    )
    concurrency = 5
    batch_size = 50
    fetch_size = reading.IDS_AT_ONCE
    # Xero keeps an Idempotency-Key for about six minutes.
    key_memory = 300

    def __init__(
        self,
        settings: XeroSettings,
        *,
        transport: httpx2.BaseTransport | None = None,
        meter: Meter | None = None,
    ) -> None:
        super().__init__(settings, transport=transport, meter=meter)
        self._tokens = ClientCredentials(
            self.name,
            settings.token_url,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            scopes=settings.scopes,
            transport=transport,
        )
        self._api = XeroApi(
            self.name,
            settings.base_url,
            line=Line(self._tokens, transport, self.concurrency),
            headers={"xero-tenant-id": settings.tenant_id},
            meter=self.meter,
            traffic=traffic(
                self.name,
                self._tokens,
                settings.client_secret,
                settings.webhook_key,
                is_on=settings.debug,
            ),
        )
        taxes = TaxTypes(self._api, settings)
        self._contacts = Contacts(self._api)
        self._items = Items(self._api, settings, taxes)
        self._invoices = Invoices(self._api, settings, taxes)
        self._payments = Payments(self._api, settings)

    def ping(self) -> AccountInfo:
        found = self._api.get("/Organisation", Organisations).organisations[0]
        return AccountInfo(found.id, found.name, found.currency, found.country, found.is_demo)

    def account(self) -> str:
        return self.settings.tenant_id.lower()

    def close(self) -> None:
        self._api.close()
        self._tokens.close()

    def push_customers(self, batch: Sequence[Push[Customer]], *, attempt: str) -> list[Outcome]:
        return self._contacts.push(batch, attempt)

    def find_customers(self, records: Sequence[Customer]) -> list[Remote | None]:
        return self._contacts.find(records)

    def push_products(self, batch: Sequence[Push[Product]], *, attempt: str) -> list[Outcome]:
        return self._items.push(batch, attempt)

    def find_products(self, records: Sequence[Product]) -> list[Remote | None]:
        return self._items.find(records)

    def push_invoices(self, batch: Sequence[Push[Invoice]], *, attempt: str) -> list[Outcome]:
        return self._invoices.push(batch, attempt)

    def find_invoices(self, records: Sequence[Invoice]) -> list[Remote | None]:
        return self._invoices.find(records)

    def push_payments(self, batch: Sequence[Push[Payment]], *, attempt: str) -> list[Outcome]:
        return self._payments.push(batch, attempt)

    def find_payments(self, records: Sequence[Payment]) -> list[Remote | None]:
        return self._payments.find(records)

    def fetch_invoices(self, ids: Sequence[str]) -> list[RemoteInvoice]:
        return [reading.remote_invoice(state) for state in reading.by_ids(self._api, ids)]

    def pull_invoices(self, *, since: datetime | None, cursor: str = "") -> Page[RemoteInvoice]:
        return reading.changed(self._api, since, cursor)

    def invoice_url(self, remote_id: str) -> str | None:
        try:
            found = self._api.get(
                f"/Invoices/{quote(remote_id, safe='')}/OnlineInvoice", OnlineInvoices
            ).invoices
        except Missing:
            return None
        return next((page.url for page in found if page.url.startswith("https://")), None)

    def email_invoice(self, remote_id: str) -> None:
        if not self.settings.email_invoices:
            raise Refused("This connection's settings say that Xero sends no e-mails.")
        self._api.send("POST", f"/Invoices/{quote(remote_id, safe='')}/Email", Nothing, json={})

    def verify(self, delivery: Delivery) -> None:
        webhooks.verify(self.settings, delivery)

    def events(self, delivery: Delivery) -> list[Event]:
        return webhooks.events(delivery)
