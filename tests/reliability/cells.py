"""One cell of the fault matrix: an operation at a provider under a fault, and what must hold after."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from tallystick.queue.rows import State
from tests.reliability.operations import Operation
from tests.reliability.site import Site
from tests.reliability.troubles import Trouble

MINUTE = timedelta(minutes=1)
_MOST_TRIES = 10


@dataclass(frozen=True, slots=True)
class Cell:
    """What was seen: the words a person could read, the calls it took, the minutes until both sides
    were equal after the end of the fault."""

    words: str
    calls: int
    minutes: float


def play(site: Site, operation: Operation, trouble: Trouble) -> Cell:
    """The operation under the trouble, until it is over. Raises `AssertionError` for a wrong cell."""
    operation.prepare(site)
    site.heard.clear()
    before = site.recorder.calls()
    _begin(site, operation, trouble)
    operation.act(site)
    for _ in range(trouble.minutes):
        site.serve()
        site.clock.advance(MINUTE)
    struck = _struck(site)
    _end(site, operation, trouble)
    ended_at = site.clock.now()
    site.settle()
    _catch_up(site, operation)
    struck = max(struck, _struck(site))
    words = _require_words(site, trouble)
    _require_policy(site, struck)
    site.require_equal()
    waited = (site.clock.now() - ended_at).total_seconds() / 60
    return Cell(words, site.recorder.calls() - before, waited)


def _begin(site: Site, operation: Operation, trouble: Trouble) -> None:
    for fault in trouble.strikes:
        for method, path in _targets(site, operation, trouble):
            site.stand.faults.switch_on(fault.model_copy(update={"method": method, "path": path}))
    if trouble.begins:
        trouble.begins(site)
    if trouble.some_items:
        operation.hit(site)


def _struck(site: Site) -> int:
    return sum(armed.struck for armed in site.stand.faults.armed())


def _targets(site: Site, operation: Operation, trouble: Trouble) -> Iterator[tuple[str, str]]:
    if trouble.everywhere:
        yield "", ""
        return
    kinds = [kind for kind in operation.kinds if kind in site.venue.paths]
    for path in dict.fromkeys(site.venue.paths[kind] for kind in kinds):
        for method in operation.methods:
            yield method, path


def _end(site: Site, operation: Operation, trouble: Trouble) -> None:
    if trouble.minutes:
        site.stand.faults.clear()
    if trouble.ends:
        trouble.ends(site)
    if trouble.some_items:
        operation.mend(site)


def _catch_up(site: Site, operation: Operation) -> None:
    """What comes from there may come with the next catch-up."""
    taken_over = getattr(operation, "taken_over", None)
    for _ in range(200):
        if taken_over is None or taken_over(site):
            break
        site.pass_time(MINUTE)
        site.settle()


def _require_words(site: Site, trouble: Trouble) -> str:
    if not trouble.words:
        told = [words for words in site.heard if not words.startswith("Successfully synced")]
        assert not told, f"nothing was wrong, and yet: {told}"
        return ""
    found = [words for words in site.heard if re.search(trouble.words, words)]
    assert found, f"nobody was told; what there is to read: {site.heard}"
    return min(found, key=len)


def _require_policy(site: Site, struck: int) -> None:
    """Nothing was given up; nothing was sent to be made more often than faults explain."""
    links = site.links()
    assert not links.filter(state=State.DEAD).exists(), "given up"
    assert not links.filter(attempts__gte=_MOST_TRIES).exists()
    most = max(site.recorder.creates().values(), default=0)
    assert most <= struck + 2, f"one was sent {most} times under {struck} faults"
