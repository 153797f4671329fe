"""What the tests of providers are written on: `Case`, a network that remembers, and the provider's
own description of its API to hold requests and answers against.

A provider joins the shared suite (`tests/test_providers.py`) by being registered and by a `CASE` in
its `tests.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Generic, TypeVar

import httpx2
from pydantic import SecretStr

from tallystick.ports.descriptions import Description
from tallystick.ports.metering import Meter
from tallystick.ports.provider import Provider, Settings
from tallystick.ports.records import (
    PUSH_ORDER,
    Kind,
    Record,
    Ref,
    Remote,
    Tax,
)
from tallystick.ports.roles import Accepted, Delivery, Outcome, Push, pusher
from tallystick.ports.samples import customer, invoice, kind_of, payment, product
from tallystick.ports.sandboxing import Outgoing, Stand, transport

P = TypeVar("P", bound=Provider[Any])


class Recorder(httpx2.BaseTransport):
    """A network that keeps what passed: (request, answer) in order."""

    def __init__(self, inner: httpx2.BaseTransport) -> None:
        self._inner = inner
        self.passed: list[tuple[httpx2.Request, httpx2.Response]] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        response = self._inner.handle_request(request)
        self.passed.append((request, response))
        return response

    def requests(self) -> list[httpx2.Request]:
        return [request for request, _ in self.passed]


class Case(ABC, Generic[P]):
    """One provider in the shared suite: its sandbox, how to connect to it, and what is peculiar to
    it. `currency` and `tax` are those of the sandbox's company."""

    provider: type[P]
    currency: str = "EUR"
    tax: Tax = Tax("standard", Decimal(19))
    kinds: Sequence[Kind] = PUSH_ORDER
    logs_bodies: bool = True
    """Whether its log of traffic has what was said, without secrets and addresses."""

    written_with: str = ""
    """The method that makes things, where a look at the same address comes before it."""

    @abstractmethod
    def stand(self) -> Stand: ...

    @abstractmethod
    def settings(self, stand: Any, **changes: Any) -> Settings:  # noqa: ANN401
        """Settings with which `stand` lets one in."""

    @abstractmethod
    def noun(self, kind: Kind) -> str:
        """What the stand's ledger calls `kind`."""

    @abstractmethod
    def path(self, kind: Kind) -> str:
        """A piece of the path that writes of `kind` have and the token endpoint has not."""

    @abstractmethod
    def natural_key(self, record: Record) -> str:
        """What the stand's ledger knows the record by."""

    @abstractmethod
    def broken(self, record: Record) -> Record:
        """`record` with something that the provider refuses in it, but takes in its JSON."""

    def token_path(self) -> str:
        """A piece of the token endpoint's path; empty when there is none."""
        return ""

    def description(self) -> Description | None:
        """The provider's own description of its API, when it is there."""
        return None

    def fixtures(self) -> Path:
        """The folder of what came over the wire."""
        module = __import__(self.provider.__module__, fromlist=["_"])
        return Path(str(module.__file__)).parent / "fixtures"

    def sign(self, body: bytes, settings: Any) -> Delivery:  # noqa: ANN401
        """`body` as the provider would deliver it; for providers with webhooks."""
        raise NotImplementedError

    def deliveries(self, stand: Any) -> Sequence[Outgoing]:  # noqa: ANN401
        """The webhooks that `stand` has to deliver; for providers with webhooks."""
        raise NotImplementedError

    def before_deliveries(self, stand: Stand) -> None:
        """Order the webhooks, where that is done by call."""

    def received(self, sent: Outgoing) -> Delivery:
        """`sent` as our receiver hands it on."""
        return Delivery(sent.headers, sent.body)

    def forgeries(self, genuine: Delivery) -> list[Delivery]:
        """Deliveries that must not be taken for the provider's."""
        return [
            replace(genuine, body=genuine.body + b" "),
            replace(genuine, body=genuine.body[:-1]),
            replace(genuine, headers={}),
            replace(genuine, headers=dict.fromkeys(genuine.headers, "")),
            replace(genuine, headers=dict.fromkeys(genuine.headers, "é\udc80")),
            replace(genuine, headers=dict.fromkeys(genuine.headers, "x" * 100_000)),
        ]

    # -- what the suite does with it

    def connect(
        self,
        stand: Stand,
        *,
        network: httpx2.BaseTransport | None = None,
        meter: Meter | None = None,
        changes: Mapping[str, object] | None = None,
    ) -> P:
        """A client of `stand`, with `changes` to its settings."""
        settings = self.settings(stand, **(changes or {}))
        return self.provider(settings, transport=network or transport(stand), meter=meter)

    def secrets(self, settings: Settings) -> list[str]:
        held = [getattr(settings, name) for name in type(settings).model_fields]
        return [value.get_secret_value() for value in held if isinstance(value, SecretStr)]

    def records(self, provider: P, kind: Kind, count: int) -> list[Record]:
        """New records of `kind`; what they name is at the provider already."""
        if kind is Kind.CUSTOMER:
            return [customer(number) for number in range(count)]
        if kind is Kind.PRODUCT:
            return [product(n, self.currency, self.tax) for n in range(count)]
        if kind is Kind.INVOICE:
            buyer = self._there(provider, Kind.CUSTOMER)
            sold = self._there(provider, Kind.PRODUCT)
            return [invoice(n, self.currency, self.tax, buyer, sold) for n in range(count)]
        owed = self._there(provider, Kind.INVOICE, count)
        return [payment(n, self.currency, ref) for n, ref in enumerate(owed)]

    def pushed(self, provider: P, records: Sequence[Record], attempt: str) -> list[Outcome]:
        return sent(provider, [Push(record) for record in records], attempt)

    def settled(
        self, stand: Stand, records: Sequence[Record], outcomes: Sequence[Outcome]
    ) -> list[Remote]:
        """What `records` are there, of which all must have gone well. A go-between tells it later:
        its stand is asked what it made of them."""
        if not self.provider.by_callback:
            return remotes_of(outcomes)
        waits = [outcome.seconds for outcome in outcomes if isinstance(outcome, Accepted)]
        assert len(waits) == len(records), outcomes
        assert all(seconds > 0 for seconds in waits)
        return [self.made(stand, record) for record in records]

    def made(self, stand: Any, record: Record) -> Remote:  # noqa: ANN401
        """What `stand` made of `record`; for go-betweens."""
        raise NotImplementedError

    def _there(self, provider: P, kind: Kind, count: int = 1) -> list[Ref]:
        if pusher(provider, kind) is None:
            return []
        records = self.records(provider, kind, count)
        outcomes = self.pushed(provider, records, f"before-{kind.value}")
        return [
            Ref(kind, record.key, remotes_of([outcome])[0].id)
            for record, outcome in zip(records, outcomes, strict=True)
        ]


