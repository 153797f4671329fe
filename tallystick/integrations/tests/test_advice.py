from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tallystick.integrations import landing
from tallystick.integrations.advice import advice
from tallystick.integrations.connections import Connection
from tallystick.integrations.links import Link
from tallystick.kit import clock
from tallystick.queue.rows import State

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.use(clock.VirtualClock(NOW)):
        yield


def link(connection: Connection | None = None, **values: Any) -> Link:
    """A link at a relay, not stored."""
    relay = connection or at(type="INVOICE_NINJA_RELAY", name="Our n8n")
    return Link(connection=relay, touched=uuid.uuid4(), **{"due_at": NOW, **values})


def at(**values: Any) -> Connection:
    return Connection(**{"type": "XERO", "name": "Xero", "is_active": True, **values})


def test_what_is_in_step_asks_for_nothing() -> None:
    said = advice(link(state=State.DONE, remote_id="Wpmbk5ezJn", synced_at=NOW))
    assert said.what == "In step since March 1, 2026, noon."
    assert (said.todo, said.for_us) == ("Nothing.", False)


def test_what_is_not_to_be_sent_says_why() -> None:
    said = advice(link(state=State.DONE, last_error="It was deleted here."))
    assert (said.what, said.for_us) == ("It was deleted here.", False)


def test_what_did_not_go_along_is_said_and_holds_up_nothing() -> None:
    sent = link(state=State.DONE, remote_id="Wpmbk5ezJn", synced_at=NOW, remark="No price.")
    said = advice(sent)
    assert (said.what, said.for_us) == ("No price.", False)
    assert said.todo.startswith("Change it here")


def test_a_go_between_is_given_time_to_call_back() -> None:
    awaited = link(state=State.UNCERTAIN, attempt_key="d1", attempts=1, due_at=LATER)
    assert advice(awaited).what == "Our n8n has it, and is to call back by March 1, 2026, 1 p.m."
    assert not advice(awaited).for_us
    awaited.last_error = landing.NO_CALLBACK
    assert advice(awaited).what.startswith("Of an earlier try no callback came. Our n8n has it")
    awaited.due_at = NOW
    assert "no callback came by March 1, 2026, noon." in advice(awaited).what


def test_no_callback_leads_to_the_relay() -> None:
    given_up = link(state=State.DEAD, attempts=3, attempt_key="d1")
    given_up.last_error = landing.given_up(given_up, NOW).last_error
    said = advice(given_up)
    assert said.what == "It was accepted 3 times, and no callback came."
    assert said.todo == landing.SEE_THE_RELAY
    assert said.for_us


def test_given_up_says_after_how_many_tries_and_why() -> None:
    said = advice(link(state=State.DEAD, attempts=3, last_error="Host not found"))
    assert said.what == "Given up after 3 tries: Host not found."
    assert said.for_us


def test_a_refusal_is_told_in_its_own_words() -> None:
    said = advice(link(state=State.DEAD, attempts=1, last_error="email: is not one."))
    assert said.what == "Refused: email: is not one."
    assert "Correct it here" in said.todo


def test_a_taken_number_says_who_has_it() -> None:
    words = "id_number: The id number has already been taken."
    assert "archived or deleted" in advice(link(state=State.DEAD, last_error=words)).todo


@pytest.mark.parametrize(
    ("state", "connection", "what", "for_us"),
    [
        (State.DUE, {"is_active": False}, "The connection is switched off.", True),
        (State.DEAD, {"is_active": False}, "The connection is switched off.", True),
        (
            State.DUE,
            {"needs_reconnect": True, "sync_error": "Reconnect: no"},
            "Reconnect: no.",
            True,
        ),
        (
            State.DUE,
            {"rests_until": LATER, "rest_reason": "The minute limit is used up."},
            "The connection rests until March 1, 2026, 1 p.m.: The minute limit is used up.",
            False,
        ),
    ],
)
def test_the_connection_comes_first(
    state: State, connection: dict[str, Any], what: str, for_us: bool
) -> None:
    said = advice(link(at(**connection), state=state, last_error="Something else."))
    assert (said.what, said.for_us) == (what, for_us)


def test_waiting_for_a_customer_that_failed_leads_there() -> None:
    waiting = link(state=State.DUE, waits_for_id=7, last_error="Waiting for its customer.")
    assert not advice(waiting).for_us
    waiting.last_error = "Waiting for its customer, which failed: no name."
    assert "Mend that one first" in advice(waiting).todo
    assert advice(waiting).for_us


def test_edited_new_and_failed_are_told_apart() -> None:
    assert advice(link(remote_id="a")).what == "Edited since it was sent, and due."
    assert advice(link()).what == "Due, and not sent yet."
    failed = advice(link(attempts=2, last_error="It is down", due_at=LATER))
    assert failed.what == "Try 2 failed: It is down."
    assert "tried again at March 1, 2026, 1 p.m." in failed.todo


def test_a_lost_answer_is_looked_up() -> None:
    lost = link(at(), state=State.UNCERTAIN, attempt_key="k", attempts=1, last_error="No answer")
    assert advice(lost).what == "No answer."
    assert "looked up there" in advice(lost).todo


def test_a_difference_is_ours_to_settle() -> None:
    said = advice(link(state=State.DONE, remote_id="a", difference="Its total is 3.00 there."))
    assert said.what == "Its total is 3.00 there."
    assert said.for_us
