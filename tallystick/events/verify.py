"""Does the journal say what it said when it was sealed?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.db.models import Max

from tallystick.events.chain import unsealed
from tallystick.events.hashes import FIRST, Columns, head_mac, link_hash
from tallystick.events.models import Chain, Event
from tallystick.kit import clock, signing

PAGE = 2000
UNSEALED_FOR = timedelta(minutes=10)


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
    seq: int
    row_hash: str
    seal_hash: str
    columns: Columns


class Verification:
    """One reading of the journal, in memory bounded by the page. `sealed` counts what was read."""

    def __init__(self) -> None:
        self.sealed = 0
        self._seq = 0
        # The hash before the next event; None where that cannot be trusted.
        self._before: str | None = FIRST

    def findings(self) -> Iterator[Finding]:
        """What is wrong, in the order of the chain."""
        head = Chain.objects.filter(pk=1).first() or Chain(
            seq=0, hash=FIRST, mac=head_mac(0, FIRST)
        )
        for event in _sealed_to(head.seq):
            yield from self._check(event)
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
        if not signing.same(event.row_hash, event.columns.hash()):
            words = "Its content is not what was sealed."
            return Finding(Fault.ALTERED, event.seq, event.columns.id, words)
        if self._before is None:
            return None
        if not signing.same(event.seal_hash, link_hash(self._before, event.seq, event.row_hash)):
            words = "It is not the event that was sealed in this place."
            return Finding(Fault.REORDERED, event.seq, event.columns.id, words)
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


def _sealed_to(end: int) -> Iterator[_Sealed]:
    names = ("seal_seq", "row_hash", "seal_hash", *Columns._fields)
    events = Event.objects.everywhere().order_by("seal_seq").values_list(*names)
    seen = 0
    while page := list(events.filter(seal_seq__gt=seen, seal_seq__lte=end)[:PAGE]):
        for seq, row_hash, seal_hash, *columns in page:
            yield _Sealed(seq, row_hash, seal_hash, Columns(*columns))
        seen = page[-1][0]


def _added() -> Iterator[Finding]:
    # The events first, the head after: sealing writes both at once, so the head is not behind.
    last = Event.objects.everywhere().aggregate(last=Max("seal_seq"))["last"] or 0
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
