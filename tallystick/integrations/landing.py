"""What an answer means for the links that were sent: pure functions, one table of outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tallystick.integrations.connections import Connection
from tallystick.integrations.outgoing import Item, settled
from tallystick.integrations.results import Result
from tallystick.ports.errors import (
    ProviderError,
    RateLimited,
    Refused,
    Unauthorized,
    Unavailable,
    Uncertain,
)
from tallystick.ports.records import Remote
from tallystick.ports.roles import Outcome
from tallystick.queue.backoff import full_jitter
from tallystick.queue.rows import State

MAX_ATTEMPTS = 10
GIVE_UP_UNCERTAIN = timedelta(hours=24)
RETRY_BASE, RETRY_CAP = timedelta(seconds=4), timedelta(hours=1)


def trouble(answer: list[Outcome] | ProviderError) -> ProviderError | None:
    """What the answer says of the way to the provider, not of a record. Where each record has its
    own: that the credentials or the limits gave out for any, or that none got through."""
    outcomes = answer if isinstance(answer, list) else [answer]
    for outcome in outcomes:
        if isinstance(outcome, Unauthorized | RateLimited):
            return outcome
    lost = [outcome for outcome in outcomes if isinstance(outcome, Unavailable | Uncertain)]
    return lost[0] if lost and len(lost) == len(outcomes) else None


def results(
    items: Sequence[Item],
    answer: list[Outcome] | ProviderError,
    connection: Connection,
    now: datetime,
) -> list[Result]:
    """One result per item, for an answer per record or one error for them all."""
    outcomes = answer if isinstance(answer, list) else [answer] * len(items)
    charged = not connection.is_out
    found = [
        _result(item, outcome, now, charged=charged)
        for item, outcome in zip(items, outcomes, strict=True)
    ]
    for item, result in zip(items, found, strict=True):
        result.label = item.record.label
    return found


def unsent(items: Sequence[Item], now: datetime) -> list[Result]:
    """They never left: due as before, nothing charged."""
    return [settled(item.link, State.DUE, now, error=item.link.last_error) for item in items]


def _result(item: Item, outcome: Outcome, now: datetime, *, charged: bool) -> Result:
    if isinstance(outcome, Remote):
        return arrived(item, outcome, now)
    if isinstance(outcome, RateLimited | Unauthorized):
        return settled(item.link, State.DUE, now, error=str(outcome))
    if isinstance(outcome, Refused):
        return settled(item.link, State.DEAD, now, error=str(outcome))
    return _again(item, outcome, now, charged=charged)


def arrived(item: Item, remote: Remote, now: datetime, *, print_: str | None = None) -> Result:
    """It is there, saying what we sent (or what `print_` says it was sent)."""
    return Result(
        link_id=item.link.pk,
        touched=item.link.touched,
        state=State.DONE,
        due_at=now,
        remote_id=remote.id,
        remote_version=remote.version,
        remote_url=remote.url or item.link.remote_url,
        fingerprint=item.fingerprint if print_ is None else print_,
        synced_at=now,
        fresh=True,
    )


def _again(item: Item, error: ProviderError, now: datetime, *, charged: bool) -> Result:
    """Try again later. A create that may have been carried out keeps its attempt: look first."""
    link = item.link
    attempts = link.attempts + (1 if charged else 0)
    lost = isinstance(error, Uncertain) and not link.remote_id
    delay = full_jitter(attempts, base=RETRY_BASE, cap=RETRY_CAP)
    state = State.UNCERTAIN if lost else State.DUE
    if attempts >= MAX_ATTEMPTS and not lost:
        state = State.DEAD
    result = settled(link, state, now + delay, error=str(error))
    result.attempts = attempts
    if lost:
        result.attempt_key = link.attempt_key
    return result
