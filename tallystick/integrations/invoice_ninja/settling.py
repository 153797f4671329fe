"""Settling what callbacks tell: many at a time, each judged by itself, in their order, under a lock.

A callback may come twice, late, after giving up, of a try before the last, or before the delivery
itself is answered; none of these undoes what is known. It counts no attempt: that is counted when
the relay accepts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import groupby

from django.db import IntegrityError, transaction

from tallystick import queue
from tallystick.events import Line, record_all
from tallystick.integrations import landing
from tallystick.integrations.clients import client_of
from tallystick.integrations.connections import Connection
from tallystick.integrations.invoice_ninja.callbacks import Callback, Conflict, Effect, Unknown
from tallystick.integrations.links import Link
from tallystick.integrations.outgoing import prepare, settled
from tallystick.integrations.results import Result, write_results
from tallystick.kit import clock
from tallystick.kit.standard_webhooks import TOLERANCE
from tallystick.ports.records import Departed, fingerprint
from tallystick.ports.traffic import said
from tallystick.queue.backoff import full_jitter
from tallystick.queue.rows import State

PAGE = 200
"""Callbacks that are settled in one transaction."""
NO_REASON = "The relay gave no reason."

Told = tuple[Link, Callback]
Outcome = Effect | Conflict | Unknown


def settle(link: Link, told: Callback) -> Effect:
    """Take note of `told`. Raises `Conflict` when another remote id is known for it, or the id is
    another object's; `Unknown` when it is gone."""
    (outcome,) = settle_all([(link, told)])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def settle_all(told: Sequence[Told]) -> list[Outcome]:
    """`settle` each, in their order; what it raises is then the outcome. The number of queries grows
    with the pages."""
    return [outcome for page in _pages(told) for outcome in _settled(page)]


def _pages(told: Sequence[Told]) -> Iterator[list[Told]]:
    """In none of them a link occurs twice: what is told of it later is judged by what came of the
    first."""
    page: dict[int, Told] = {}
    for link, callback in told:
        if link.pk in page or len(page) == PAGE:
            yield list(page.values())
            page = {}
        page[link.pk] = link, callback
    if page:
        yield list(page.values())


def _settled(page: Sequence[Told]) -> list[Outcome]:
    try:
        with transaction.atomic():
            return _Sitting(page).settle()
    except IntegrityError:  # in the same moment another one's callback has named the same id
        if len(page) == 1:
            return [_taken(page[0][1])]
        return [outcome for told in page for outcome in _settled([told])]


class _Sitting:
    """A page of callbacks, its links held: judged one after the other, then written at once."""

    def __init__(self, page: Sequence[Told]) -> None:
        self._page = page
        self._links = _held([link.pk for link, _ in page])
        self._owners = _owners(self._links.values(), {told.remote_id for _, told in page})
        self._written: list[Link] = []
        self._kept: list[Link] = []
        self._lines: list[Line] = []

    def settle(self) -> list[Outcome]:
        outcomes = [self._judged(link, told) for link, told in self._page]
        write_results(map(_as_it_is, self._written))
        record_all(self._lines)
        if self._kept:
            waiting = Link.objects.filter(waits_for__in=[link.pk for link in self._kept])
            waiting.update(due_at=clock.now(), waits_for=None, last_error="")
            _look_again(self._kept)
        return outcomes

    def _judged(self, link: Link, told: Callback) -> Outcome:
        held = self._links.get(link.pk)
        if held is None:
            return Unknown()
        return self._succeeded(held, told) if told.success else self._failed(held, told)

    def _note(self, link: Link, kind: str, **change: object) -> None:
        self._written.append(link)
        change = {"kind": link.kind, **change}
        self._lines.append(Line(kind, link, link.connection.website, change))

    # -- it is there

    def _succeeded(self, link: Link, told: Callback) -> Outcome:
        if link.remote_id not in {"", told.remote_id}:
            return Conflict(f"It is known as {link.remote_id} there; nothing was changed.")
        if self._is_another(link, told.remote_id):
            return _taken(told)
        if link.remote_id and _is_old_news(link, told):
            return Effect.NOTHING
        return self._arrived(link, told)

    def _is_another(self, link: Link, remote_id: str) -> bool:
        """Whether the id is another one's; if not, it is this one's from here on."""
        return self._owners.setdefault(_place(link, remote_id), link.pk) != link.pk

    def _arrived(self, link: Link, told: Callback) -> Effect:
        is_last = _is_of_last(link, told)
        if not is_last and link.state == State.UNCERTAIN:
            link.remote_id = told.remote_id
            self._note(link, "link.confirmed")
            return Effect.NOTED
        self._keep(link, told, is_last=is_last)
        return Effect.SYNCED

    def _keep(self, link: Link, told: Callback, *, is_last: bool) -> None:
        """What was edited or deleted since it was sent stays due for that."""
        link.remote_id, link.synced_at = told.remote_id, clock.now()
        link.fingerprint = link.attempt_fingerprint if is_last else link.fingerprint
        link.state, link.last_error, link.attempt_key = State.DONE, "", ""
        link.attempts = max(link.attempts, 1)
        self._note(link, "link.confirmed")
        self._kept.append(link)

    # -- it is not

    def _failed(self, link: Link, told: Callback) -> Outcome:
        if not _is_news(link, told):
            return Effect.NOTHING
        attempts = max(link.attempts, 1)
        again = told.retry and attempts < client_of(link.connection).max_attempts
        state, words = State.DUE if again else State.DEAD, said(told.message) or NO_REASON
        if (link.state, link.last_error) == (state, words):
            return Effect.NOTHING
        delay = full_jitter(attempts, base=landing.RETRY_BASE, cap=landing.RETRY_CAP)
        link.state, link.last_error, link.attempts = state, words, attempts
        link.due_at = clock.now() + delay
        self._note(link, "link.failed", retry=again)
        return Effect.RETRY if again else Effect.FAILED


