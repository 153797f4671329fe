"""A stand: the stand-in for one provider, with state."""

from __future__ import annotations

import inspect
import itertools
import threading
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from typing import ClassVar, TypeVar

from tallystick.kit import clock
from tallystick.kit.clock import Clock
from tallystick.ports.sandboxing.faults import Fault, Faults
from tallystick.ports.sandboxing.ledger import Ledger
from tallystick.ports.sandboxing.webhooks import Outgoing, Receipt

_CALLS_KEPT = 1000
_RECEIPTS_KEPT = 200

F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Request:
    """`path` is below the stand's root; header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """One line of the log. `note`: the fault that struck, or empty."""

    number: int
    at: datetime
    method: str
    path: str
    status: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something a person can do to a row of the console: an action and its arguments."""

    label: str
    action: str
    arguments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """Part of the state as the console shows it: the newest rows of `total`. A sheet has a name
    and a value in each row."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    total: int
    deeds: Sequence[Sequence[Deed]] = ()
    is_sheet: bool = False


class BadAction(Exception):
    """No such action, or not with these arguments."""


def action(method: F) -> F:
    """Mark a method of a stand as something tests and people may order by name."""
    method.is_action = True  # type: ignore[attr-defined] # a mark on the function
    return method


class Stand(ABC):
    """The stand-in for one provider. Thread-safe: one call changes state at a time.

    A driver calls `arrive`, lets latency pass, calls `respond` and at last `leave`; `handle` is
    all of it with no time in between. `public_url` is where the outside reaches the stand's root.
    """

    name: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, clock: Clock | None = None, *, public_url: str = "") -> None:
        self._clock = clock
        self.public_url = public_url
        self.lock = threading.RLock()
        self.faults = Faults()
        self.ledger = Ledger()
        self.calls: deque[Call] = deque(maxlen=_CALLS_KEPT)
        self.counts: Counter[str] = Counter()
        self.receipts: deque[Receipt] = deque(maxlen=_RECEIPTS_KEPT)
        self._call_numbers = itertools.count(1)

    @property
    def clock(self) -> Clock:
        return self._clock or clock.current()

    def now(self) -> datetime:
        return self.clock.now()

    # -- calls in

    def arrive(self, request: Request) -> Answer | None:
        """A request is here: None to let it in, or the answer that turns it away (a limit)."""
        del request
        return None

    def leave(self, request: Request) -> None:
        """A request that was let in has had its answer (or its client went away)."""
        del request

    @abstractmethod
    def respond(self, request: Request) -> Answer:
        """Carry the request out."""

    def handle(self, request: Request) -> Answer:
        refusal = self.arrive(request)
        if refusal:
            return self.noted(request, refusal)
        try:
            return self.noted(request, self.respond(request))
        finally:
            self.leave(request)

    def noted(self, request: Request, answer: Answer, note: str = "") -> Answer:
        """`answer`, after writing the call into the log. Status 0 means that none was given."""
        with self.lock:
            number = next(self._call_numbers)
            self.calls.append(
                Call(number, self.now(), request.method, request.path, answer.status, note)
            )
            self.counts[str(answer.status)] += 1
        return answer

    def too_many(self, fault: Fault) -> Answer:
        """429 in the provider's own shape."""
        return Answer(HTTPStatus.TOO_MANY_REQUESTS, self.retry_after(fault))

    def retry_after(self, fault: Fault) -> dict[str, str]:
        """The header as the fault wants it; none when it says so."""
        if fault.retry_after is None:
            return {}
        if fault.retry_after_form == "date":
            at = self.now().astimezone(UTC) + timedelta(seconds=fault.retry_after)
            return {"retry-after": format_datetime(at, usegmt=True)}
        return {"retry-after": f"{fault.retry_after:.0f}"}

    def expire_tokens(self) -> None:  # noqa: B027 - not every provider has tokens that end
        """All access tokens end now. Nothing to do for a provider without them."""

    # -- webhooks out

    def outgoing(self) -> list[Outgoing]:
        """The deliveries that are due; each is handed out once and then reported."""
        return []

    def reported(self, receipt: Receipt) -> None:
        """What became of a delivery."""
        self.receipts.append(receipt)

    # -- people and tests

    @abstractmethod
    def state(self) -> list[Table]:
        """What it holds, for the console."""

    def reset(self) -> None:
        """As new: no state, no faults, no log."""
        with self.lock:
            self.faults.clear()
            self.ledger.clear()
            self.calls.clear()
            self.counts.clear()
            self.receipts.clear()
            self._call_numbers = itertools.count(1)

    @classmethod
    def actions(cls) -> list[str]:
        return [name for name in dir(cls) if getattr(getattr(cls, name), "is_action", False)]

    def act(self, name: str, arguments: Mapping[str, object]) -> object:
        """Do what `@action` marked; the result can be written as JSON. Raises `BadAction`."""
        if name not in self.actions():
            raise BadAction(f"There is no action {name!r}; there are {', '.join(self.actions())}.")
        method = getattr(self, name)
        try:
            inspect.signature(method).bind(**arguments)
        except TypeError as error:
            raise BadAction(f"{name}: {error}.") from None
        with self.lock:
            return method(**arguments)
