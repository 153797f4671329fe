"""A website connected to the sandbox of Invoice Ninja, for tests of what is there already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from tallystick.accounts.models import Website
from tallystick.integrations import clients
from tallystick.integrations.connections import Connection
from tallystick.integrations.deciding import Decider, pages
from tallystick.integrations.remote_records import RemoteRecord
from tallystick.integrations.tests.conftest import Site
from tallystick.kit.clock import VirtualClock
from tallystick.ports.records import Kind
from tallystick.ports.sandboxing import transport
from tallystick.ports.testing import Recorder
from tallystick.providers.invoiceninja.sandbox import InvoiceNinjaStand

SECRET = "a webhook secret"


class NinjaSite(Site):
    stand: Any
    network: Recorder

    def row(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The one there with these fields."""
        rows = [row for row in self.stand.company.shelves[kind] if fields.items() <= row.items()]
        assert len(rows) == 1, rows
        found: dict[str, Any] = rows[0]
        return found

    def count(self, kind: str) -> int:
        return len(self.stand.company.shelves[kind])

    def record(self, **fields: Any) -> RemoteRecord:
        return RemoteRecord.objects.get(connection=self.connection, **fields)

    def matches(self, kind: Kind = Kind.CUSTOMER) -> dict[str, str]:
        rows = RemoteRecord.objects.filter(connection=self.connection, kind=kind.value)
        return dict(rows.values_list("name", "match"))

    def accept_all(self, decider: Decider | None = None) -> int:
        rows = RemoteRecord.objects.filter(connection=self.connection)
        return sum((decider or Decider()).accept(page) for _, page in pages(rows))

    def catch_up(self, clock: VirtualClock) -> None:
        """The next catch-up is due."""
        clock.advance(timedelta(seconds=901))
        self.serve()


def ninja_site(stand: Any) -> NinjaSite:  # noqa: ANN401 - the sandbox; its class is that of another in `Site`
    website = Website.objects.create(
        name="Lindenhof", domain="lindenhof.example", currency="EUR", country="DE",
        time_zone="Europe/Berlin", language="en", is_default=True,
    )  # fmt: skip
    connection = Connection.objects.create(
        website=website,
        type="INVOICE_NINJA",
        name="Ninja",
        credentials={"api_token": stand.token, "webhook_secret": SECRET},
        custom_data={"api_url": "https://invoices.example.com", "request_delay": 0},
    )
    return NinjaSite(website, connection, stand)


@contextmanager
def connected(now: VirtualClock) -> Iterator[NinjaSite]:
    """The website, while the sandbox is in place of the network."""
    stand = InvoiceNinjaStand(now)
    network = Recorder(transport(stand))
    with clients.using(lambda connection: network):
        site = ninja_site(stand)
        site.network = network
        yield site
