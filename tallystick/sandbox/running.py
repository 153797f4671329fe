"""A sandbox in a process of its own, for tests: it outlives whatever the test kills."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from tallystick.ports.sandboxing import Fault, FaultKind

_ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 5


class NotRunning(Exception):
    """The sandbox did not start; the text is what it said."""


class StandClient:
    """The control of one stand. `url` is its root."""

    def __init__(self, client: httpx2.Client, base: str, name: str) -> None:
        self.url = f"{base}/{name}"
        self._client = client
        self._api = f"{base}/sandbox/api/{name}"

    def act(self, name: str, /, **arguments: object) -> Any:  # noqa: ANN401 - it is JSON
        """Order an action; raises `httpx2.HTTPStatusError` if it is refused."""
        return _json(self._client.post(f"{self._api}/actions/{name}", json=arguments))

    def fault(self, kind: FaultKind | str, **fields: object) -> int:
        """Switch a fault on; its number."""
        fault = Fault.model_validate({"kind": kind, **fields})
        document = fault.model_dump(mode="json")
        return int(_json(self._client.post(f"{self._api}/faults", json=document))["numbers"][0])

    def seed(self, seed: int) -> None:
        """The faults of a probability fall anew, by `seed`."""
        _json(self._client.put(f"{self._api}/faults", json={"seed": seed}))

    def clear_faults(self) -> None:
        _json(self._client.delete(f"{self._api}/faults"))

    def ledger(self, kind: str, *, account: str = "") -> dict[str, int]:
        """Natural key -> how many times it was made."""
        query = {"kind": kind, "account": account}
        counts: dict[str, int] = _json(self._client.get(f"{self._api}/ledger", params=query))
        return counts

    def calls(self, *, after: int = 0) -> list[dict[str, Any]]:
        """The newest 1,000 calls with numbers above `after`, oldest first."""
        document = _json(self._client.get(f"{self._api}/calls", params={"after": after}))
        calls: list[dict[str, Any]] = document["calls"]
        return calls

    def counts(self) -> dict[str, int]:
        """Status (0 for none) -> calls answered with it since the reset."""
        counts: dict[str, int] = _json(self._client.get(f"{self._api}/calls"))["counts"]
        return counts

    def deliveries(self) -> list[dict[str, Any]]:
        """The newest webhook deliveries, oldest first."""
        found: list[dict[str, Any]] = _json(self._client.get(f"{self._api}/deliveries"))
        return found

    def reset(self) -> None:
        _json(self._client.post(f"{self._api}/reset"))


class Running:
    """A running sandbox."""

    def __init__(self, url: str, smtp_port: int) -> None:
        self.url = url
        self.smtp_host = "127.0.0.1"
        self.smtp_port = smtp_port
        self._client = httpx2.Client(timeout=30, trust_env=False)

    def stand(self, name: str) -> StandClient:
        return StandClient(self._client, self.url, name)

    @property
    def xero(self) -> StandClient:
        return self.stand("xero")

    def mails(self, *, to: str = "", subject: str = "") -> list[dict[str, Any]]:
        """The mails that came, newest first, without their parts."""
        query = {"to": to, "subject": subject, "limit": "1000"}
        found: list[dict[str, Any]] = _json(
            self._client.get(f"{self.url}/sandbox/api/mail", params=query)
        )["mails"]
        return found

    def mail(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = _json(self._client.get(f"{self.url}/sandbox/api/mail/{number}"))
        return found

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock; backward with less than nothing."""
        _json(self._client.post(f"{self.url}/sandbox/api/clock", json={"advance": seconds}))

    def down(self, seconds: float) -> None:
        """Refuse all connections for so long; state stays."""
        _json(self._client.post(f"{self.url}/sandbox/api/down", json={"seconds": seconds}))

    def reset(self) -> None:
        _json(self._client.post(f"{self.url}/sandbox/api/reset"))

    def close(self) -> None:
        self._client.close()


@contextmanager
def running(*, port: int = 0, smtp_port: int = 0) -> Iterator[Running]:
    """Start a sandbox, on free loopback ports unless told, and end it with the block. It also ends
    by itself when this process dies."""
    command = [sys.executable, "-m", "tallystick.sandbox", "--attached"]
    command += ["--port", str(port), "--smtp-port", str(smtp_port)]
    # A session of its own: a test that kills the product's process group spares it.
    process = subprocess.Popen(  # noqa: S603 - our own module
        command,
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        sandbox = _greeted(process)
        try:
            yield sandbox
        finally:
            sandbox.close()
    finally:
        _end(process)


def _greeted(process: subprocess.Popen[str]) -> Running:
    """It listens before it greets, so the first line says that it is ready."""
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    line = process.stdout.readline()
    if not line:
        raise NotRunning(f"it ended with status {process.wait(_PATIENCE)}")
    greeting = json.loads(line)
    return Running(greeting["url"], greeting["smtp_port"])


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _json(answer: httpx2.Response) -> Any:  # noqa: ANN401 - it is JSON
    answer.raise_for_status()
    return answer.json()
