"""The log of what goes to Invoice Ninja by either route: `tallystick.invoice_ninja`.

    accepted connection=3 link=17 local=accounts.Account:12 remote=- attempt=1 delivery=9f… reason=-

One line for each try and for what came of it: ids, and the kind of trouble. What was sent and what
was answered may hold a person's data; both are left out, the words of an error are on its link.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from functools import partial

from django.db import transaction
from django.db.models import Model

from tallystick.events import recorded
from tallystick.events.models import Event
from tallystick.integrations import landing, registry
from tallystick.integrations.invoice_ninja.routes import ROUTES
from tallystick.integrations.links import Link
from tallystick.integrations.outgoing import Item
from tallystick.integrations.push import Answer, landed, sending
from tallystick.integrations.results import Result
from tallystick.ports.errors import ProviderError
from tallystick.ports.roles import Accepted, Outcome
from tallystick.queue.rows import State

logger = logging.getLogger("tallystick.invoice_ninja")

LEVELS = {"failed": logging.WARNING, "given up": logging.ERROR}
EVENTS = {"link.confirmed": "confirmed", "link.failed": "failed", "link.retried": "retried"}
"""What callbacks and people did -> the word for it."""
BY = {"failed": "ToldByRelay", "retried": "ByHand"}


def install() -> None:
    for provider in registry.PROVIDERS:
        if provider.type in ROUTES:
            uid = f"tallystick.log.{provider.type}"
            sending.connect(_sending, sender=provider, dispatch_uid=uid)
            landed.connect(_landed, sender=provider, dispatch_uid=uid)
    recorded.connect(_recorded, dispatch_uid="tallystick.log.invoice_ninja")


def _sending(items: Sequence[Item], **_: object) -> None:
    for item in items:
        _say("retried" if item.link.attempts else "sent", item.link, attempt=item.link.attempts + 1)


def _landed(
    links: Sequence[Link],
    results: Sequence[Result],
    answer: Answer | None,
    is_gone: bool = False,
    **_: object,
) -> None:
    outcomes = answer if isinstance(answer, list) else [answer] * len(links)
    for link, result, outcome in zip(links, results, outcomes, strict=True):
        _say(
            _word(result, outcome, is_gone=is_gone),
            link,
            attempt=result.attempts,
            remote=result.remote_id,
            reason=_reason(result, outcome),
        )


def _word(result: Result, outcome: Outcome | None, *, is_gone: bool) -> str:
    if result.state == State.DONE:
        return "archived" if is_gone else "confirmed"
    if isinstance(outcome, Accepted):
        return "accepted"
    return "given up" if result.state == State.DEAD else "failed"


def _reason(result: Result, outcome: Outcome | None) -> str:
    if isinstance(outcome, ProviderError):
        return type(outcome).__name__
    if outcome is None and result.state == State.DEAD:
        return "NoCallback" if landing.SEE_THE_RELAY in result.last_error else "NotSendable"
    return ""


def _recorded(event: Event, subject: Model, **_: object) -> None:
    if event.kind not in EVENTS or not isinstance(subject, Link):
        return
    if subject.connection.type not in ROUTES:
        return
    word = EVENTS[event.kind]
    reason = BY.get(word, "")
    if word == "failed" and not json.loads(event.change).get("retry"):
        word = "given up"
    say = partial(_say, word, subject, attempt=subject.attempts, reason=reason)
    transaction.on_commit(say)


def _say(word: str, link: Link, *, attempt: int, remote: str = "", reason: str = "") -> None:
    logger.log(
        LEVELS.get(word, logging.INFO),
        "%s connection=%s link=%s local=%s:%s remote=%s attempt=%s delivery=%s reason=%s",
        word,
        link.connection_id,
        link.pk,
        link.model,
        link.local_id,
        remote or link.remote_id or "-",
        attempt,
        link.attempt_key or "-",
        reason or "-",
    )
