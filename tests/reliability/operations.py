"""The four operations of the matrix, each with a record that some-items trouble spares and one it hits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from tallystick.billing.models import Invoice
from tallystick.integrations.links import Link
from tallystick.ports.records import Kind
from tallystick.queue.rows import State
from tests.reliability.site import Site

WRITES = ("PUT", "POST")


class Operation(ABC):
    """`prepare` before the trouble begins, `act` under it, `hit` and `mend` for one bad record."""

    name: ClassVar[str]
    methods: ClassVar[Sequence[str]]
    kinds: ClassVar[Sequence[Kind]]

    @abstractmethod
    def prepare(self, site: Site) -> None: ...

    @abstractmethod
    def act(self, site: Site) -> None: ...

    def hit(self, site: Site) -> None:
        """Make one record such that the provider, or we, cannot take it."""
        site.venue.close_books(site.stand, site.company, site.clock.now().date().isoformat())

    def mend(self, site: Site) -> None:
        site.venue.close_books(site.stand, site.company, "")
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
        self.product.name = "Crown, gold"
        self.product.save()
        self.invoices[0].refresh_from_db()
        self.invoices[0].void(reason="Ordered twice")


class _FromThere(Operation):
    methods = ("GET",)
    kinds = (Kind.INVOICE,)

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


OPERATIONS: tuple[type[Operation], ...] = (Create, Update, Pull, Webhook)
