"""What to do with creates whose answer was lost: look them up before any second create."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
    """Look up every create whose answer was lost, as many side by side as calls may be; adopt what is
    there, queue what is not.

    The same records with the same content go under the same identity as long as the provider
    remembers it: should the lost call arrive late, one of the two has no effect.
    """
    lost = run.due().filter(remote_id="").exclude(attempt_key="")
    attempts = list(lost.order_by("attempt_key").values_list("attempt_key", flat=True).distinct())
    while attempts:
        width = 1 if run.connection.is_out else run.provider.concurrency
        wave, attempts = attempts[:width], attempts[width:]
        _resolve(run, _batches(run, wave))


def _batches(run: PushRun, attempts: Sequence[str]) -> dict[str, list[Link]]:
    """Whole batches, as they were sent."""
    links = Link.objects.filter(
        connection=run.connection, kind=run.kind.value, attempt_key__in=attempts, remote_id=""
    )
    batches: dict[str, list[Link]] = {attempt: [] for attempt in attempts}
    for link in links.exclude(state=State.DEAD).order_by("id"):
        batches[link.attempt_key].append(link)
    return batches


def _resolve(run: PushRun, batches: Mapping[str, Sequence[Link]]) -> None:
    items = run.prepared([link for links in batches.values() for link in links])
    absent: dict[str, list[Item]] = {attempt: [] for attempt in batches}
    for item, remote in _look(run, items):
        if remote:
            run.keep([_adopted(item, remote)])
        else:
            absent[item.link.attempt_key].append(item)
    fresh: list[Item] = []
    for attempt, left in absent.items():
        if len(left) == len(batches[attempt]) and _same(left) and _remembered(run, left):
            run.queue(left, attempt=attempt)
        else:
            fresh += left
    run.queue(fresh)
    run.dispatch()


def _look(run: PushRun, items: Sequence[Item]) -> Iterator[tuple[Item, Remote | None]]:
    """What is there of them. Where the look does not get through: later, and still uncertain; once
    the rest is told, the turn ends."""
    size = run.provider.fetch_size
    parts = [items[start : start + size] for start in range(0, len(items), size)]
    for _ in parts:
        run.turn.draw()
    errors: list[ProviderError] = []
    for part, answer in zip(parts, run.found(parts), strict=True):
        if isinstance(answer, ProviderError):
            errors.append(answer)
            run.keep([_unresolved(item, answer) for item in part])
        else:
            yield from zip(part, answer, strict=True)
    if errors:
        run.turn.report(errors[0])
        raise TurnOver(str(errors[0])) from errors[0]


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
