"""Desk: how records of one kind are written into one of Xero's lists, and found there again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar

from tallystick.ports.errors import Garbled, Missing, ProviderError, Refused, Unauthorized
from tallystick.ports.records import Record, Remote
from tallystick.ports.roles import Outcome, Push
from tallystick.ports.traffic import said
from tallystick.providers.xero.api import XeroApi
from tallystick.providers.xero.schema import Element, Listing
from tallystick.providers.xero.wording import address_sized, quoted

R = TypeVar("R", bound=Record)
Payload = dict[str, Any]

NIL = "00000000-0000-0000-0000-000000000000"
WEB = "https://go.xero.com"
# A key comes with some thirty characters of its own in a `where`.
_ASKED_AT_ONCE = 20
# Every element gets its own result. Said outright, as what Xero does when it is left out differs
# from what it documents.
EACH_BY_ITSELF = {"summarizeErrors": "false"}
FOUR_PLACES = {"unitdp": "4"}


@dataclass(frozen=True, slots=True)
class Letter(Generic[R]):
    """A push with the element that is sent for it."""

    push: Push[R]
    payload: Payload


class Desk(ABC, Generic[R]):
    """A batch is one call: PUT for what is new, POST for changes. What is refused gets a second
    look: it may be there already, from an attempt whose answer was lost."""

    noun: ClassVar[str]
    """The list's name, in addresses and bodies."""
    listing: ClassVar[type[Listing]]
    create_with: ClassVar[str] = "PUT"
    write_with: ClassVar[dict[str, str]] = EACH_BY_ITSELF
    key_field: ClassVar[str]
    find_with: ClassVar[dict[str, str]] = {}
    page: ClassVar[str] = ""
    """Where a person finds one on Xero's site; its id goes at the end."""

    def __init__(self, api: XeroApi) -> None:
        self._api = api

    @abstractmethod
    def key(self, record: R) -> str:
        """What the element is known by at Xero."""

    @abstractmethod
    def payload(self, push: Push[R]) -> Payload:
        """The element to send. Raises `Refused` for what Xero cannot hold."""

    def find(self, records: Sequence[R]) -> list[Remote | None]:
        keys = [self.key(record) for record in records]
        found: dict[str, Remote] = {}
        for group in address_sized(keys, most=_ASKED_AT_ONCE):
            for element in self._asked(group):
                found.setdefault(element.key.lower(), self.remote(element))
        return [found.get(key.lower()) for key in keys]

    def push(self, batch: Sequence[Push[R]], attempt: str) -> list[Outcome]:
        try:
            outcomes = self._sent(batch, attempt)
        except (Unauthorized, Missing):
            raise
        except Refused as why:
            if len(batch) > 1:
                return self._apart(batch, attempt)
            outcomes = [why]
        doubtful = [i for i, outcome in enumerate(outcomes) if isinstance(outcome, Refused)]
        again = self.reconsidered(
            [batch[i] for i in doubtful], [outcomes[i] for i in doubtful], attempt
        )
        for i, outcome in zip(doubtful, again, strict=True):
            outcomes[i] = outcome
        return outcomes

    def reconsidered(
        self, pushes: Sequence[Push[R]], refusals: Sequence[Outcome], attempt: str
    ) -> list[Outcome]:
        """What becomes of those that were refused, after a second look."""
        del attempt
        return settled(
            lambda: [there or why for there, why in zip(self.ours(pushes), refusals, strict=True)],
            len(pushes),
        )

    def ours(self, pushes: Sequence[Push[R]]) -> list[Remote | None]:
        """What should have been new and is there already, in order."""
        new = [push.record for push in pushes if push.remote is None]
        found = iter(self.find(new) if new else ())
        return [next(found) if push.remote is None else None for push in pushes]

    def write(self, method: str, letters: Sequence[Letter[R]], key: str) -> list[Outcome]:
        """One call; an outcome for each. `key` makes a repeat of the very same call harmless."""
        if not letters:
            return []
        listing = self._api.send(
            method,
            f"/{self.noun}",
            self.listing,
            json={self.noun: [letter.payload for letter in letters]},
            params=self.write_with,
            headers={"Idempotency-Key": key},
        )
        if len(listing.elements) != len(letters):
            raise Garbled("Xero's answer has not one element for each that was sent.")
        return [
            self._outcome(letter.push, element)
            for letter, element in zip(letters, listing.elements, strict=True)
        ]

    def remote(self, element: Element) -> Remote:
        version = element.updated_at.isoformat() if element.updated_at else ""
        return Remote(element.id, version, WEB + self.page + element.id if self.page else "")

    def _sent(self, batch: Sequence[Push[R]], attempt: str) -> list[Outcome]:
        letters = [self._letter(push) for push in batch]
        sendable = [letter for letter in letters if isinstance(letter, Letter)]
        method = "POST" if sendable and sendable[0].push.remote else self.create_with
        outcomes = iter(self.write(method, sendable, attempt))
        return [next(outcomes) if isinstance(letter, Letter) else letter for letter in letters]

    def _letter(self, push: Push[R]) -> Letter[R] | Refused:
        try:
            return Letter(push, self.payload(push))
        except Refused as why:
            return why

    def _apart(self, batch: Sequence[Push[R]], attempt: str) -> list[Outcome]:
        """The call as a whole was refused, perhaps for one element. What is not there goes again,
        in halves: seven calls find the one among fifty."""
        found = settled(lambda: list(self.ours(batch)), len(batch))
        left = [i for i, there in enumerate(found) if there is None]
        outcomes: dict[int, Outcome] = {i: there for i, there in enumerate(found) if there}
        middle = (len(left) + 1) // 2
        for mark, half in (("0", left[:middle]), ("1", left[middle:])):
            part, key = [batch[i] for i in half], attempt + mark
            results = settled(partial(self.push, part, key), len(part))
            outcomes.update(zip(half, results, strict=True))
        return [outcomes[i] for i in range(len(batch))]

    def _asked(self, keys: Iterable[str]) -> Sequence[Element]:
        where = " OR ".join(f"{self.key_field}=={quoted(key)}" for key in keys)
        params = {"where": where, **self.find_with}
        return self._api.get(f"/{self.noun}", self.listing, params=params).elements

    def _outcome(self, push: Push[R], element: Element) -> Outcome:
        if element.complaints or element.has_errors or element.status == "ERROR":
            words = " ".join(dict.fromkeys(c.message for c in element.complaints))
            return Refused(said(words) or "Xero refused this and gives no reason.")
        if push.remote:
            is_meant = element.id.lower() == push.remote.id.lower()
        else:
            is_meant = element.key.lower() in {"", self.key(push.record).lower()}
        if element.id == NIL:
            return Refused("Xero made nothing of this and gives no reason.")
        if not is_meant or not element.id:
            raise Garbled("Xero's answer is not about what was sent.")
        return self.remote(element)


def settled(act: Callable[[], list[Any]], count: int) -> list[Any]:
    """What `act` answers, or its error for each of `count`: when part of a batch is through, the
    rest must not speak for it."""
    try:
        return act() if count else []
    except ProviderError as error:
        return [error] * count
