"""Venue: what the suites must know of a provider. A further one joins them by its line in `venue_of`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tallystick.accounts.models import Account
from tallystick.billing.models import Invoice, Product
from tallystick.integrations.connections import Connection
from tallystick.integrations.registry import AnyProvider
from tallystick.ports.records import Kind
from tallystick.ports.sandboxing import Fault, FaultKind, Outgoing, Stand
from tallystick.sandbox.running import StandClient


@dataclass(frozen=True, slots=True)
class Reading:
    """What one request means: `verb` is create, look, change, read or token. `identity`: under which
    it may be repeated without harm; then `content` tells whether a further one is a repeat."""

    verb: str
    kind: Kind | None = None
    keys: Sequence[str] = ()
    identity: str = ""
    content: str = ""


@dataclass(frozen=True, slots=True)
class Company:
    """A company at the sandbox, and how a connection gets to it."""

    name: str
    account: str
    credentials: Mapping[str, str] = field(repr=False)
    custom_data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Face:
    """How one object looks at the provider, in words that both sides have."""

    kind: Kind
    key: str
    says: Mapping[str, str]


class Venue(ABC):
    """One provider's stand, its companies, and its requests in the words of all providers."""

    provider: ClassVar[type[AnyProvider]]
    stand_class: ClassVar[type[Stand]]
    ledgers: ClassVar[Mapping[Kind, str]]
    """What the sandbox's ledger calls the kinds that this provider is told."""
    paths: ClassVar[Mapping[Kind, str]]
    """Part of the path of a kind's calls, as faults match it."""
    api_path: ClassVar[str]
    """Part of the path of every call but those for tokens."""
    tolerates_doubles: ClassVar[frozenset[Kind]]
    """Kinds of which the provider takes a second one with the same key: nothing but us prevents it."""
    besieged: ClassVar[Mapping[Kind, int]]
    """What is pushed while workers are killed, and in which parts."""
    lacks: ClassVar[Mapping[str, str]] = {}
    """Troubles of the matrix that there cannot be, and why."""
    words: ClassVar[Mapping[str, str]] = {}
    """Trouble -> what is read of it here, where that is not what is read of other providers."""
    hosted: ClassVar[Mapping[str, int]] = {}
    """Calls by minute and by day that the provider's own hosting allows; empty: no limits."""
    safeguards: ClassVar[Sequence[tuple[object, str, object]]] = ()
    """What keeps it from making a second one besides the engine's look: (whose, name, what takes its
    place in a negative control)."""

    @abstractmethod
    def company(self, description: Mapping[str, Any], *, url: str = "") -> Company:
        """From what the sandbox says of one; `url` is the stand's root where it is a server."""

    @abstractmethod
    def describe(self, stand: Stand, number: int = 0) -> Mapping[str, Any]:
        """What the stand says of its company of that number."""

    @abstractmethod
    def open_running(self, client: StandClient, *, keys: bool = True) -> Mapping[str, Any]:
        """What a running sandbox says of its first company, which has no limits from now on, and
        takes notice of idempotency keys or not."""

    @abstractmethod
    def read(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Reading:
        """What a request means."""

    @abstractmethod
    def faces(self, stand: Stand, company: Company) -> Iterable[Face]:
        """Everything of ours that the stand holds."""

    def ours(self, connection: Connection) -> Iterable[Face]:
        """What should be there, from our own models."""
        site = connection.website_id
        for account in Account.objects.of(site).select_related("user", "organisation"):
            first = account.user.first_name if account.user else ""
            says = {"first name": first, "e-mail": account.email}
            yield Face(Kind.CUSTOMER, account.customer_key, says)
        for product in Product.objects.of(site):
            yield Face(Kind.PRODUCT, self.product_key(product), self.product_says(product))
        if Kind.INVOICE in self.ledgers:
            yield from _invoices(site)

    def product_key(self, product: Product) -> str:
        """What the ledger counts it by."""
        return product.code

    def product_says(self, product: Product) -> Mapping[str, str]:
        return {"name": product.name, "price": f"{product.price:.2f}"}

    def paid_there(self, stand: Stand, company: Company, number: str, amount: str = "") -> None:
        """Someone records a payment of the invoice at the provider."""
        raise NotImplementedError

    def edited_there(self, stand: Stand, company: Company, number: str, price: str) -> None:
        """Someone changes the invoice's only line at the provider."""
        raise NotImplementedError

    def limit_day(self, stand: Stand, calls: int) -> None:
        """So many calls a day, from now on."""
        raise NotImplementedError

    def refuse_some(self, stand: Stand, company: Company, day: str) -> None:
        """Of the records of `day` the provider does not take some; unless it says which, one whose
        turn is next."""
        del company, day
        path = self.paths[Kind.CUSTOMER]
        for method in ("POST", "PUT"):
            fault = Fault(kind=FaultKind.STATUS, status=422, method=method, path=path, times=1)
            stand.faults.switch_on(fault)

    def accept_all(self, stand: Stand, company: Company) -> None:
        """... and takes them again."""
        del company
        stand.faults.clear()

    def calls_back(self, client: StandClient, url: str) -> None:
        """A running go-between tells the site at `url` what became of deliveries."""
        raise NotImplementedError

    @abstractmethod
    def deliveries(self, stand: Stand, company: Company) -> Sequence[Outgoing]:
        """The webhooks under way to us; they are taken out of the queue."""

    @abstractmethod
    def forget_keys(self, stand: Stand, company: Company) -> None:
        """From now on the provider takes no notice of idempotency keys."""

    @abstractmethod
    def refuse(self, stand: Stand, company: Company) -> None:
        """Our permission is withdrawn."""

    @abstractmethod
    def permit(self, stand: Stand, company: Company) -> None:
        """... and given back."""

    @abstractmethod
    def lift_limits(self, stand: Stand) -> None: ...

    def host(self, stand: Stand, connection: Connection) -> None:  # noqa: B027 - mostly nothing
        """As the provider hosts it, with its limits; nothing to do where they are there anyway."""


def _invoices(website_id: int) -> Iterable[Face]:
    for invoice in Invoice.objects.of(website_id).exclude(status=Invoice.Status.DRAFT):
        is_void = invoice.status == Invoice.Status.VOID
        says = {"void": str(is_void), "total": f"{invoice.amount:.2f}"}
        if not is_void:
            says["paid"] = f"{invoice.amount_paid:.2f}"
        yield Face(Kind.INVOICE, invoice.number, says)


def venues() -> tuple[Venue, ...]:
    from tests.reliability.invoiceninja import InvoiceNinjaVenue
    from tests.reliability.relay import RelayVenue
    from tests.reliability.xero import XeroVenue

    return (XeroVenue(), InvoiceNinjaVenue(), RelayVenue())


def venue_of(provider: type[AnyProvider]) -> Venue:
    """Raises `LookupError` for a provider that nobody has made a venue for."""
    for venue in venues():
        if venue.provider is provider:
            return venue
    raise LookupError(f"{provider.name} has no venue: add one to tests/reliability/venues.py.")
