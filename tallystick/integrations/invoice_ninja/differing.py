"""What sending chosen products would change, found out by reading alone: nothing is written here,
and nothing there."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import count

from tallystick.integrations.clients import client_of
from tallystick.integrations.invoice_ninja.catalogue import Choice, Entry
from tallystick.integrations.links import Link
from tallystick.integrations.outgoing import Item, prepare
from tallystick.integrations.results import Result
from tallystick.kit import clock
from tallystick.ports.errors import ProviderError, Refused, Unauthorized
from tallystick.ports.records import Kind
from tallystick.ports.roles import Change, Compares, Push
from tallystick.queue.rows import State

_WORDS = {State.DONE: "unchanged", State.DEAD: "failed"}


@dataclass(frozen=True, slots=True)
class Difference:
    """`verb`: create, update, unchanged, failed or waiting. `changes` is None where the fields were
    not compared; `reason` says why not, or what is wrong with the product."""

    product_id: str
    key: str
    remote_id: str
    verb: str
    changes: list[Change] | None = None
    reason: str = ""

    def row(self) -> dict[str, object]:
        changes = None if self.changes is None else [asdict(change) for change in self.changes]
        return {
            "id": self.product_id,
            "key": self.key,
            "remote_id": self.remote_id or None,
            "would": self.verb,
            "reason": self.reason,
            "changes": changes,
        }

    def lines(self, *, is_known: bool) -> Iterator[str]:
        """For people. `is_known`: whether what is there can be read, so that nothing is nothing."""
        verb = self.verb if self.verb in _WORDS.values() else f"would {self.verb}"
        there = f" as {self.remote_id}" if self.remote_id else ""
        reason = f": {self.reason}" if self.reason else ""
        yield f"{verb} product {self.product_id} ({self.key}){there}{reason}"
        for change in self.changes or ():
            before = "(nothing)" if change.there is None else change.there
            yield f"    {change.field}: {f'{before} -> ' if is_known else ''}{change.here}"
        if self.changes == []:
            yield "    no field differs"


class Differences:
    """Of the products of `choice`; field by field for the first `most` that would be sent."""

    def __init__(self, choice: Choice, most: int) -> None:
        self._choice, self._left = choice, most
        client = client_of(choice.connection)
        self._compares = client if isinstance(client, Compares) else None
        self._trouble = ""
        self._numbers = count(-1, -1)

    def __iter__(self) -> Iterator[Difference]:
        for page in self._choice.pages():
            links = [self._link(entry) for entry in page]
            prepared = prepare(self._choice.connection, links, clock.now(), write=False)
            for item in prepared.items:
                yield self._of(item)
            yield from _settled(links, prepared.settled)

    def _link(self, entry: Entry) -> Link:
        """The product's, or what it would be: never saved."""
        choice = self._choice
        link = entry.link or Link(
            # What results are told apart by.
            pk=next(self._numbers),
            connection=choice.connection,
            kind=Kind.PRODUCT.value,
            model=choice.told.label,
            local_id=str(entry.obj.pk),
            key=choice.told.key(entry.obj),
            touched=uuid.uuid4(),
        )
        if choice.force:
            link.fingerprint = link.difference = ""
        return link

    def _of(self, item: Item) -> Difference:
        link = item.link
        changes, reason = self._compared(item)
        verb = "failed" if changes is None and reason and not self._trouble else item.verb
        return Difference(link.local_id, link.key, link.remote_id, verb, changes, reason)

    def _compared(self, item: Item) -> tuple[list[Change] | None, str]:
        if self._left <= 0 or self._compares is None or self._trouble or item.is_gone:
            return None, self._trouble
        self._left -= 1
        try:
            (changes,) = self._compares.compare(Kind.PRODUCT, [Push(item.record, item.remote)])
        except ProviderError as error:
            if not isinstance(error, Refused) or isinstance(error, Unauthorized):
                self._trouble = str(error)
            return None, str(error)
        return changes, ""

    @property
    def trouble(self) -> str:
        """Why fields could not be compared any more; empty when they could."""
        return self._trouble


def _settled(links: Sequence[Link], results: Sequence[Result]) -> Iterator[Difference]:
    by_number = {link.pk: link for link in links}
    for result in results:
        link = by_number[result.link_id]
        verb = _WORDS.get(result.state, "waiting")
        yield Difference(
            link.local_id, link.key, link.remote_id, verb, None, result.last_error or result.remark
        )
