"""What to do with creates whose answer was lost: look them up before any second create."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from tallystick.integrations import landing
from tallystick.integrations.links import Link
from tallystick.integrations.outgoing import Item, settled
from tallystick.integrations.results import Result
from tallystick.integrations.turns import TurnOver
from tallystick.kit import clock
from tallystick.ports.errors import ProviderError
from tallystick.ports.records import Remote
from tallystick.queue.backoff import full_jitter
from tallystick.queue.rows import State

if TYPE_CHECKING:
    from tallystick.integrations.push import PushRun


def recover(run: PushRun) -> None:
    """Look up every create whose answer was lost; adopt what is there, queue what is not.

    The same records with the same content go under the same identity as long as the provider
    remembers it: should the lost call arrive late, one of the two has no effect.
    """
    for attempt, links in _lost(run):
        items = run.prepared(links)
        found = _look(run, items)
        pairs = list(zip(items, found, strict=True))
        run.keep(_adopted(item, remote) for item, remote in pairs if remote)
        absent = [item for item, remote in pairs if not remote]
        whole = len(absent) == len(links) and _same(absent) and _remembered(run, absent)
        run.queue(absent, attempt=attempt if whole else "")
        run.dispatch()


def _lost(run: PushRun) -> Iterator[tuple[str, list[Link]]]:
    """Whole batches, in the order they were sent in."""
    lost = run.due().filter(remote_id="").exclude(attempt_key="")
    attempts = list(lost.order_by("attempt_key").values_list("attempt_key", flat=True).distinct())
    for attempt in attempts:
        links = Link.objects.filter(
            connection=run.connection, kind=run.kind.value, attempt_key=attempt, remote_id=""
        )
        yield attempt, list(links.exclude(state=State.DEAD).order_by("id"))


def _look(run: PushRun, items: Sequence[Item]) -> list[Remote | None]:
    """What is there of them. When the look does not get through: later, and still uncertain."""
    found: list[Remote | None] = []
    size = run.provider.fetch_size
    for start in range(0, len(items), size):
        run.turn.draw()
        try:
            found += run.verbs.find([item.record for item in items[start : start + size]])
        except ProviderError as error:
            run.keep([_unresolved(item, error) for item in items])
            run.turn.report(error)
            raise TurnOver(str(error)) from error
    return found


def _adopted(item: Item, remote: Remote) -> Result:
    """It had gone through. Edited since: what it says is what was sent then, so it stays due."""
    result = landing.arrived(item, remote, clock.now(), print_=item.link.attempt_fingerprint)
    if item.link.attempt_fingerprint != item.fingerprint:
        result.state = State.DUE
    return result


def _unresolved(item: Item, error: ProviderError) -> Result:
    now, link = clock.now(), item.link
    since = link.attempted_at or now
    result = settled(
        link,
        State.UNCERTAIN,
        now + full_jitter(link.attempts, base=landing.RETRY_BASE, cap=timedelta(minutes=10)),
        error=f"No answer came; looking it up failed: {error}",
    )
    result.attempt_key, result.attempts = link.attempt_key, link.attempts + 1
    if now - since > landing.GIVE_UP_UNCERTAIN:
        result.state = State.DEAD
        result.last_error = (
            f"It was sent on {since:%Y-%m-%d %H:%M} UTC, no answer came, and it could not be "
            "looked up for a day. See whether it is there, then retry."
        )
    return result


def _same(items: Sequence[Item]) -> bool:
    return all(item.fingerprint == item.link.attempt_fingerprint for item in items)


def _remembered(run: PushRun, items: Sequence[Item]) -> bool:
    memory = timedelta(seconds=run.provider.key_memory)
    now = clock.now()
    return all(item.link.attempted_at and now - item.link.attempted_at < memory for item in items)
