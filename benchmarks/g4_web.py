"""G4: what a web process holds in memory after 20,000 requests.

    [DATABASE_URL=postgres:///bench] python -m benchmarks.g4_web [--requests 20000]

One process of the site (granian, as the README runs it) with a hundred invoices, asked over HTTP for
pages of staff, client and payer, documents, and the API, reading and writing, in turn. Resident
memory is told as it goes; the peak is the kernel's (VmHWM).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx2

from benchmarks.stage import own_database

if TYPE_CHECKING:
    from tallystick.accounts.models import Account
    from tallystick.billing.invoices import Invoice
    from tallystick.people.models import User

MOST_MIB = 150
INVOICES = 100
TOLD = 10


@dataclass(frozen=True)
class Visitor:
    """Somebody with a name or a key, or without either."""

    http: httpx2.Client
    headers: dict[str, str]

    def get(self, path: str) -> None:
        self._fine(self.http.get(path, headers=self.headers))

    def post(self, path: str, document: object) -> None:
        self._fine(self.http.post(path, headers=self.headers, json=document))

    @staticmethod
    def _fine(answer: httpx2.Response) -> None:
        assert answer.is_success, f"{answer.status_code} for {answer.url}: {answer.text[:300]}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=20_000)
    wanted = parser.parse_args().requests
    with own_database() as url:
        _collect()
        visits = _Visits()
        with _site() as (pid, address), httpx2.Client(base_url=address, trust_env=False) as http:
            ways = visits.ways(http)
            measured = []
            for n in range(wanted):
                ways[n % len(ways)](n // len(ways))
                if n == 0 or (n + 1) % (wanted // TOLD) == 0:
                    measured.append((n + 1, _memory(pid, "VmRSS")))
                    print(f"{n + 1:>8,} requests{measured[-1][1]:>8.1f} MiB", flush=True)
            peak = _memory(pid, "VmHWM")
    print(f"peak {peak:.1f} MiB (at most {MOST_MIB})")
    result = {"database": urlsplit(url).scheme, "mib": dict(measured), "peak_mib": peak}
    print(json.dumps({"name": "G4 web", **result}))


def _collect() -> None:
    """Pages name static files by their content."""
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0)


class _Visits:
    """Who comes, and for what."""

    def __init__(self) -> None:
        from tallystick.accounts.models import ApiKey, Membership
        from tallystick.accounts.standing import Role
        from tallystick.billing.tests import samples
        from tallystick.people.models import User

        website = samples.studio()
        self.client: Account = samples.client(website)
        self.invoices: list[Invoice] = [samples.invoice(self.client) for _ in range(INVOICES)]
        staff: User = User.objects.create_user("staff", "staff@northwind.example")
        Membership.objects.create(user=staff, website=website, role=Role.ADMIN)
        _, self.key = ApiKey.issue(
            website=website, user=staff, name="G4", scopes=["read", "invoices"]
        )
        self.staff = staff

    def ways(self, http: httpx2.Client) -> list[Callable[[int], None]]:
        assert self.client.user is not None
        payer = Visitor(http, {})
        staff = Visitor(http, _signed_in(self.staff))
        client = Visitor(http, _signed_in(self.client.user))
        program = Visitor(http, {"Authorization": f"Bearer {self.key}"})
        api = "/api/v1/order-payments"
        draft = {
            "client": str(self.client.uid),
            "lines": [{"description": "Crown", "quantity": "1", "unit_price": "10.00"}],
        }
        return [
            lambda n: payer.get(f"/pay/invoice/{self._of(n).payment_token}/"),
            lambda n: payer.get(f"/pay/invoice/{self._of(n).payment_token}/pdf/"),
            lambda _: staff.get("/staff/"),
            lambda n: staff.get(f"/staff/invoices/?q={self._of(n).number}"),
            lambda n: staff.get(f"/staff/invoices/{self._of(n).uid}/"),
            lambda _: staff.get("/staff/clients/"),
            lambda _: client.get("/portal/"),
            lambda _: client.get("/portal/invoices/"),
            lambda _: program.get(f"{api}/invoices/"),
            lambda n: program.get(f"{api}/invoices/{self._of(n).uid}/"),
            lambda _: program.get(f"{api}/stats/"),
            lambda _: program.post(f"{api}/invoices/", draft),
        ]

    def _of(self, n: int) -> Invoice:
        return self.invoices[n % INVOICES]


def _signed_in(user: User) -> dict[str, str]:
    from django.conf import settings
    from django.test import Client

    browser = Client(SERVER_NAME="localhost")
    browser.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    return {"Cookie": f"{name}={browser.cookies[name].value}"}


@contextmanager
def _site() -> Iterator[tuple[int, str]]:
    """The process that answers, and where."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {
        "ALLOWED_HOSTS": "127.0.0.1",
        "API_REQUESTS_PER_MINUTE": "1000000",
        "API_PUBLIC_REQUESTS_PER_MINUTE": "1000000",
        "LOG_LEVEL": "CRITICAL",
    }
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--workers",
        "1",
        "--blocking-threads",
        "2",
    ]
    server = subprocess.Popen(
        [*command, "--port", str(port), "tallystick.wsgi:application"],
        env={**os.environ, **own},
        start_new_session=True,
    )
    try:
        _await(port)
        yield _child(server.pid), f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _await(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("The site did not start.")


def _child(pid: int) -> int:
    """Granian's first process only looks after the others; the last of them is the one that works."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return max(map(int, children), key=lambda child: _memory(child, "VmRSS"))


def _memory(pid: int, name: str) -> float:
    """In MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(name))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
