"""The base of every provider: who it is, how its settings look, what it allows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from tallystick.ports.metering import Limit, Meter
from tallystick.ports.records import Details, Kind, Record

if TYPE_CHECKING:
    import httpx2


class Category(StrEnum):
    ACCOUNTING = "accounting"
    PAYMENTS = "payments"
    MARKETING = "marketing"


class Settings(BaseModel):
    """The settings of one connection; a field that is a secret is a `SecretStr`."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", defer_build=True, hide_input_in_errors=True
    )


S = TypeVar("S", bound=Settings)
SettingsClass = type[Settings]


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """What a connection test shows: the company behind the credentials."""

    id: str
    name: str
    currency: str = ""
    country: str = ""
    is_demo: bool = False


class Provider(ABC, Generic[S]):
    """A client of one provider with the credentials of one connection. Safe to share by threads.

    `transport` replaces the network (tests, simulations); `meter` counts calls and keeps what the
    answers say of limits.
    """

    type: ClassVar[str]
    name: ClassVar[str]
    category: ClassVar[Category]
    settings_class: ClassVar[SettingsClass]
    limits: tuple[Limit, ...] = ()
    concurrency: ClassVar[int] = 4
    """Calls at once, per connection."""
    batch_size: ClassVar[int] = 1
    """Records a push call takes."""
    fetch_size: ClassVar[int] = 1
    """Ids a fetch call takes."""
    key_memory: ClassVar[float] = 0
    """Seconds for which the provider remembers an attempt's identity; 0: it does not."""
    reads: ClassVar[frozenset[str]] = frozenset()
    """The details of records that it has a place for."""
    by_callback: ClassVar[bool] = False
    """A go-between: it accepts a record, and tells by a call of its own what became of it. An
    attempt keeps its identity until then. `batch_size` is 1."""
    always_welcomes: ClassVar[bool] = False
    """It cancels a webhook that is answered 404, 405 or 410: its receiver never says so."""
    leads: ClassVar[frozenset[str]] = frozenset()
    """The settings that choose the company it speaks to, where `account` does not say which that is.
    When they change it is asked (`ping`); of a go-between, which cannot be asked, a person."""
    environment: ClassVar[tuple[str, str]] = ("", "client_id")
    """How the environment names its settings: the prefix of the variables (empty: the type), and the
    setting that switches the connection on."""

    def __init__(
        self,
        settings: S,
        *,
        transport: httpx2.BaseTransport | None = None,
        meter: Meter | None = None,
    ) -> None:
        self.settings = settings
        self.transport = transport
        self.meter = meter or Meter()

    @abstractmethod
    def ping(self) -> AccountInfo:
        """Ask for the company itself: proves address, credentials and permission."""

    @property
    def max_attempts(self) -> int:
        """Tries of one record after which it waits for a person."""
        return 10

    @classmethod
    def reads_with(cls, settings: S) -> frozenset[str]:
        """`reads`, and what these settings have a place for besides."""
        del settings
        return cls.reads

    @classmethod
    def calls_of(cls, kind: Kind, *, is_new: bool) -> int:
        """Calls that pushing one batch takes as a rule, with a look that goes before; `is_new`: of
        creates. So many are drawn from the limits for it; those not made are given back."""
        del kind, is_new
        return 1

    @classmethod
    def otherwise(cls, record: Record, settings: S) -> Details:
        """What these settings make of `record` otherwise than usual: it counts as what it says."""
        del record, settings
        return ()

    @classmethod
    def declines(cls, record: Record) -> str:
        """Why `record` is not for this provider, in a sentence; empty when it is."""
        del record
        return ""

    def account(self) -> str:
        """The provider's name for the connected company, as its webhooks give it; else empty."""
        return ""

    def close(self) -> None:
        """Let go of connections."""
