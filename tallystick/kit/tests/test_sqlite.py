from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError
from pytest_django import DjangoDbBlocker

from tallystick.kit.db.sqlite.base import DatabaseWrapper, PatientCursor

SETTINGS: dict[str, Any] = {
    "ENGINE": "tallystick.kit.db.sqlite",
    "OPTIONS": {
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; CREATE TABLE IF NOT EXISTS note (text)",
    },
    "AUTOCOMMIT": True,
    "ATOMIC_REQUESTS": False,
    "CONN_MAX_AGE": 0,
    "CONN_HEALTH_CHECKS": False,
    "TIME_ZONE": None,
    "TEST": {},
    "USER": "",
    "PASSWORD": "",
    "HOST": "",
    "PORT": "",
}


@pytest.fixture(autouse=True)
def _own_database(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


def connect(path: Path, patience: float) -> DatabaseWrapper:
    options = {**SETTINGS["OPTIONS"], "timeout": patience}
    return DatabaseWrapper({**SETTINGS, "NAME": str(path), "OPTIONS": options}, "notes")


def write(path: Path, patience: float) -> None:
    connection = connect(path, patience)
    try:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO note VALUES (%s)", ["hello"])
    finally:
        connection.close()


def test_a_writer_waits_for_its_turn(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite3"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    write(path, patience=1)
    other.execute("BEGIN IMMEDIATE")
    looked = threading.Event()
    with patch.object(PatientCursor, "_was_busy", _telling(looked)):
        writer = threading.Thread(target=write, args=[path, 10])
        writer.start()
        assert looked.wait(5)
        other.execute("COMMIT")
        writer.join(5)
    assert other.execute("SELECT COUNT(*) FROM note").fetchone() == (2,)
    other.close()


def test_a_writer_gives_up_in_the_end(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite3"
    write(path, patience=1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    with pytest.raises(OperationalError, match="locked"):
        write(path, patience=0.05)
    assert time.monotonic() - began < 1
    other.close()


def test_another_error_is_raised_at_once(tmp_path: Path) -> None:
    connection = connect(tmp_path / "notes.sqlite3", patience=60)
    with pytest.raises(OperationalError, match="no such table"), connection.cursor() as cursor:
        cursor.execute("INSERT INTO missing VALUES (1)")
    connection.close()


def _telling(
    event: threading.Event,
) -> Callable[[PatientCursor, sqlite3.OperationalError], bool]:
    was_busy = PatientCursor._was_busy

    def told(cursor: PatientCursor, error: sqlite3.OperationalError) -> bool:
        event.set()
        return was_busy(cursor, error)

    return told
