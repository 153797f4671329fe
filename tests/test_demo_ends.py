"""However the demo's parent ends, its children leave the ports."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tallystick.queue.tests.processes import eventually

ROOT = Path(__file__).resolve().parent.parent
PORTS = ("DEMO_WEB_PORT", "DEMO_SANDBOX_PORT", "DEMO_MAIL_PORT")
# The demo's own main, signals and stage; in place of the site, something that holds its port.
PLAY = """
import signal, sys, time
from functools import partial
from pathlib import Path
from tallystick.demo import __main__ as demo

def play(built, *, once):
    built.start("web", "-m", "http.server", str(built.ports.web), "--bind", "127.0.0.1")
    time.sleep(60)

demo.stage = partial(demo.stage, folder=Path(sys.argv.pop()))
demo._play = play
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whatever the tests were started under
sys.exit(demo.main())
"""


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [probe.getsockname()[1] for probe in probes]


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    ports = free_ports(len(PORTS))
    settings = dict(zip(PORTS, map(str, ports), strict=True))
    with subprocess.Popen(
        [sys.executable, "-c", PLAY, str(tmp_path / "demo")],
        cwd=ROOT,
        env=os.environ | settings,
        stdout=subprocess.DEVNULL,
    ) as running:
        try:
            eventually(lambda: answers(ports[0]))
            yield running, ports[0]
        finally:
            if running.poll() is None:
                running.terminate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_its_children_leave_the_ports(
    demo: tuple[subprocess.Popen[bytes], int], number: signal.Signals
) -> None:
    if number == signal.SIGKILL and sys.platform != "linux":
        pytest.skip("only Linux ends the children of a killed parent")
    running, port = demo
    running.send_signal(number)
    running.wait(10)
    eventually(lambda: not answers(port))
