"""What a provider can do: it names its roles on its class line and leaves out what it cannot do.

The engine asks `isinstance(provider, PushesInvoices)`; the table of features in the docs is made
from the same lines. Every method may raise any error of `ports.errors`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from tallystick.ports.errors import ProviderError
from tallystick.ports.records import (
    Customer,
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
    Scalar,
)

R = TypeVar("R", bound=Record)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Push(Generic[R]):
    """One record to send: an update of `remote`, or a create when there is none."""

    record: R
    remote: Remote | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """What is no longer here, and was told before: our key, and what it is there."""

    key: str
    remote: Remote


@dataclass(frozen=True, slots=True)
class Accepted:
    """Taken over by a go-between, whose callback tells later what became of it. When none has come
    within `seconds`, the record is sent again under the same attempt."""

    seconds: float


Outcome = Remote | Accepted | ProviderError
"""What became of one record of a batch: what it is now, that it is awaited, or why not."""


class PushesCustomers(ABC):
    @abstractmethod
    def push_customers(self, batch: Sequence[Push[Customer]], *, attempt: str) -> list[Outcome]:
        """Send the batch in one call: all creates or all updates, at most `batch_size` of them.

        Answers one outcome per record, in order. `attempt` (at most 120 characters) is the
        identity of this call: the same batch sent again under the same one has no second effect as
        long as the provider remembers it (`key_memory` seconds). Raises when the call as a whole
        had no per-record answer.
        """

    @abstractmethod
    def find_customers(self, records: Sequence[Customer]) -> list[Remote | None]:
        """Look up by our own keys whether an earlier create went through. In order."""


class PushesProducts(ABC):
    @abstractmethod
    def push_products(self, batch: Sequence[Push[Product]], *, attempt: str) -> list[Outcome]:
        """As `PushesCustomers.push_customers`."""

    @abstractmethod
    def find_products(self, records: Sequence[Product]) -> list[Remote | None]:
        """As `PushesCustomers.find_customers`."""


class PushesInvoices(ABC):
    @abstractmethod
    def push_invoices(self, batch: Sequence[Push[Invoice]], *, attempt: str) -> list[Outcome]:
        """As `PushesCustomers.push_customers`. A record with `is_void` voids its remote."""

    @abstractmethod
    def find_invoices(self, records: Sequence[Invoice]) -> list[Remote | None]:
        """As `PushesCustomers.find_customers`."""


class PushesPayments(ABC):
    @abstractmethod
    def push_payments(self, batch: Sequence[Push[Payment]], *, attempt: str) -> list[Outcome]:
        """As `PushesCustomers.push_customers`, creates only: a payment never changes."""

    @abstractmethod
    def find_payments(self, records: Sequence[Payment]) -> list[Remote | None]:
        """As `PushesCustomers.find_customers`."""


class Archives(ABC):
    @abstractmethod
    def archive(self, kind: Kind, batch: Sequence[Gone], *, attempt: str) -> list[Outcome]:
        """Put away what is gone here, in one call, at most `batch_size` of them. One outcome per
        element, in order: the remote, or why not. What is gone there too is well put away."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a push would make of one field. `there` is None where nothing is, or is not known."""

    field: str
    there: Scalar | float
    here: Scalar | float


class Compares(ABC):
    @abstractmethod
    def compare(self, kind: Kind, batch: Sequence[Push[Any]]) -> list[list[Change]]:
        """The fields that a push of each would change, in order, by reading alone; none where it
        would change nothing. `Refused` for what a push would refuse."""


class FetchesInvoices(ABC):
    @abstractmethod
    def fetch_invoices(self, ids: Sequence[str]) -> list[RemoteInvoice]:
        """The invoices with these ids, whole, in one call, at most `fetch_size` of them.
        Unknown ids are left out; the order is the provider's."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of changes. `next` is what to ask with for the page after it; empty at the end."""

    items: tuple[T, ...]
    next: str = ""


class PullsInvoices(ABC):
    @abstractmethod
    def pull_invoices(self, *, since: datetime | None, cursor: str = "") -> Page[RemoteInvoice]:
        """Sales invoices changed at or after `since`, oldest change first, from `cursor` on."""


