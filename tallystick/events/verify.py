"""Does the journal say what it said when it was sealed?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.db import DatabaseError
from django.db.models import Max

from tallystick.accounts.tenancy import TenantQuerySet
from tallystick.events.chain import unsealed
from tallystick.events.hashes import FIRST, Columns, head_mac, link_hash
from tallystick.events.models import Chain, Event
from tallystick.kit import clock, signing

PAGE = 2000
UNSEALED_FOR = timedelta(minutes=10)

_NAMES = ("seal_seq", "row_hash", "seal_hash", *Columns._fields)
_HIGHEST = 2**63 - 1
# What a value that is not of its column's type makes the database's driver, Django or the hash raise.
_UNREADABLE = (DatabaseError, ArithmeticError, AttributeError, TypeError, ValueError)


class Fault(StrEnum):
    ALTERED = "altered"
    MISSING = "missing"
    REORDERED = "reordered"
    TRUNCATED = "truncated"
    ADDED = "added"
    UNSEALED = "unsealed"


@dataclass(frozen=True, slots=True)
class Finding:
    """`seq` is the place in the chain, `event` the id there; None where there is none."""

    fault: Fault
    seq: int | None
    event: int | None
    words: str


@dataclass(frozen=True, slots=True)
class _Sealed:
    """`content`: what its columns hash to now; empty where they cannot be read."""

    seq: int
    event: int
    row_hash: str = ""
    seal_hash: str = ""
    content: str = ""


class Verification:
    """One reading of the journal, in memory bounded by the page. `sealed` counts what was read."""

    def __init__(self) -> None:
        self.sealed = 0
        self._seq = 0
        # The hash before the next event; None where that cannot be trusted.
        self._before: str | None = FIRST

    def findings(self) -> Iterator[Finding]:
        """What is wrong, in the order of the chain."""
        head = _head()
        if head is None:
            yield Finding(Fault.MISSING, None, None, "The chain's head is missing.")
        for event in _sealed_to(head.seq if head else _last_sealed()):
            yield from self._check(event)
        if head:
            yield from self._check_end(head)
            yield from _added()
        yield from _unsealed()

    def _check(self, event: _Sealed) -> Iterator[Finding]:
        self.sealed += 1
        if event.seq != self._seq + 1:
            yield _missing(self._seq + 1, event.seq - 1)
            self._before = None
        self._seq = event.seq
        finding = self._fault_of(event)
        self._before = None if finding else event.seal_hash
        if finding:
            yield finding

    def _fault_of(self, event: _Sealed) -> Finding | None:
        if not event.content or not signing.same(event.row_hash, event.content):
            words = f"Its content {'is not what was sealed' if event.content else 'is unreadable'}."
            return Finding(Fault.ALTERED, event.seq, event.event, words)
        if self._before is None:
            return None
        if not signing.same(event.seal_hash, link_hash(self._before, event.seq, event.row_hash)):
            words = "It is not the event that was sealed in this place."
            return Finding(Fault.REORDERED, event.seq, event.event, words)
        return None

    def _check_end(self, head: Chain) -> Iterator[Finding]:
        if self._seq < head.seq:
            words = f"The journal ends here; it was sealed to {head.seq}."
            yield Finding(Fault.TRUNCATED, self._seq + 1, None, words)
        if not signing.same(head.mac, head_mac(head.seq, head.hash)):
            words = "The head of the chain was not written by the sealer."
            yield Finding(Fault.TRUNCATED, head.seq, None, words)
        elif self._seq == head.seq and self._before not in {None, head.hash}:
            words = "The last event's seal is not the one the head holds."
            yield Finding(Fault.ALTERED, head.seq, None, words)


def _missing(first: int, last: int) -> Finding:
    words = "It is gone." if first == last else f"All from here to {last} are gone."
    return Finding(Fault.MISSING, first, None, words)


def _head() -> Chain | None:
    head = Chain.objects.filter(pk=1).first()
    if head is not None:
        head.hash, head.mac = str(head.hash), str(head.mac)
    return head if head and _is_place(head.seq) else None


def _last_sealed() -> int:
    last = _events().filter(seal_seq__lte=_HIGHEST).aggregate(last=Max("seal_seq"))["last"]
    return last if _is_place(last) else 0


def _sealed_to(end: int) -> Iterator[_Sealed]:
    seen = 0
    while page := _page(seen, end):
        yield from page
        seen = page[-1].seq


def _page(after: int, end: int) -> list[_Sealed]:
    rows = _events().filter(seal_seq__gt=after, seal_seq__lte=end).order_by("seal_seq")
    try:
        return [_sealed(row) for row in rows.values_list(*_NAMES)[:PAGE]]
    except _UNREADABLE:
        places = rows.values_list("seal_seq", "id")[:PAGE]
        return [_read(seq, event) for seq, event in places if seq is not None]


def _read(seq: int, event: int) -> _Sealed:
    """One event by itself, where something in its page cannot be read."""
    try:
        return _sealed(_events().values_list(*_NAMES).get(pk=event))
    except _UNREADABLE:
        return _Sealed(seq, event)


def _sealed(row: Sequence[Any]) -> _Sealed:
    seq, row_hash, seal_hash, *values = row
    columns = Columns(*values)
    return _Sealed(seq, columns.id, str(row_hash), str(seal_hash), columns.hash())


def _events() -> TenantQuerySet[Event]:
    return Event.objects.everywhere()


def _is_place(value: object) -> bool:
    # SQLite keeps any text in a column of numbers.
    return isinstance(value, int)


def _added() -> Iterator[Finding]:
    # The events first, the head after: sealing writes both at once, so the head is not behind.
    last = _last_sealed()
    end = Chain.objects.filter(pk=1).values_list("seq", flat=True).first() or 0
    if last > end:
        words = f"The journal was sealed to {end}; what follows was put there by someone else."
        yield Finding(Fault.ADDED, end + 1, None, words)


def _unsealed() -> Iterator[Finding]:
    late = clock.now() - UNSEALED_FOR
    events = unsealed().filter(at__lt=late)
    for event_id in events.order_by("id").values_list("id", flat=True).iterator(PAGE):
        words = "It has waited over ten minutes to be sealed: is a worker running?"
        yield Finding(Fault.UNSEALED, None, event_id, words)
