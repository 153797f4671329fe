"""Invoice Ninja v5, hosted or one's own, by an API token of one company."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from tallystick.kit import signing
from tallystick.ports.errors import Missing, Refused
from tallystick.ports.exchange import Line
from tallystick.ports.fields import Field, FieldLabels, MapsFields
from tallystick.ports.metering import Limit, Meter
from tallystick.ports.provider import AccountInfo, Category, Provider
from tallystick.ports.records import (
    Customer,
    Details,
    Invoice,
    Kind,
    Payment,
    Product,
    Record,
    Remote,
    RemoteCustomer,
    RemoteInvoice,
    RemoteProduct,
    RemoteTaxRate,
)
from tallystick.ports.roles import (
    Archives,
    Change,
    Compares,
    Delivery,
    Event,
    FetchesInvoices,
    Gone,
    HostsInvoices,
    Outcome,
    Page,
    PullsCustomers,
    PullsInvoices,
    PullsProducts,
    PullsTaxRates,
    Push,
    PushesCustomers,
    PushesInvoices,
    PushesPayments,
    PushesProducts,
    SendsWebhooks,
    Subscribes,
)
from tallystick.ports.traffic import Traffic
from tallystick.providers.invoiceninja import fields, labels, looking, mapping, webhooks
from tallystick.providers.invoiceninja.api import MINUTE, InvoiceNinjaApi
from tallystick.providers.invoiceninja.clients import Clients
from tallystick.providers.invoiceninja.comparing import ComparedProducts, KnownRates
from tallystick.providers.invoiceninja.desk import Desk
from tallystick.providers.invoiceninja.invoices import Invoices
from tallystick.providers.invoiceninja.payments import Payments
from tallystick.providers.invoiceninja.products import Products
from tallystick.providers.invoiceninja.pulling import Pulling
from tallystick.providers.invoiceninja.schema import Company, InvoiceNinjaSettings, One
from tallystick.providers.invoiceninja.statics import Statics
from tallystick.providers.invoiceninja.taxes import TaxRates

if TYPE_CHECKING:
    from typing import Any

    import httpx2

_SECONDS = 60
# Whether a product of the key is there, in what currency an invoice's client is billed, what a
# payment is of; and before a change, how it is there.
_LOOKED_AT_FIRST = {
    (Kind.PRODUCT, True),
    (Kind.INVOICE, True),
    (Kind.PAYMENT, True),
    (Kind.CUSTOMER, False),
    (Kind.PRODUCT, False),
}


class InvoiceNinja(
    Provider[InvoiceNinjaSettings],
    PushesCustomers,
    PushesProducts,
    PushesInvoices,
    PushesPayments,
    Archives,
    Compares,
    FetchesInvoices,
    PullsInvoices,
    PullsCustomers,
    PullsProducts,
    PullsTaxRates,
    HostsInvoices,
    SendsWebhooks,
    Subscribes,
    MapsFields,
):
    """`customer_fields` and `product_fields` say what goes where; see `mapping`."""

    type = "INVOICE_NINJA"
    name = "Invoice Ninja"
    category = Category.ACCOUNTING
    settings_class = InvoiceNinjaSettings
    environment = ("INVOICE_NINJA", "api_url")
    leads = frozenset({"api_url", "api_token"})
    reads = mapping.CUSTOMER_DETAILS | mapping.PRODUCT_DETAILS
    # It deletes a webhook that is answered 404, 405 or 410.
    always_welcomes = True
    concurrency = 4
    batch_size = 1
    fetch_size = 1
    key_memory = 0
    customer_fields: ClassVar[mapping.CustomerFields] = mapping.CUSTOMER_FIELDS
    product_fields: ClassVar[mapping.ProductFields] = mapping.PRODUCT_FIELDS
    field_settings: ClassVar[Mapping[Kind, str]] = {
        Kind.CUSTOMER: "client_fields",
        Kind.PRODUCT: "product_fields",
    }

    def __init__(
        self,
        settings: InvoiceNinjaSettings,
        *,
        transport: httpx2.BaseTransport | None = None,
        meter: Meter | None = None,
    ) -> None:
        super().__init__(settings, transport=transport, meter=meter)
        allowed = settings.allowed_calls()
        self.limits = (Limit(MINUTE, calls=allowed, window=_SECONDS),) if allowed else ()
        api = InvoiceNinjaApi(
            self.name,
            settings,
            line=Line(None, transport, self.concurrency, settings.timeout),
            meter=self.meter,
            traffic=Traffic(self.name, is_on=settings.debug, secrets=self._secrets),
            is_limited=allowed is not None,
        )
        statics, taxes = Statics(api), TaxRates(api)
        client_fields = mapping.chosen(self.customer_fields, settings.client_fields)
        product_fields = mapping.chosen(self.product_fields, settings.product_fields)
        self._api = api
        self._clients = Clients(api, settings, statics, client_fields)
        self._products = Products(api, settings, statics, taxes, product_fields)
        self._compared = ComparedProducts(api, settings, statics, KnownRates(api), product_fields)
        self._invoices = Invoices(api, settings, statics, taxes)
        self._payments = Payments(api, settings, self._invoices)
        self._pulling = Pulling(api, statics, self._clients, self._products, settings.client_fields)

    @classmethod
    def reads_with(cls, settings: InvoiceNinjaSettings) -> frozenset[str]:
        chosen = {*settings.client_fields.values(), *settings.product_fields.values()}
        return cls.reads | chosen

    @classmethod
    def otherwise(cls, record: Record, settings: InvoiceNinjaSettings) -> Details:
        if isinstance(record, Customer) and settings.client_fields:
            return mapping.otherwise(cls.customer_fields, settings.client_fields, record)
        if isinstance(record, Product) and settings.product_fields:
            return mapping.otherwise(cls.product_fields, settings.product_fields, record)
        return ()

    @classmethod
    def fields(cls, kind: Kind) -> Sequence[Field]:
        return {Kind.CUSTOMER: fields.CLIENT, Kind.PRODUCT: fields.PRODUCT}.get(kind, ())

    @classmethod
    def said(cls, record: Record, settings: InvoiceNinjaSettings) -> Mapping[str, str]:
        if isinstance(record, Customer):
            client_fields = mapping.chosen(cls.customer_fields, settings.client_fields)
            return fields.of_client(client_fields, record)
        if isinstance(record, Product):
            product_fields = mapping.chosen(cls.product_fields, settings.product_fields)
            return fields.of_product(product_fields, record, sets_cost=settings.set_cost)
        return {}

    def field_labels(self) -> FieldLabels:
        return fields.labels_of(self.custom_fields())

    @classmethod
    def calls_of(cls, kind: Kind, *, is_new: bool) -> int:
        return 2 if (kind, is_new) in _LOOKED_AT_FIRST else 1

    @property
    def max_attempts(self) -> int:
        return self.settings.max_attempts

    def ping(self) -> AccountInfo:
        found = self._api.ask("/companies/current", One[Company]).data
        # The first company has the same id on every server that kept the salt it came with.
        mark = signing.digest(found.company_key)[:16] if found.company_key else self.settings.host
        return AccountInfo(f"{found.id}-{mark}", found.settings.name or found.id)

    def close(self) -> None:
        self._api.close()

    def peek(self, entity: str) -> list[dict[str, object]]:
        """Up to two rows of an entity (`looking.ENTITIES`), as they come; changes nothing."""
        return looking.peek(self._api, entity)

    def custom_fields(self) -> Mapping[str, str]:
        """What the company calls its custom fields: see `labels`."""
        return labels.custom_fields(self._api)

    def compare(self, kind: Kind, batch: Sequence[Push[Any]]) -> list[list[Change]]:
        if kind is not Kind.PRODUCT:
            raise Refused(f"{kind.value} are not compared field by field.")
        return self._compared.compare(batch)

    def push_customers(self, batch: Sequence[Push[Customer]], *, attempt: str) -> list[Outcome]:
        del attempt
        return self._clients.push(batch)

    def find_customers(self, records: Sequence[Customer]) -> list[Remote | None]:
        return self._clients.find(records)

    def push_products(self, batch: Sequence[Push[Product]], *, attempt: str) -> list[Outcome]:
        del attempt
        return self._products.push(batch)

    def find_products(self, records: Sequence[Product]) -> list[Remote | None]:
        return self._products.find(records)

    def push_invoices(self, batch: Sequence[Push[Invoice]], *, attempt: str) -> list[Outcome]:
        del attempt
        return self._invoices.push(batch)

    def find_invoices(self, records: Sequence[Invoice]) -> list[Remote | None]:
        return self._invoices.find(records)

    def push_payments(self, batch: Sequence[Push[Payment]], *, attempt: str) -> list[Outcome]:
        del attempt
        return self._payments.push(batch)

    def find_payments(self, records: Sequence[Payment]) -> list[Remote | None]:
        return self._payments.find(records)

    def archive(self, kind: Kind, batch: Sequence[Gone], *, attempt: str) -> list[Outcome]:
        del attempt
        desks: dict[Kind, Desk[Any]] = {
            Kind.CUSTOMER: self._clients,
            Kind.PRODUCT: self._products,
        }
        if kind not in desks:
            return [Refused(f"Invoice Ninja is not asked to put away {kind.value}.") for _ in batch]
        return desks[kind].archive(batch)

    def fetch_invoices(self, ids: Sequence[str]) -> list[RemoteInvoice]:
        return self._invoices.fetch(ids)

    def pull_invoices(self, *, since: datetime | None, cursor: str = "") -> Page[RemoteInvoice]:
        return self._invoices.changed(since, cursor)

    def pull_customers(self, *, since: datetime | None, cursor: str = "") -> Page[RemoteCustomer]:
        return self._pulling.customers(since, cursor)

    def pull_products(self, *, since: datetime | None, cursor: str = "") -> Page[RemoteProduct]:
        return self._pulling.products(since, cursor)

    def pull_tax_rates(self, *, since: datetime | None, cursor: str = "") -> Page[RemoteTaxRate]:
        return self._pulling.tax_rates(since, cursor)

    def invoice_url(self, remote_id: str) -> str | None:
        try:
            found = self._invoices.one(remote_id).invitations
        except Missing:
            return None
        return next((one.link for one in found if one.link.startswith("https://")), None)

    def verify(self, delivery: Delivery) -> None:
        webhooks.verify(self.settings, delivery)

    def events(self, delivery: Delivery) -> list[Event]:
        return webhooks.events(delivery)

    def subscribe(self, url: str) -> int:
        return webhooks.subscribe(self._api, self.settings, url)

    def _secrets(self) -> list[str]:
        settings = self.settings
        return [
            settings.api_token.get_secret_value(),
            *settings.webhook_secrets(),
            *webhooks.confidential(settings),
        ]