def sent(provider: Provider[Any], pushes: Sequence[Push[Any]], attempt: str) -> list[Outcome]:
    """All of one kind, in as many calls as the provider needs, each with an identity of its own."""
    if not pushes:
        return []
    verbs = pusher(provider, kind_of(pushes[0].record))
    assert verbs is not None
    outcomes: list[Outcome] = []
    for start in range(0, len(pushes), provider.batch_size):
        batch = pushes[start : start + provider.batch_size]
        outcomes += verbs.push(batch, attempt=f"{attempt}-{start}" if start else attempt)
    return outcomes


def remotes_of(outcomes: Sequence[Outcome]) -> list[Remote]:
    """`outcomes`, which all must have gone well."""
    remotes = [outcome for outcome in outcomes if isinstance(outcome, Remote)]
    assert len(remotes) == len(outcomes), outcomes
    return remotes


HOSTILE_BODIES: Mapping[str, bytes] = {
    "nothing": b"",
    "not JSON": b"<html></html>",
    "a number": b"1",
    "a list": b"[]",
    "null": b"null",
    "not UTF-8": b'{"events": ["\xff\xfe"]}',
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"events":' * 100_000,
    "deep inside": b'{"events":[' + b"[" * 50_000 + b"]" * 50_000 + b"]}",
    "a huge number": b'{"events": ' + b"9" * 5_000 + b"}",
    "a huge number inside": b'{"events": [' + b"9" * 5_000 + b"]}",
    "infinity": b'{"events": [1e999999]}',
    "not a number": b'{"events": [NaN]}',
    "NUL": b'{"events": ["\\u0000\x00"]}',
    "lone surrogate": b'{"events": ["\\ud800"]}',
    "wrong types": b'{"events": {"0": true}}',
    "events of nothing": b'{"events": [{}, null, 7]}',
    "ten megabytes": b'{"events": "' + b"x" * 10_000_000 + b'"}',
}
"""What a receiver may be sent, rightly signed or not."""
