"""Venue: what the suites must know of a provider. A further one joins them by its line in `venue_of`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tallystick.integrations.connections import Connection
from tallystick.integrations.registry import AnyProvider
from tallystick.ports.records import Kind
from tallystick.ports.sandboxing import Outgoing, Stand
from tallystick.sandbox.running import StandClient


@dataclass(frozen=True, slots=True)
class Reading:
    """What one request means: `verb` is create, look, change, read or token."""

    verb: str
    kind: Kind | None = None
    keys: Sequence[str] = ()


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

    @abstractmethod
    def ours(self, connection: Connection) -> Iterable[Face]:
        """What should be there, from our own models."""

    @abstractmethod
    def paid_there(self, stand: Stand, company: Company, number: str, amount: str = "") -> None:
        """Someone records a payment of the invoice at the provider."""

    @abstractmethod
    def edited_there(self, stand: Stand, company: Company, number: str, price: str) -> None:
        """Someone changes the invoice's only line at the provider."""

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

    @abstractmethod
    def limit_day(self, stand: Stand, calls: int) -> None:
        """So many calls a day, from now on."""

    @abstractmethod
    def close_books(self, stand: Stand, company: Company, day: str) -> None:
        """Invoices dated up to `day` are refused, one by one; an empty day lifts it."""


def venues() -> tuple[Venue, ...]:
    from tests.reliability.xero import XeroVenue

    return (XeroVenue(),)


def venue_of(provider: type[AnyProvider]) -> Venue:
    """Raises `LookupError` for a provider that nobody has made a venue for."""
    for venue in venues():
        if venue.provider is provider:
            return venue
    raise LookupError(f"{provider.name} has no venue: add one to tests/reliability/venues.py.")