class PullsCustomers(ABC):
    @abstractmethod
    def pull_customers(self, *, since: datetime | None, cursor: str = "") -> Page[RemoteCustomer]:
        """Customers changed at or after `since`, oldest change first, from `cursor` on; archived
        and deleted ones too."""


class PullsProducts(ABC):
    @abstractmethod
    def pull_products(self, *, since: datetime | None, cursor: str = "") -> Page[RemoteProduct]:
        """As `PullsCustomers.pull_customers`."""


class PullsTaxRates(ABC):
    @abstractmethod
    def pull_tax_rates(self, *, since: datetime | None, cursor: str = "") -> Page[RemoteTaxRate]:
        """As `PullsCustomers.pull_customers`."""


class HostsInvoices(ABC):
    @abstractmethod
    def invoice_url(self, remote_id: str) -> str | None:
        """The provider's own page of an approved invoice, for the customer."""


class EmailsInvoices(ABC):
    @abstractmethod
    def email_invoice(self, remote_id: str) -> None:
        """Have the provider e-mail an approved invoice to its customer. Not to be repeated after
        `Uncertain`: that may send it twice."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook request as received. Header names are lower case; `body` is the bytes sent; `tail`
    is what the address has behind the connection's number, without slashes at its ends."""

    headers: Mapping[str, str]
    body: bytes
    tail: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing a webhook says has changed. `id` is the same for every repeat of it; `account` is
    the provider's name for the connected company; `kind` is None for what we do not follow."""

    id: str
    account: str
    kind: Kind | None
    remote_id: str
    change: str
    at: datetime


class SendsWebhooks(ABC):
    @abstractmethod
    def verify(self, delivery: Delivery) -> None:
        """Raise `Forged` unless the provider signed exactly these bytes. No network."""

    @abstractmethod
    def events(self, delivery: Delivery) -> list[Event]:
        """What a verified delivery says; raises `Garbled` when it is not in the documented form."""


class Subscribes(ABC):
    """For providers whose webhooks are ordered by API call rather than on a page of theirs."""

    @abstractmethod
    def subscribe(self, url: str) -> int:
        """Order the webhooks that are missing for the receiver at `url` (the connection's own
        address, without a trailing slash), and cancel those of ours that lead elsewhere below it.
        Answers how many were missing."""


@dataclass(frozen=True, slots=True)
class Pusher(Generic[R]):
    """The two verbs of pushing one kind."""

    push: Callable[..., list[Outcome]]
    find: Callable[[Sequence[R]], list[Remote | None]]


def pusher_role(provider: type, kind: Kind) -> bool:
    """Whether this class of provider pushes `kind`."""
    return kind in _PUSHES and issubclass(provider, _PUSHES[kind][0])


def pusher(provider: object, kind: Kind) -> Pusher[Record] | None:
    """How `provider` pushes `kind`; None when it does not."""
    role, push, find = _PUSHES.get(kind, (None, "", ""))
    if role is None or not isinstance(provider, role):
        return None
    return Pusher(getattr(provider, push), getattr(provider, find))


_PUSHES: dict[Kind, tuple[type, str, str]] = {
    Kind.CUSTOMER: (PushesCustomers, "push_customers", "find_customers"),
    Kind.PRODUCT: (PushesProducts, "push_products", "find_products"),
    Kind.INVOICE: (PushesInvoices, "push_invoices", "find_invoices"),
    Kind.PAYMENT: (PushesPayments, "push_payments", "find_payments"),
}


def puller(provider: object, kind: Kind) -> Callable[..., Page[Any]] | None:
    """How `provider` is asked for the changes of `kind`; None when it is not."""
    role, pull = _PULLS.get(kind, (None, ""))
    if role is None or not isinstance(provider, role):
        return None
    verb: Callable[..., Page[Any]] = getattr(provider, pull)
    return verb


def pulled_kinds(provider: type) -> tuple[Kind, ...]:
    """What this class of provider is asked for the changes of."""
    return tuple(kind for kind, (role, _) in _PULLS.items() if issubclass(provider, role))


_PULLS: dict[Kind, tuple[type, str]] = {
    Kind.CUSTOMER: (PullsCustomers, "pull_customers"),
    Kind.PRODUCT: (PullsProducts, "pull_products"),
    Kind.TAX_RATE: (PullsTaxRates, "pull_tax_rates"),
    Kind.INVOICE: (PullsInvoices, "pull_invoices"),
}
