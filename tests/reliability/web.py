"""R2: the web server killed while it is told events and asked for invoices, by callers who try again
until they are answered. What they were answered, and what is stored, must fit."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import httpx2

from tallystick.integrations.connections import Connection
from tallystick.queue.tests.processes import database_url

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 900.0
_CALLERS = 4


class WebProcess:
    """The site on a port that stays the same, as the docs run it (eight requests at once) but of two
    processes, in one group to be killed."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        own = {
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "ALLOWED_HOSTS": "127.0.0.1",
            "API_REQUESTS_PER_MINUTE": "1000000",
            "INVOICE_NINJA_CALLBACKS_PER_MINUTE": "1000000",
            "LOG_LEVEL": "CRITICAL",
        }
        command = [sys.executable, "-m", "granian", "--interface", "wsgi"]
        command += ["--workers", "2", "--blocking-threads", "4", "--port", str(self.port)]
        self._process = subprocess.Popen(
            [*command, "tallystick.wsgi:application"],
            cwd=ROOT,
            env={**os.environ, **own},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def kill(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


@contextmanager
def web() -> Iterator[WebProcess]:
    process = WebProcess()
    process.start()
    try:
        yield process
    finally:
        process.kill()


@dataclass
class Outcome:
    """Of what callers were answered: the invoices' ids by key, the ids of events, odd statuses."""

    invoices: dict[str, str] = field(default_factory=dict)
    events: set[str] = field(default_factory=set)
    odd: list[int] = field(default_factory=list)
    kills: int = 0

    @property
    def answered(self) -> int:
        return len(self.invoices) + len(self.events)


@dataclass
class Callers:
    """What they ask for, and of whom. Without `keys` a repeat is not told from a second wish."""

    url: str
    api_key: str
    client: str
    connection: Connection
    keys: bool = True
    outcome: Outcome = field(default_factory=Outcome)

    def make_invoice(self, http: httpx2.Client, name: str) -> bool:
        body = {
            "client": self.client,
            "lines": [{"description": name, "quantity": "1", "unit_price": "10.00"}],
            "issue": True,
            "send": True,
        }
        headers = {"Authorization": f"Bearer {self.api_key}"}
        if self.keys:
            headers["Idempotency-Key"] = name
        address = f"{self.url}/api/v1/order-payments/invoices/"
        answer = http.post(address, json=body, headers=headers)
        if answer.status_code != 201:
            self._note(answer.status_code, fine={409, 502, 503})
            return False
        self.outcome.invoices[name] = answer.json()["id"]
        return True

    def tell_event(self, http: httpx2.Client, name: str) -> bool:
        body = _event(name, self.connection.custom_data["tenant_id"])
        key = self.connection.credentials["webhook_key"]
        signature = b64encode(hmac.digest(key.encode(), body, hashlib.sha256)).decode()
        headers = {"x-xero-signature": signature, "Content-Type": "application/json"}
        answer = http.post(
            f"{self.url}/api/integrations/xero/webhook/", content=body, headers=headers
        )
        if not answer.is_success:
            self._note(answer.status_code, fine={502, 503})
            return False
        self.outcome.events.add(name)
        return True

    def is_refused(self) -> bool:
        """Something was answered that no repeat will mend."""
        return bool(self.outcome.odd)

    def _note(self, status: int, *, fine: set[int]) -> None:
        if status not in fine:
            self.outcome.odd.append(status)


def besiege(process: WebProcess, callers: Callers, *, posts: int, events: int, kills: int) -> None:
    """All of it asked for and told, while the server is killed `kills` times on the way."""
    wishes = [f"wish-{n}" for n in range(posts)]
    news = [str(uuid.UUID(int=n + 1)) for n in range(events)]
    threads = [
        *_calling(wishes, callers.make_invoice, callers.is_refused),
        *_calling(news, callers.tell_event, callers.is_refused),
    ]
    for thread in threads:
        thread.start()
    chance, outcome, seen = random.Random(20261121), callers.outcome, 0
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.05)
        if outcome.kills < kills and outcome.answered > seen:
            time.sleep(chance.uniform(0, 0.5))
            process.kill()
            outcome.kills, seen = outcome.kills + 1, outcome.answered
            process.start()
    for thread in threads:
        thread.join()


def _calling(
    wishes: Iterable[str],
    ask: Callable[[httpx2.Client, str], bool],
    is_over: Callable[[], bool],
) -> list[threading.Thread]:
    """Threads that ask for each, again and again, until it is answered."""
    left: SimpleQueue[str] = SimpleQueue()
    for wish in wishes:
        left.put(wish)
    until = time.monotonic() + PATIENCE

    def work() -> None:
        with httpx2.Client(timeout=5, trust_env=False) as http:
            while time.monotonic() < until:
                try:
                    wish = left.get_nowait()
                except Empty:
                    return
                while not _asked(ask, http, wish):
                    if time.monotonic() > until or is_over():
                        return
                    time.sleep(0.05)

    return [threading.Thread(target=work) for _ in range(_CALLERS)]


def _asked(ask: Callable[[httpx2.Client, str], bool], http: httpx2.Client, wish: str) -> bool:
    try:
        return ask(http, wish)
    except httpx2.HTTPError:
        return False


def _event(name: str, tenant: str) -> bytes:
    event: dict[str, Any] = {
        "resourceUrl": f"https://api.xero.com/api.xro/2.0/Invoices/{name}",
        "resourceId": name,
        "eventDateUtc": "2026-03-01T10:00:00.000",
        "eventType": "UPDATE",
        "eventCategory": "INVOICE",
        "tenantId": tenant,
        "tenantType": "ORGANISATION",
    }
    body = {"events": [event], "firstEventSequence": 1, "lastEventSequence": 1, "entropy": "R2"}
    return json.dumps(body).encode()
