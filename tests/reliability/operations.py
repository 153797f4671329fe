"""The operations of the matrix, each with a record that some-items trouble spares and one it hits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar

from tallystick.billing.models import Invoice
from tallystick.integrations.links import Link
from tallystick.ports.records import Kind
from tallystick.ports.sandboxing import Outgoing
from tallystick.queue.rows import State
from tests.reliability.site import Site, as_they_are
from tests.reliability.venues import Venue

WRITES = ("PUT", "POST")


class Operation(ABC):
    """`prepare` before the trouble begins, `act` under it, `hit` and `mend` for one bad record."""

    name: ClassVar[str]
    methods: ClassVar[Sequence[str]]
    kinds: ClassVar[Sequence[Kind]]

    @classmethod
    def suits(cls, venue: Venue) -> bool:
        """Whether the provider can do it."""
        del venue
        return True

    @abstractmethod
    def prepare(self, site: Site) -> None: ...

    @abstractmethod
    def act(self, site: Site) -> None: ...

    def hit(self, site: Site) -> None:
        """Make one record such that the provider, or we, cannot take it."""
        site.venue.refuse_some(site.stand, site.company, site.clock.now().date().isoformat())

    def mend(self, site: Site) -> None:
        site.venue.accept_all(site.stand, site.company)
        Link.objects.filter(connection=site.connection, state=State.DEAD).revive()


class Create(Operation):
    name = "create"
    methods = WRITES
    kinds = tuple(Kind)

    def prepare(self, site: Site) -> None:
        pass

    def act(self, site: Site) -> None:
        for name in ("anna", "bernd"):
            site.pay(site.invoice(site.customer(name)), "40.00")
        site.product()
        site.product("Bridge")


class Update(Operation):
    name = "update"
    methods = WRITES
    kinds = (Kind.CUSTOMER, Kind.PRODUCT, Kind.INVOICE)

    def prepare(self, site: Site) -> None:
        self.customers = [site.customer(name) for name in ("anna", "bernd")]
        self.invoices = [site.invoice(customer) for customer in self.customers]
        self.product = site.product()
        site.settle()

    def act(self, site: Site) -> None:
        for customer in self.customers:
            assert customer.user
            customer.user.first_name += " Maria"
            customer.user.save()
        self.product.name, self.product.price = "Crown, gold", Decimal("195.00")
        self.product.save()
        self.invoices[0].refresh_from_db()
        self.invoices[0].void(reason="Ordered twice")


class _FromThere(Operation):
    methods = ("GET",)
    kinds = (Kind.INVOICE,)

    @classmethod
    def suits(cls, venue: Venue) -> bool:
        return Kind.INVOICE in venue.ledgers

    def prepare(self, site: Site) -> None:
        customer = site.customer()
        self.invoices = [site.invoice(customer) for _ in range(3)]
        site.settle()
        site.lose_webhooks()
        site.clock.advance(timedelta(minutes=1))

    def change(self, site: Site) -> None:
        site.venue.paid_there(site.stand, site.company, self.invoices[0].number)
        site.venue.paid_there(site.stand, site.company, self.invoices[1].number, "30.00")

    def hit(self, site: Site) -> None:
        site.venue.edited_there(site.stand, site.company, self.invoices[2].number, "500.00")

    def mend(self, site: Site) -> None:
        site.venue.edited_there(site.stand, site.company, self.invoices[2].number, "100.00")
        site.deliver()

    def taken_over(self, site: Site) -> bool:
        found = Invoice.objects.of(site.website).values_list("status", flat=True).order_by("id")
        return list(found[:2]) == [Invoice.Status.PAID, Invoice.Status.PARTIALLY_PAID]


class Pull(_FromThere):
    name = "pull"

    def act(self, site: Site) -> None:
        self.change(site)
        site.lose_webhooks()
        site.clock.advance(timedelta(minutes=16))


class Webhook(_FromThere):
    name = "webhook"

    def act(self, site: Site) -> None:
        self.change(site)
        assert site.deliver(), "the provider's trouble does not keep its webhooks out"


class Callback(Operation):
    """Callbacks of what was first sent come late, out of order and twice, when newer content is
    due: that then goes out under the trouble."""

    name = "callback"
    methods = WRITES
    kinds = (Kind.CUSTOMER, Kind.PRODUCT)

    @classmethod
    def suits(cls, venue: Venue) -> bool:
        return venue.provider.by_callback

    def prepare(self, site: Site) -> None:
        self.held: list[Outgoing] = []
        site.post = self._hold
        self.customers = [site.customer(name) for name in ("anna", "bernd")]
        self.product = site.product()
        site.serve()
        site.post = as_they_are

    def _hold(self, callbacks: Sequence[Outgoing]) -> Sequence[Outgoing]:
        self.held += callbacks
        return ()

    def act(self, site: Site) -> None:
        for customer in self.customers:
            assert customer.user
            customer.user.first_name += " Maria"
            customer.user.save()
        self.product.price = Decimal("195.00")
        self.product.save()
        assert len(self.held) == len(self.customers) + 1
        site.hear(self.held[::-1])
        site.hear(self.held)


OPERATIONS: tuple[type[Operation], ...] = (Create, Update, Pull, Webhook, Callback)


def operations_of(venue: Venue) -> list[type[Operation]]:
    return [operation for operation in OPERATIONS if operation.suits(venue)]
