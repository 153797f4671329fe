"""Real worker processes on the test's database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

LONGEST_WAIT = 30.0


def database_url() -> str:
    """The test's database, as another process names it."""
    chosen = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{chosen['NAME']}"
    account = f"{chosen['USER']}:{chosen['PASSWORD']}".removesuffix(":")
    place = f"{chosen['HOST']}:{chosen['PORT']}".removesuffix(":")
    return f"postgres://{account}@{place}/{chosen['NAME']}"


class WorkerProcess:
    """`manage.py worker` with these options, in a process group of its own."""

    def __init__(self, *options: str, **environment: str) -> None:
        command = [sys.executable, "manage.py", "worker", *options]
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            command,
            cwd=Path(settings.BASE_DIR),
            env={
                **os.environ,
                "DATABASE_URL": database_url(),
                "DJANGO_SETTINGS_MODULE": "tests.settings",
                "CELERY_BROKER_URL": "",
                **environment,
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self.log = ""

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self) -> int:
        """Wait for its end; answers its exit code."""
        try:
            _, self.log = self._process.communicate(timeout=LONGEST_WAIT)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        return self._process.returncode

    def kill(self) -> None:
        """SIGKILL to the whole group: no time for a last word."""
        if self.is_running:
            os.killpg(self.pid, signal.SIGKILL)
        _, self.log = self._process.communicate(timeout=LONGEST_WAIT)


@contextmanager
def worker(*options: str, **environment: str) -> Iterator[WorkerProcess]:
    started = WorkerProcess(*options, **environment)
    try:
        yield started
    finally:
        started.kill()


def eventually(condition: Callable[[], object]) -> None:
    """Wait until `condition` holds."""
    until = time.monotonic() + LONGEST_WAIT
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)