# -- what is known, and what is written


def _held(ids: Sequence[int]) -> dict[int, Link]:
    """Locked, with connections that they share."""
    links = list(Link.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    wanted = {link.connection_id for link in links}
    found = Connection.objects.everywhere().filter(pk__in=wanted).select_related("website")
    connections = {connection.pk: connection for connection in found}
    for link in links:
        link.connection = connections[link.connection_id]
    return {link.pk: link for link in links}


Place = tuple[int, str, str]
"""A remote id is one of its connection and kind."""


def _place(link: Link, remote_id: str) -> Place:
    return link.connection_id, link.kind, remote_id


def _owners(links: Iterable[Link], remote_ids: set[str]) -> dict[Place, int]:
    """Whose those of `remote_ids` are that are known already."""
    rows = Link.objects.filter(
        connection__in={link.connection_id for link in links}, remote_id__in=remote_ids - {""}
    )
    return {_place(link, link.remote_id): link.pk for link in rows.only(*_PLACE)}


_PLACE = ("connection_id", "kind", "remote_id")


def _as_it_is(link: Link) -> Result:
    return settled(
        link,
        State(link.state),
        link.due_at,
        error=link.last_error,
        waits_for=link.waits_for_id,
        attempt_key=link.attempt_key,
    )


def _look_again(links: Sequence[Link]) -> None:
    """Whether what they say now is what was sent: due, or settled without a call. Of what was never
    sent, only whether it is still here."""
    due: list[int] = []
    ordered = sorted(links, key=_batch)
    for _, batch in groupby(ordered, key=_batch):
        same = list(batch)
        sent = {link.pk for link in same if link.attempt_fingerprint}
        prepared = prepare(same[0].connection, same, clock.now(), write=False)
        write_results(result for result in prepared.settled if result.link_id in sent)
        due += [item.link.pk for item in prepared.items if item.link.pk in sent or item.is_gone]
    if due:
        Link.objects.filter(pk__in=due).update(state=State.DUE, due_at=clock.now(), attempts=0)
        queue.wake("connections")


def _batch(link: Link) -> tuple[int, str]:
    return link.connection_id, link.kind


# -- what a callback is about


def _is_old_news(link: Link, told: Callback) -> bool:
    """Whether a success says nothing of a try that is awaited; that it is there is known."""
    is_awaited = _is_of_last(link, told) and link.attempt_key and link.state != State.DONE
    return not is_awaited or _may_be_a_repeat(link, told)


def _may_be_a_repeat(link: Link, told: Callback) -> bool:
    """Whether a success may speak of a try before the last, which said something else and did not
    get through. Sent again, it does no harm."""
    if told.delivery_id or link.attempt_fingerprint == link.fingerprint:
        return False
    return link.state != State.UNCERTAIN and landing.SEE_THE_RELAY not in link.last_error


def _is_news(link: Link, told: Callback) -> bool:
    """Whether a failure speaks of the last try, and nothing has happened to the link since."""
    if link.state == State.DONE or not _is_of_last(link, told):
        return False
    starts_anew = link.attempts == 0 and bool(link.attempt_fingerprint)  # edited, or revived
    is_awaited = link.due_at > clock.now() or landing.under_way(link)
    return (link.state == State.UNCERTAIN and is_awaited) or not starts_anew


def _is_of_last(link: Link, told: Callback) -> bool:
    """By the delivery's identity and by the time, as far as they are told. What was never sent has
    no tries to mix up; of an archive no callback comes."""
    if not link.attempt_fingerprint:
        return True
    if told.delivery_id:
        return told.delivery_id == link.attempt_key and not _is_before(link, told)
    is_archive = link.attempt_fingerprint == fingerprint(Departed(link.key))
    return not is_archive and not _is_before(link, told)


def _is_before(link: Link, told: Callback) -> bool:
    """Whether it was said before the last try, by more than clocks differ. Of a success that is no
    matter: under one identity the content is the same."""
    if told.success or told.at is None or link.attempted_at is None:
        return False
    return told.at < link.attempted_at - timedelta(seconds=TOLERANCE)


def _taken(told: Callback) -> Conflict:
    return Conflict(f"{told.remote_id} is another one's id; nothing was changed.")
