"""Faults on real sockets, and the process around them."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tallystick.ports.sandboxing import FaultKind
from tallystick.sandbox.__main__ import main
from tallystick.sandbox.running import Running, running

_MANY = 10_000
"""Tries before a test gives up waiting; each is a round trip."""


def make(xero: httpx2.Client, code: str) -> httpx2.Response:
    return xero.post("/Items?summarizeErrors=false", json={"Items": [{"Code": code}]})


@pytest.mark.parametrize(
    ("kind", "error", "is_made"),
    [
        (FaultKind.REFUSED, httpx2.TransportError, False),
        (FaultKind.BLACK_HOLE, httpx2.ReadTimeout, False),
        (FaultKind.LOST_ANSWER, httpx2.ReadTimeout, True),
        (FaultKind.HANG_UP, httpx2.RemoteProtocolError, False),
        (FaultKind.RESET, (httpx2.ReadError, httpx2.RemoteProtocolError), True),
        (FaultKind.SLOW_BODY, httpx2.ReadTimeout, True),
    ],
)
def test_faults_without_a_whole_answer(
    sandbox: Running,
    xero: httpx2.Client,
    kind: FaultKind,
    error: type[Exception],
    is_made: bool,
) -> None:
    sandbox.xero.fault(kind, times=1, path="/Items")
    xero.timeout = httpx2.Timeout(10, read=0.5)
    with pytest.raises(error):
        make(xero, "a")
    assert sandbox.xero.ledger("items") == ({"a": 1} if is_made else {})
    assert sandbox.xero.calls()[-1]["note"] == kind
    xero.timeout = httpx2.Timeout(10)
    assert make(xero, "b").status_code == 200


@pytest.mark.parametrize(
    ("kind", "status", "is_made"),
    [
        (FaultKind.TRUNCATED, 200, True),
        (FaultKind.HTML, 200, True),
        (FaultKind.STATUS, 503, False),
        (FaultKind.TOO_MANY, 429, False),
        (FaultKind.TOKEN_EXPIRED, 401, False),
    ],
)
def test_faults_with_an_answer(
    sandbox: Running,
    xero: httpx2.Client,
    kind: FaultKind,
    status: int,
    is_made: bool,
) -> None:
    sandbox.xero.fault(kind, times=1)
    answer = make(xero, "a")
    assert answer.status_code == status
    assert sandbox.xero.ledger("items") == ({"a": 1} if is_made else {})
    if status == 200:
        with pytest.raises(ValueError, match=r"."):
            answer.json()


def test_a_fault_can_be_switched_off(sandbox: Running, xero: httpx2.Client) -> None:
    sandbox.xero.fault("status", status=500)
    assert make(xero, "a").status_code == 500
    sandbox.xero.clear_faults()
    assert make(xero, "a").status_code == 200


def test_chance_falls_by_the_seed(sandbox: Running, xero: httpx2.Client) -> None:
    def statuses() -> list[int]:
        sandbox.xero.seed(7)
        return [xero.get("/Organisation").status_code for _ in range(20)]

    sandbox.xero.act("lift_limits")
    sandbox.xero.fault("status", probability=0.5)
    first = statuses()
    assert set(first) == {200, 503}
    assert statuses() == first


def test_no_more_at_once_than_allowed(sandbox: Running, xero: httpx2.Client) -> None:
    sandbox.xero.fault("latency", seconds=0.2)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: make(xero, str(n)), range(8)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] * 5 + [429] * 3
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["x-rate-limit-problem"] == "concurrent"
    assert sandbox.xero.act("organisations")[0]["most_calls_at_once"] == 5


def test_a_client_that_left_frees_its_place(sandbox: Running, xero: httpx2.Client) -> None:
    sandbox.xero.fault("black hole", times=5)
    xero.timeout = httpx2.Timeout(10, read=0.2)
    for _ in range(5):
        with pytest.raises(httpx2.ReadTimeout):
            make(xero, "a")
    xero.timeout = httpx2.Timeout(10)
    assert make(xero, "a").status_code == 200


def test_the_clock_goes_forward(sandbox: Running, xero: httpx2.Client) -> None:
    assert xero.get("/Organisation").status_code == 200
    sandbox.advance(30 * 60)
    assert xero.get("/Organisation").status_code == 401


def test_it_can_be_down_for_a_while(sandbox: Running, xero: httpx2.Client) -> None:
    make(xero, "a")
    sandbox.down(0.3)
    for _ in range(_MANY):
        try:
            xero.get("/Organisation")
        except httpx2.ConnectError:
            break
        except httpx2.TransportError:
            continue
    else:
        pytest.fail("it was never down")
    for _ in range(_MANY):
        try:
            xero.get("/Organisation")
            break
        except httpx2.ConnectError:
            continue
    assert sandbox.xero.ledger("items") == {"a": 1}


def test_a_taken_port_is_one_clear_line(
    sandbox: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = sandbox.url.rpartition(":")[2]
    assert main(["--port", taken]) == 1
    assert main(["--port", "0", "--smtp-port", taken]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert taken in first
    assert "--port" in first
    assert taken in second
    assert "--smtp-port" in second


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_once_though_clients_hang(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "tallystick.sandbox", "--port", "0", "--smtp-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
        assert process.stdout is not None
        url = process.stdout.readline().split()[1].rstrip("/")
        httpx2.post(f"{url}/sandbox/api/xero/faults", json={"kind": "black hole"}, trust_env=False)
        host, _, port = url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as hanging:
            hanging.sendall(b"GET /xero/x HTTP/1.1\r\nhost: x\r\n\r\n")
            httpx2.get(f"{url}/sandbox/api/", trust_env=False)
            process.send_signal(number)
            assert process.wait(5) == 0
            assert hanging.recv(100) == b""


def test_it_ends_with_its_parent() -> None:
    with running() as mine:
        assert httpx2.get(mine.url, trust_env=False).status_code == 200
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(mine.url, trust_env=False)
    command = [sys.executable, "-m", "tallystick.sandbox", "--attached", "--port", "0"]
    command += ["--smtp-port", "0"]
    with subprocess.Popen(  # noqa: S603 - our own module
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        process.stdin.close()
        assert process.wait(5) == 0


def test_many_at_once_lose_nothing(sandbox: Running, xero: httpx2.Client) -> None:
    sandbox.xero.act("lift_limits")
    sandbox.xero.fault("latency", seconds=0.02)
    start = threading.Barrier(16)

    def work(worker: int) -> None:
        start.wait()
        for number in range(10):
            assert make(xero, f"{worker}-{number}").status_code == 200

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    ledger = sandbox.xero.ledger("items")
    assert (len(ledger), set(ledger.values())) == (160, {1})
    assert sandbox.xero.counts()["200"] == 161
