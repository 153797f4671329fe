"""The stage: where the demo lives, its settings, and the processes that run it."""

from __future__ import annotations

import base64
import contextlib
import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tallystick.kit.env import BadSetting, Env

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / ".demo"
HOST = "127.0.0.1"
READY_SECONDS = 30
STOP_SECONDS = 8

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def _end_with_parent(libc: ctypes.CDLL) -> None:
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


# However the parent ends, its children do not keep the ports. Loaded here, as a forked process may
# not load anything; elsewhere than on Linux only a killed parent leaves children behind.
_END_WITH_PARENT = partial(_end_with_parent, ctypes.CDLL(None)) if sys.platform == "linux" else None


class StageError(Exception):
    """The demo cannot go on; the message is one line that says what to do."""


@dataclass(frozen=True)
class Ports:
    web: int
    sandbox: int
    mail: int

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Ports:
        env = Env(variables)
        return cls(
            web=env.port("DEMO_WEB_PORT", 8000),
            sandbox=env.port("DEMO_SANDBOX_PORT", 8100),
            mail=env.port("DEMO_MAIL_PORT", 8125),
        )

    def require_free(self) -> None:
        """Raises `BadSetting`, which names the setting to change."""
        names = {"DEMO_WEB_PORT": self.web, "DEMO_SANDBOX_PORT": self.sandbox,
                 "DEMO_MAIL_PORT": self.mail}  # fmt: skip
        if len(set(names.values())) < len(names):
            raise BadSetting("DEMO_WEB_PORT", "the three ports of the demo must differ.")
        for name, port in names.items():
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((HOST, port))
                except OSError:
                    raise BadSetting(
                        name, f"port {port} is taken; stop what uses it, or set {name} to another."
                    ) from None


@dataclass
class Stage:
    """A folder, an environment and the running processes. The folder starts empty each time."""

    ports: Ports
    folder: Path = FOLDER
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def web(self) -> str:
        return f"http://localhost:{self.ports.web}"

    @property
    def sandbox(self) -> str:
        return f"http://{HOST}:{self.ports.sandbox}"

    def prepare(self) -> None:
        """An empty folder, and the environment of the site in this process and its children."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        os.environ.update(self.settings())
        os.environ.pop("DATABASE_URL_FILE", None)

    def settings(self) -> dict[str, str]:
        """As in production, but for the addresses, which are this machine's, and the secrets, which
        are made anew."""
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        return {
            "DJANGO_SETTINGS_MODULE": "tallystick.settings",
            "ENV_FILE": os.devnull,
            "DEBUG": "False",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "FIELD_KEYS": f"demo:{key}",
            "JOURNAL_KEY": secrets.token_urlsafe(32),
            "DATABASE_URL": f"sqlite:///{self.folder / 'demo.sqlite3'}",
            "MEDIA_ROOT": str(self.folder / "media"),
            "LOG_DIR": str(self.folder / "logs"),
            "PUBLIC_URL": self.web,
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            "EMAIL_URL": f"smtp://{HOST}:{self.ports.mail}",
            "CELERY_BROKER_URL": os.environ.get("CELERY_BROKER_URL", ""),
            "LOG_LEVEL": "WARNING",
        }

    def run(self, *command: str) -> None:
        """Run `command` with our Python to its end; raises `StageError` with its last words."""
        done = subprocess.run(  # noqa: S603 - our own commands
            [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            words = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
            raise StageError(f"{' '.join(command[:2])} failed: {words[-1]}")

    def start(self, name: str, *command: str) -> None:
        """Run `command` with our Python; its output goes to a file of that name."""
        log = (self.folder / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(  # noqa: S603 - our own commands
            [sys.executable, *command],
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_END_WITH_PARENT,
        )

    def wait_for(self, name: str, url: str) -> None:
        """Until `url` answers anything at all; raises `StageError` when the process is gone."""
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            if self.processes[name].poll() is not None:
                raise StageError(f"{name} did not start; see {self.folder / name}.log")
            if _answers(url):
                return
            time.sleep(0.1)
        raise StageError(f"{name} does not answer at {url}; see {self.folder / name}.log")

    def fallen(self) -> str:
        """The name of a process that ended by itself; empty while all run."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                return name
        return ""

    def stop(self) -> None:
        """End all processes, the last started first; what does not end is killed."""
        for process in reversed(self.processes.values()):
            if process.poll() is None:
                process.terminate()
        until = time.monotonic() + STOP_SECONDS
        for process in self.processes.values():
            try:
                process.wait(max(until - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.processes.clear()


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 - loopback
    except urllib.error.HTTPError:
        return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
    return True


@contextlib.contextmanager
def stage(ports: Ports, folder: Path = FOLDER) -> Iterator[Stage]:
    """A prepared stage, whose processes end with the block."""
    built = Stage(ports, folder)
    built.prepare()
    try:
        yield built
    finally:
        built.stop()
