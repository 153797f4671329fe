"""What an answer means for the links that were sent: pure functions, one table of outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tallystick.integrations import differences
from tallystick.integrations.links import COMPARED, Link
from tallystick.integrations.outgoing import Item, settled
from tallystick.integrations.results import Result, Told
from tallystick.integrations.turns import LEASE_SECONDS
from tallystick.ports.errors import (
    ProviderError,
    RateLimited,
    Refused,
    Unauthorized,
    Unavailable,
    Uncertain,
)
from tallystick.ports.records import Remote
from tallystick.ports.roles import Accepted, Outcome
from tallystick.queue.backoff import full_jitter
from tallystick.queue.rows import State

GIVE_UP_UNCERTAIN = timedelta(hours=24)
NO_CALLBACK = "It was accepted, but no callback came in time; it is sent again."
SEE_THE_RELAY = "See whether the relay runs and reaches this site, then retry."
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


@dataclass(frozen=True, slots=True)
class Terms:
    """How tries are counted: at most `most` of them, none while the connection is `out`; a
    go-between (`by_callback`) is sent the same content under the same identity until it has told."""

    most: int
    out: bool = False
    by_callback: bool = False


def results(
    items: Sequence[Item],
    answer: list[Outcome] | ProviderError,
    terms: Terms,
    now: datetime,
) -> list[Result]:
    """One result per item, for an answer per record or one error for them all."""
    outcomes = answer if isinstance(answer, list) else [answer] * len(items)
    found = [
        _result(item, outcome, now, terms) for item, outcome in zip(items, outcomes, strict=True)
    ]
    for item, result in zip(items, found, strict=True):
        result.label = item.record.label
        if terms.by_callback and result.state != State.DONE:
            _is_told(result, item, terms)
    return found


def unsent(items: Sequence[Item], terms: Terms, now: datetime) -> list[Result]:
    """They never left: due as before, nothing charged."""
    found = [settled(item.link, State.DUE, now, error=item.link.last_error) for item in items]
    for item, result in zip(items, found, strict=True):
        if terms.by_callback:
            _is_told(result, item, terms)
    return found


def _is_told(result: Result, item: Item, terms: Terms) -> None:
    result.attempt_key = item.link.attempt_key
    result.told = Told(State.UNCERTAIN, result.attempt_key, most=terms.most)


def unless_told(links: Sequence[Link], results: Sequence[Result]) -> None:
    """Of a go-between: `results`, made without a call, hold only while `links` are as they were
    read."""
    read = {link.pk: link for link in links}
    for result in results:
        link = read[result.link_id]
        result.told = Told(State(link.state), link.attempt_key, due_at=link.due_at)


def overdue(link: Link) -> bool:
    """Whether a go-between accepted it, and told nothing in time."""
    is_sent = link.state == State.UNCERTAIN and bool(link.attempt_key) and link.attempts > 0
    return is_sent and not under_way(link)


def under_way(link: Link) -> bool:
    """Whether the answer to the last try is not noted: it is on its way, or its worker is dead.
    Whether it was accepted is not known then."""
    lease = timedelta(seconds=LEASE_SECONDS)
    return link.attempted_at is not None and link.due_at == link.attempted_at + lease


def given_up(link: Link, now: datetime) -> Result:
    """What becomes of a link whose last try was accepted, and never told of."""
    times = "once" if link.attempts == 1 else f"{link.attempts} times"
    words = f"It was accepted {times}, and no callback came. {SEE_THE_RELAY}"
    return settled(link, State.DEAD, now, error=words, attempt_key=link.attempt_key)


def _result(item: Item, outcome: Outcome, now: datetime, terms: Terms) -> Result:
    if isinstance(outcome, Remote):
        return arrived(item, outcome, now)
    if isinstance(outcome, Accepted):
        return _accepted(item, outcome, now, terms)
    if isinstance(outcome, Refused | RateLimited):
        return _turned_away(item, outcome, now)
    return _again(item, outcome, now, terms)


def _turned_away(item: Item, outcome: Refused | RateLimited, now: datetime) -> Result:
    """Over a limit, or with dead credentials: as due as before. Else a person must act."""
    if isinstance(outcome, RateLimited | Unauthorized):
        return settled(item.link, State.DUE, now, error=str(outcome))
    result = settled(item.link, State.DEAD, now, error=str(outcome))
    result.attempts += 1
    return result


def _accepted(item: Item, outcome: Accepted, now: datetime, terms: Terms) -> Result:
    """It waits for the callback, until the deadline makes it due again."""
    link = item.link
    until = now + timedelta(seconds=outcome.seconds)
    result = settled(link, State.UNCERTAIN, until, error=link.last_error)
    result.attempts += 0 if terms.out else 1
    return result


def arrived(item: Item, remote: Remote, now: datetime, *, print_: str | None = None) -> Result:
    """It is there, saying what we sent (or what `print_` says it was sent)."""
    is_compared = item.link.kind in COMPARED
    is_known = print_ in {None, item.fingerprint}
    return Result(
        link_id=item.link.pk,
        touched=item.link.touched,
        state=State.DONE,
        due_at=now,
        remote_id=remote.id,
        remote_version=remote.version,
        remote_url=remote.url or item.link.remote_url,
        fingerprint=item.fingerprint if print_ is None else print_,
        attempts=item.link.attempts + 1,
        remark=remote.remark,
        synced_at=now,
        fresh=True,
        is_new=remote.id != item.link.remote_id,
        difference="" if is_compared else None,
        seen=differences.prints(item.record) if is_compared and is_known else "",
    )


def _again(item: Item, error: ProviderError, now: datetime, terms: Terms) -> Result:
    """Try again later. What may have been carried out keeps its attempt: before a second create, look;
    and until the next answer, what a pull finds may be our own doing."""
    link = item.link
    attempts = link.attempts + (0 if terms.out else 1)
    lost = isinstance(error, Uncertain) and not link.remote_id
    delay = full_jitter(attempts, base=RETRY_BASE, cap=RETRY_CAP)
    state = State.UNCERTAIN if lost else State.DUE
    if attempts >= terms.most and not lost:
        state = State.DEAD
    result = settled(link, state, now + delay, error=str(error))
    result.attempts = attempts
    if isinstance(error, Uncertain):
        result.attempt_key = link.attempt_key
    return result
