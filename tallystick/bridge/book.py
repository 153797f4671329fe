"""The book: what the bridge owes, in a SQLite file of its own. What it says is true after any crash.

A delivery is OWED until Invoice Ninja's answer is known, ANSWERED until Tallystick has heard of it,
then TOLD; UNHEARD when Tallystick did not listen for a day. Whom it is about is forgotten with the
answer: from then on there are only ids.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tallystick.bridge.orders import Order
from tallystick.kit import clock

_PATIENCE = 2.0
"""Seconds for which another process may hold the file before that is an error."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS deliveries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    subject TEXT NOT NULL,
    state TEXT NOT NULL,
    round INTEGER NOT NULL,
    text TEXT NOT NULL,
    succeeded INTEGER NOT NULL DEFAULT 0,
    tries INTEGER NOT NULL DEFAULT 0,
    since REAL NOT NULL,
    due_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (state, due_at);
CREATE INDEX IF NOT EXISTS deliveries_owed ON deliveries (subject, number) WHERE state = 'owed';
CREATE TABLE IF NOT EXISTS pulse (id INTEGER PRIMARY KEY CHECK (id = 1), at REAL NOT NULL);
"""

# Of one subject only the oldest is due, so that two deliveries never make it twice at once.
_DUE = """
SELECT number, id, round, text, tries, since FROM deliveries AS one
WHERE state = ? AND due_at <= ? AND NOT EXISTS (
    SELECT 1 FROM deliveries AS other
    WHERE one.state = 'owed' AND other.state = 'owed'
      AND other.subject = one.subject AND other.number < one.number
)
ORDER BY due_at, number LIMIT ?
"""


class State(StrEnum):
    OWED = "owed"
    ANSWERED = "answered"
    TOLD = "told"
    UNHEARD = "unheard"


class InUse(Exception):
    """Another process has the file."""


@dataclass(frozen=True, slots=True)
class Debt:
    """Something to do for one delivery. `text`: the order as JSON while it is owed, then the
    callback's path and body. `round` grows when a delivery that failed is sent once more."""

    number: int
    id: str
    round: int
    text: str
    tries: int
    since: float


@dataclass(frozen=True, slots=True)
class Counts:
    owed: int
    callbacks_owed: int
    oldest_seconds: float


class Book:
    """Belongs to one process; safe to share by its threads."""

    def __init__(self, path: Path) -> None:
        # Names and addresses are in it: for the owner's eyes only, as are the files beside it.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._lock = threading.Lock()
        self._held: set[int] = set()
        self._db = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=_PATIENCE
        )
        try:
            self._open()
        except sqlite3.Error as error:
            self._db.close()
            if "locked" in str(error):
                raise InUse(f"{path} is in use by another process.") from None
            raise

    def _open(self) -> None:
        for pragma in (
            "locking_mode = EXCLUSIVE",
            "journal_mode = WAL",
            "synchronous = FULL",  # in WAL less than that may lose what was committed last
            "secure_delete = ON",
        ):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(_SCHEMA)
        self.prove()

    def close(self) -> None:
        with self._lock:
            self._db.close()

    # -- what comes in

    def take(self, order: Order) -> None:
        """Owe what `order` asks for. One that is in hand stays as it is; one that went well is told
        again. One that failed is tried once more: Tallystick sends it again when it has heard of
        that and wants it, or has waited in vain."""
        now = clock.now().timestamp()
        with self._writing() as db:
            row = db.execute(
                "SELECT number, state, succeeded, round FROM deliveries WHERE id = ?",
                [order.delivery_id],
            ).fetchone()
            number, state, succeeded, round_ = row or (None, "", 0, 0)
            if state == State.OWED:
                return
            if succeeded:
                db.execute(
                    "UPDATE deliveries SET state = ?, tries = 0, since = ?, due_at = ?"
                    " WHERE number = ?",
                    [State.ANSWERED, now, now, number],
                )
                return
            # A new number: it stands behind what came for the same subject in the meantime.
            db.execute("DELETE FROM deliveries WHERE number = ?", [number])
            db.execute(
                "INSERT INTO deliveries (id, subject, state, round, text, since, due_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    order.delivery_id,
                    order.subject,
                    State.OWED,
                    round_ + 1,
                    order.model_dump_json(),
                    now,
                    now,
                ],
            )

    # -- what is to be done

    @contextmanager
    def claimed(self, state: State) -> Iterator[Debt | None]:
        """The next debt that is due, for this thread alone while the block runs."""
        with self._lock:
            limit = len(self._held) + 1
            found = self._db.execute(_DUE, [state, clock.now().timestamp(), limit])
            debts = (Debt(*row) for row in found.fetchall())
            debt = next((debt for debt in debts if debt.number not in self._held), None)
            if debt:
                self._held.add(debt.number)
        try:
            yield debt
        finally:
            if debt:
                with self._lock:
                    self._held.discard(debt.number)

    def seconds_to_next(self, state: State, *, most: float) -> float:
        """How long until something falls due that is not yet; at most `most`."""
        now = clock.now().timestamp()
        with self._lock:
            (due_at,) = self._db.execute(
                "SELECT MIN(due_at) FROM deliveries WHERE state = ? AND due_at > ?", [state, now]
            ).fetchone()
        return most if due_at is None else min(most, due_at - now)

    def answered(self, debt: Debt, text: str, *, succeeded: bool) -> None:
        """Invoice Ninja's answer is known; `text` is the callback that is owed now."""
        now = clock.now().timestamp()
        with self._writing() as db:
            db.execute(
                "UPDATE deliveries SET state = ?, text = ?, succeeded = ?, tries = 0, since = ?,"
                " due_at = ? WHERE number = ? AND state = ?",
                [State.ANSWERED, text, succeeded, now, now, debt.number, State.OWED],
            )

    def settled(self, debt: Debt, state: State = State.TOLD) -> None:
        """Nothing more is owed for it."""
        with self._writing() as db:
            db.execute(
                "UPDATE deliveries SET state = ?, since = ?,"
                " text = CASE state WHEN 'owed' THEN '' ELSE text END"
                " WHERE number = ? AND state IN ('owed', 'answered')",
                [state, clock.now().timestamp(), debt.number],
            )

    def postponed(self, debt: Debt, seconds: float) -> None:
        with self._writing() as db:
            db.execute(
                "UPDATE deliveries SET tries = tries + 1, due_at = ? WHERE number = ?",
                [clock.now().timestamp() + seconds, debt.number],
            )

    # -- keeping it

    def counts(self) -> Counts:
        with self._lock:
            owed, answered, oldest = self._db.execute(
                "SELECT COUNT(*) FILTER (WHERE state = 'owed'),"
                " COUNT(*) FILTER (WHERE state = 'answered'), MIN(since)"
                " FROM deliveries WHERE state IN ('owed', 'answered')"
            ).fetchone()
        age = 0.0 if oldest is None else max(clock.now().timestamp() - oldest, 0.0)
        return Counts(owed, answered, round(age, 1))

    def prove(self) -> None:
        """Write something; raises `sqlite3.Error` when that cannot be done."""
        with self._writing() as db:
            db.execute("REPLACE INTO pulse VALUES (1, ?)", [clock.now().timestamp()])

    def forget(self, days: float) -> int:
        """Forget what has been settled for so long; answers how much it was."""
        before = clock.now().timestamp() - days * 86_400
        with self._writing() as db:
            return db.execute(
                "DELETE FROM deliveries WHERE state IN ('told', 'unheard') AND since < ?", [before]
            ).rowcount

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
