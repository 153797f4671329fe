"""What became of links in a run, and what is about to be sent: written in bulk.

On PostgreSQL one statement over arrays, on SQLite one that is prepared once and run for each row:
the cheapest that either has.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection as database

from tallystick.kit import clock
from tallystick.queue.rows import State


@dataclass(frozen=True, slots=True)
class Told:
    """As a go-between's link must still be for a result to hold. With `due_at` (it was not sent) also
    that and the remote id. `most`: so many tries there are."""

    state: State
    attempt_key: str
    due_at: datetime | None = None
    most: int = 0


@dataclass(slots=True)
class Result:
    """What became of one link. `state` holds unless an edit came between (`touched` moved): then
    the link stays due for the newer content. `fresh`: by a call; `is_new`: the remote
    id was not known before. `told`: of a go-between, whose callback
    may have been quicker and counts for more."""

    link_id: int
    touched: uuid.UUID
    state: State
    due_at: datetime
    remote_id: str = ""
    remote_version: str = ""
    remote_url: str = ""
    fingerprint: str = ""
    attempt_key: str = ""
    attempts: int = 0
    last_error: str = ""
    remark: str = ""
    synced_at: datetime | None = None
    waits_for: int | None = None
    fresh: bool = False
    is_new: bool = False
    told: Told | None = None
    label: str = ""
    difference: str | None = None
    seen: str | None = None
    """Of what a pull compares; None leaves them as they are."""


_LONGEST_REMARK = 300
_TYPES = {
    "touched": "uuid",
    "state": "text",
    "due_at": "timestamptz",
    "remote_id": "text",
    "remote_version": "text",
    "remote_url": "text",
    "fingerprint": "text",
    "attempt_key": "text",
    "attempts": "integer",
    "last_error": "text",
    "remark": "text",
    "synced_at": "timestamptz",
    "waits_for_id": "bigint",
    "difference": "text",
    "seen": "text",
    "id": "bigint",
}
_RESULT = (*_TYPES,)
_OR_LEFT = ("difference", "seen")
_PLAIN = [name for name in _RESULT if name not in {"id", "touched", "state", "due_at", *_OR_LEFT}]

_ON_POSTGRES = f"""
UPDATE integrations_link AS link SET
  state = CASE WHEN link.touched = new.touched THEN new.state ELSE 'due' END,
  due_at = CASE WHEN link.touched = new.touched THEN new.due_at ELSE %s END,
  {", ".join(f"{name} = new.{name}" for name in _PLAIN)},
  {", ".join(f"{name} = COALESCE(new.{name}, link.{name})" for name in _OR_LEFT)}, updated_at = %s
FROM unnest({", ".join(f"%s::{kind}[]" for kind in _TYPES.values())}) AS new ({", ".join(_RESULT)})
WHERE link.id = new.id
"""  # noqa: S608 - names of our own columns

_ON_SQLITE = f"""
UPDATE integrations_link SET
  state = CASE WHEN touched = %s THEN %s ELSE 'due' END,
  due_at = CASE WHEN touched = %s THEN %s ELSE %s END,
  {", ".join(f"{name} = %s" for name in _PLAIN)},
  {", ".join(f"{name} = COALESCE(%s, {name})" for name in _OR_LEFT)}, updated_at = %s
WHERE id = %s
"""  # noqa: S608

_TOLD_TYPES = {
    "touched": "uuid",
    "was": "text",
    "was_key": "text",
    "was_due_at": "timestamptz",
    "most": "integer",
    "state": "text",
    "due_at": "timestamptz",
    "remote_id": "text",
    "attempt_key": "text",
    "attempts": "integer",
    "last_error": "text",
    "waits_for_id": "bigint",
    "updated_at": "timestamptz",
    "id": "bigint",
}
_TOLD_SET = ("due_at", "attempt_key", "last_error", "waits_for_id")
_AS_IT_WAS = """link.state = new.was AND link.attempt_key = new.was_key AND (
    new.was_due_at IS NULL OR (link.due_at = new.was_due_at AND link.remote_id = new.remote_id))"""
_UNLESS_TOLD = f"""
UPDATE integrations_link AS link SET
  state = CASE WHEN {_AS_IT_WAS} THEN new.state
    WHEN link.state = 'due' AND link.attempts BETWEEN 1 AND new.attempts - 1
      AND new.most BETWEEN 1 AND new.attempts THEN 'dead'
    ELSE link.state END,
  attempts = CASE WHEN {_AS_IT_WAS} OR link.attempts < new.attempts THEN new.attempts
    ELSE link.attempts END,
  {
    ", ".join(
        f"{name} = CASE WHEN {_AS_IT_WAS} THEN new.{name} ELSE link.{name} END"
        for name in _TOLD_SET
    )
},
  updated_at = new.updated_at
