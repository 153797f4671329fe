"""What the relay tells of what it was sent: one callback, one link, settled under a lock.

A callback may come twice, late, after giving up, of a try before the last, or before the delivery
itself is answered; none of these undoes what is known. It counts no attempt: that is counted when
the relay accepts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import IntegrityError, transaction
from django.db.models import Q

from tallystick import queue
from tallystick.events import record
from tallystick.integrations import landing
from tallystick.integrations.clients import client_of
from tallystick.integrations.connections import Connection
from tallystick.integrations.links import Link
from tallystick.integrations.outgoing import prepare
from tallystick.integrations.results import write_results
from tallystick.kit import clock
from tallystick.kit.standard_webhooks import TOLERANCE
from tallystick.ports.records import Departed, Kind, fingerprint
from tallystick.ports.traffic import said
from tallystick.queue.backoff import full_jitter
from tallystick.queue.rows import State

LONGEST_ID = 50
NO_REASON = "The relay gave no reason."


class Unknown(LookupError):
    """There is no such user or product at the relay whose secret this is."""


class Conflict(Exception):
    """Something else is known already; nothing was changed. The message says what."""


class Effect(StrEnum):
    """What a callback did. `NOTED`: the id is known now, and a later try is still awaited."""

    SYNCED = "synced"
    NOTED = "noted"
    RETRY = "retry"
    FAILED = "failed"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Callback:
    """`remote_id` is the id at Invoice Ninja, needed when `success`. `delivery_id` and `at`, where
    the relay says them, tell a callback of the last try from one of a try before."""

    success: bool
    remote_id: str = ""
    message: str = ""
    retry: bool = False
    delivery_id: str = ""
    at: datetime | None = None


def of_product(
    connections: Sequence[Connection], *, key: str = "", product_id: str = "", delivery_id: str = ""
) -> Link:
    """The link of the product with this key, this primary key, or both. Raises `Unknown`, also when
    products of several models have the primary key."""
    which = Q(key=key) if key else Q()
    which &= Q(local_id=product_id) if product_id else Q()
    found = Link.objects.filter(
        which, kind=Kind.PRODUCT.value, connection__in=list(connections)
    ).select_related("connection")
    links = list(found.order_by("-pk")[:20])
    if not links or len({(link.model, link.local_id) for link in links}) != 1:
        raise Unknown
    sent = [link for link in links if delivery_id and link.attempt_key == delivery_id]
    return (sent or links)[0]


def settle(link: Link, told: Callback) -> Effect:
    """Take note of `told`. Raises `Conflict` when another remote id is known for it, or the id is
    another object's; `Unknown` when it is gone."""
    try:
        with transaction.atomic():
            held = Link.objects.select_for_update(of=("self",)).select_related("connection")
            link = held.get(pk=link.pk)
            return _succeeded(link, told) if told.success else _failed(link, told)
    except Link.DoesNotExist:
        raise Unknown from None
    except IntegrityError:  # in the same moment another one's callback has named the same id
        raise _taken(told) from None


# -- it is there


def _succeeded(link: Link, told: Callback) -> Effect:
    if link.remote_id not in {"", told.remote_id}:
        raise Conflict(f"It is known as {link.remote_id} there; nothing was changed.")
    if _is_taken(link, told.remote_id):
        raise _taken(told)
    is_last = _is_of_last(link, told)
    if link.remote_id and not (is_last and link.attempt_key and link.state != State.DONE):
        return Effect.NOTHING
    if link.remote_id and _may_be_a_repeat(link, told):
        return Effect.NOTHING
    if not is_last and link.state == State.UNCERTAIN:
        return _noted(link, told)
    _keep(link, told, is_last=is_last)
    return Effect.SYNCED


def _may_be_a_repeat(link: Link, told: Callback) -> bool:
    """Whether a success may speak of a try before the last, which said something else and did not
    get through. Sent again, it does no harm."""
    if told.delivery_id or link.attempt_fingerprint == link.fingerprint:
        return False
    return link.state != State.UNCERTAIN and landing.SEE_THE_RELAY not in link.last_error


def _noted(link: Link, told: Callback) -> Effect:
    link.remote_id = told.remote_id
    link.save(update_fields=["remote_id"])
    record("link.confirmed", link, website=link.connection.website, change={"kind": link.kind})
    return Effect.NOTED


def _keep(link: Link, told: Callback, *, is_last: bool) -> None:
    """What was edited or deleted since it was sent stays due for that."""
    link.remote_id, link.synced_at = told.remote_id, clock.now()
    link.fingerprint = link.attempt_fingerprint if is_last else link.fingerprint
    link.state, link.last_error, link.attempt_key = State.DONE, "", ""
    link.attempts = max(link.attempts, 1)
    link.save(update_fields=[*_KEPT])
    Link.objects.filter(connection=link.connection_id, waits_for=link).update(
        due_at=clock.now(), waits_for=None, last_error=""
    )
    _look_again(link)
    record("link.confirmed", link, website=link.connection.website, change={"kind": link.kind})


_KEPT = (
    *("remote_id", "synced_at", "fingerprint", "state", "last_error", "attempt_key"),
    "attempts",
)


def _look_again(link: Link) -> None:
    """Whether what it says now is what was sent: due, or settled without a call. Of what was never
    sent, only whether it is still here."""
    prepared = prepare(link.connection, [link], clock.now(), write=False)
    if not link.attempt_fingerprint and not any(item.is_gone for item in prepared.items):
        return
    write_results(prepared.settled)
    if prepared.items:
        Link.objects.filter(pk=link.pk).update(state=State.DUE, due_at=clock.now(), attempts=0)
        queue.wake("connections")


def _is_taken(link: Link, remote_id: str) -> bool:
    others = Link.objects.filter(connection=link.connection_id, kind=link.kind)
    return others.filter(remote_id=remote_id).exclude(pk=link.pk).exists()


def _taken(told: Callback) -> Conflict:
    return Conflict(f"{told.remote_id} is another one's id; nothing was changed.")


# -- it is not


def _failed(link: Link, told: Callback) -> Effect:
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
    link.save(update_fields=["state", "due_at", "last_error", "attempts"])
    change = {"kind": link.kind, "retry": again}
    record("link.failed", link, website=link.connection.website, change=change)
    return Effect.RETRY if again else Effect.FAILED


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
