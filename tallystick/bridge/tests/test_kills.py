"""The bridge as a process, killed at the worst moments: nothing is lost, nothing is made twice."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tallystick.bridge.tests import samples
from tallystick.bridge.tests.outside import Gate, Outside, outside

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 30
MOMENTS = [
    ("GET", "/api/v1/clients", False),
    ("GET", "/api/v1/clients", True),
    ("POST", "/api/v1/clients", False),
    ("POST", "/api/v1/clients", True),
    ("POST", "/client-created/", False),
    ("POST", "/client-created/", True),
]


class Process:
    """One bridge on one file, started as often as wanted."""

    def __init__(self, around: Outside, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._environment = {
            "PATH": os.environ["PATH"],
            "ENV_FILE": str(folder / "none"),
            "BRIDGE_PORT": str(self.port),
            "BRIDGE_DATABASE": str(folder / "bridge.sqlite3"),
            "BRIDGE_SECRET": "secret",
            "BRIDGE_CALLBACK_URL": around.url,
            "INVOICE_NINJA_API_URL": around.url,
            "INVOICE_NINJA_API_TOKEN": around.stand.token,
            "INVOICE_NINJA_REQUEST_DELAY": "0",
        }
        self.running: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self.running = subprocess.Popen(
            [sys.executable, "-m", "tallystick.bridge"],
            cwd=ROOT,
            env=self._environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.running.stderr is not None
        said = []
        for line in self.running.stderr:
            said.append(line)
            if "running on" in line:
                return
        pytest.fail("".join(said))

    def end(self, number: signal.Signals) -> float:
        """Seconds that it took."""
        assert self.running is not None
        begun = time.monotonic()
        self.running.send_signal(number)
        self.running.wait(PATIENCE)
        assert self.running.stderr is not None
        self.running.stderr.close()
        self.running = None
        return time.monotonic() - begun

    def send(self, number: int = 17) -> None:
        response = httpx2.post(
            f"http://127.0.0.1:{self.port}/webhook/invoice-ninja-sync",
            json=samples.user(number),
            headers={"X-Webhook-Secret": "secret"},
            trust_env=False,
            timeout=PATIENCE,
        )
        assert response.status_code == 202, response.text


@pytest.fixture
def around() -> Iterator[Outside]:
    with outside() as found:
        yield found


@pytest.fixture
def process(around: Outside, tmp_path: Path) -> Iterator[Process]:
    found = Process(around, tmp_path)
    yield found
    if found.running:
        found.end(signal.SIGKILL)


@pytest.mark.parametrize(("method", "path", "after"), MOMENTS)
def test_killed_in_the_middle(
    around: Outside, process: Process, method: str, path: str, after: bool
) -> None:
    gate = around.gate = Gate(method, path, after)
    process.start()
    process.send()
    assert gate.reached.wait(PATIENCE)
    process.end(signal.SIGKILL)
    gate.opened.set()
    process.start()
    assert around.came.acquire(timeout=PATIENCE)
    one_client_is_made_and_told(around)
    assert process.end(signal.SIGTERM) < 10


def test_killed_as_soon_as_it_has_accepted(around: Outside, process: Process) -> None:
    process.start()
    for number in range(10):
        process.send(number + 1)
    process.end(signal.SIGKILL)
    process.start()
    for number in range(10):
        process.send(number + 1)
    told: set[int] = set()
    while len(told) < 10:
        assert around.came.acquire(timeout=PATIENCE)
        told = {body["django_user_id"] for body in around.callbacks if body["success"]}
    assert set(around.stand.ledger.counts("clients").values()) == {1}
    assert len(around.stand.ledger.counts("clients")) == 10


def test_asked_to_stop_while_a_call_hangs(around: Outside, process: Process) -> None:
    gate = around.gate = Gate("POST", "/api/v1/clients", after=True)
    process.start()
    process.send()
    assert gate.reached.wait(PATIENCE)
    assert process.end(signal.SIGTERM) < 10
    gate.opened.set()
    process.start()
    assert around.came.acquire(timeout=PATIENCE)
    one_client_is_made_and_told(around)


def one_client_is_made_and_told(around: Outside) -> None:
    assert around.stand.ledger.doubled() == []
    (client,) = around.stand.company.shelves["clients"]
    assert client["id_number"] == samples.user()["key"]
    assert all(body["success"] for body in around.callbacks)
    assert {body["invoice_ninja_client_id"] for body in around.callbacks} == {client["id"]}