"""  # noqa: S608 - names of our own columns
_TOLD_ON_POSTGRES = f"""{_UNLESS_TOLD}
FROM unnest({", ".join(f"%s::{kind}[]" for kind in _TOLD_TYPES.values())}) AS new ({
    ", ".join(_TOLD_TYPES)
})
WHERE link.id = new.id AND link.touched = new.touched
"""
_TOLD_ON_SQLITE = f"""{_UNLESS_TOLD}
FROM (SELECT {", ".join(f"%s AS {name}" for name in _TOLD_TYPES)}) AS new
WHERE link.id = new.id AND link.touched = new.touched
"""

_ATTEMPT_ON_POSTGRES = """
UPDATE integrations_link AS link SET
  state = CASE WHEN link.state = 'dead' THEN link.state ELSE 'uncertain' END,
  attempt_key = new.key, attempt_fingerprint = new.print, attempted_at = %s, due_at = %s
FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS new (id, key, print)
WHERE link.id = new.id
"""

_ATTEMPT_ON_SQLITE = """
UPDATE integrations_link SET
  state = CASE WHEN state = 'dead' THEN state ELSE 'uncertain' END,
  attempted_at = %s, due_at = %s, attempt_key = %s, attempt_fingerprint = %s
WHERE id = %s
"""


def write_results(results: Iterable[Result]) -> None:
    # In one order, always: two writers then wait for each other instead of dying of it.
    ordered = sorted(results, key=lambda result: result.link_id)
    _write_unless_told([result for result in ordered if result.told])
    rows = [_values(result) for result in ordered if not result.told]
    if not rows:
        return
    now = _db(clock.now())
    with database.cursor() as cursor:
        if database.vendor == "postgresql":
            cursor.execute(_ON_POSTGRES, [now, now, *_columns(rows)])
        else:
            cursor.executemany(_ON_SQLITE, [_for_sqlite(row, now) for row in rows])


def _write_unless_told(results: Sequence[Result]) -> None:
    """Only while the link is as it was. Once it has been called back or edited, nothing but the count
    of tries is still missing; it may have been the last."""
    now = clock.now()
    rows = [row for result in results if (row := _told_values(result, now))]
    if not rows:
        return
    with database.cursor() as cursor:
        if database.vendor == "postgresql":
            cursor.execute(_TOLD_ON_POSTGRES, _columns(rows))
        else:
            cursor.executemany(_TOLD_ON_SQLITE, rows)


def write_attempts(
    attempts: Iterable[tuple[int, str, str]], *, now: datetime, until: datetime
) -> None:
    """Remember, before anything is sent, under which identity: (link id, attempt, fingerprint).
    Until `until` no one else looks at these rows."""
    rows = sorted(attempts)
    times = [_db(now), _db(until)]
    with database.cursor() as cursor:
        if database.vendor == "postgresql":
            cursor.execute(_ATTEMPT_ON_POSTGRES, [*times, *_columns(rows)])
        else:
            cursor.executemany(_ATTEMPT_ON_SQLITE, [(*times, *rest, pk) for pk, *rest in rows])


def _values(result: Result) -> tuple[Any, ...]:
    """In the order of `_TYPES`."""
    return (
        result.touched, result.state.value, _db(result.due_at), result.remote_id,
        result.remote_version, result.remote_url, result.fingerprint, result.attempt_key,
        result.attempts, result.last_error, result.remark[:_LONGEST_REMARK],
        _db(result.synced_at), result.waits_for,
        result.difference, result.seen, result.link_id,
    )  # fmt: skip


def _told_values(result: Result, now: datetime) -> tuple[Any, ...]:
    """In the order of `_TOLD_TYPES`."""
    if result.told is None:
        return ()
    on_postgres = database.vendor == "postgresql"
    return (
        result.touched if on_postgres else result.touched.hex,
        result.told.state.value, result.told.attempt_key, _db(result.told.due_at), result.told.most,
        result.state.value, _db(result.due_at), result.remote_id, result.attempt_key,
        result.attempts, result.last_error, result.waits_for, _db(now), result.link_id,
    )  # fmt: skip


def _for_sqlite(row: Sequence[Any], now: object) -> tuple[Any, ...]:
    touched, state, due_at, *plain, link_id = row
    touched = getattr(touched, "hex", touched)
    return (touched, state, touched, due_at, now, *plain, now, link_id)


def _columns(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _db(value: datetime | None) -> Any:  # noqa: ANN401 - as the database has it
    return database.ops.adapt_datetimefield_value(value) if value else None
