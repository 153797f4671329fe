from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tallystick.accounts.models import Account, Website
from tallystick.billing.lines import LineDraft
from tallystick.billing.models import Invoice, Product, TaxRate
from tallystick.integrations import clients
from tallystick.integrations.connections import Connection
from tallystick.integrations.links import Link
from tallystick.integrations.turns import Turn
from tallystick.integrations.work import serve
from tallystick.kit import clock
from tallystick.kit.clock import VirtualClock
from tallystick.people.models import User
from tallystick.ports.records import Kind
from tallystick.ports.sandboxing import transport
from tallystick.providers.xero.sandbox import XeroStand
from tallystick.queue.leases import owner_name

if TYPE_CHECKING:
    from tallystick.integrations.tests.ninja import NinjaSite

ORGANISATION = "Demo Company (Global)"
"""The sandbox's company that keeps its books in euros."""


@pytest.fixture
def now() -> Iterator[VirtualClock]:
    with clock.use(VirtualClock()) as virtual:
        yield virtual


@pytest.fixture
def xero(now: VirtualClock) -> Iterator[XeroStand]:
    stand = XeroStand(now)
    with clients.using(lambda connection: transport(stand)):
        yield stand


@dataclass
class Site:
    """A website connected to the sandbox, and what a test does with it."""

    website: Website
    connection: Connection
    stand: XeroStand

    def customer(self, name: str = "anna") -> Account:
        user = User.objects.create_user(
            name, f"{name}@example.org", first_name=name.title(), last_name="Becker"
        )
        return Account.objects.of(self.website).get(user=user)

    def product(self, name: str = "Crown", price: str = "190.00") -> Product:
        return Product.objects.create(
            website=self.website, name=name, price=Decimal(price), currency="EUR"
        )

    def invoice(
        self, account: Account | None = None, price: str = "100.00", percent: int = 19
    ) -> Invoice:
        rate, _ = TaxRate.objects.of(self.website).get_or_create(
            website=self.website, code=f"vat-{percent}",
            defaults={"name": "VAT", "percent": Decimal(percent)},
        )  # fmt: skip
        line = LineDraft(description="Crown", unit_price=Decimal(price), tax_rate=rate)
        invoice = Invoice.objects.draft(account=account or self.customer(), lines=[line])
        invoice.issue()
        return invoice

    def serve(self, *, kind: type[Turn] = Turn, **options: Any) -> Turn:
        """One turn of the connection."""
        connection = Connection.objects.everywhere().get(pk=self.connection.pk)
        turn = kind(connection, owner_name(), **options)
        assert serve(turn)
        self.connection.refresh_from_db()
        return turn

    def links(self, kind: Kind) -> list[Link]:
        return list(Link.objects.filter(connection=self.connection, kind=kind.value))

    def link(self, kind: Kind) -> Link:
        (link,) = self.links(kind)
        return link

    def made(self, kind: str) -> dict[str, int]:
        """The sandbox's own count of what it was asked to make."""
        return self.stand.ledger.counts(kind)


@pytest.fixture
def site(db: None, xero: XeroStand) -> Site:
    website = Website.objects.create(
        name="Lindenhof", domain="lindenhof.example", currency="EUR", country="DE",
        time_zone="Europe/Berlin", language="en", is_default=True, allow_part_payments=True,
    )  # fmt: skip
    return Site(website, connect(website, xero), xero)


def connect(website: Website, stand: XeroStand) -> Connection:
    app: Any = stand.describe(stand.app(ORGANISATION))
    return Connection.objects.create(
        website=website,
        type="XERO",
        name="Xero",
        account=app["tenant_id"],
        credentials={
            "client_secret": app["client_secret"],
            "webhook_key": app["webhook_key"],
        },
        custom_data={
            "client_id": app["client_id"],
            "tenant_id": app["tenant_id"],
            "account_code": "200",
            "payment_account_code": "090",
            "currency_code": "EUR",
        },
    )


@pytest.fixture
def ninja(db: None, now: VirtualClock) -> Iterator[NinjaSite]:
    """A website connected to the sandbox of Invoice Ninja."""
    from tallystick.integrations.tests.ninja import connected

    with connected(now) as site:
        yield site
