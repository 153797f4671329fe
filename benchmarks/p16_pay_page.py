"""P16: how soon the pay page answers, what it asks of the database, and what it weighs.

    [DATABASE_URL=postgres:///bench] python -m benchmarks.p16_pay_page [--rounds 300]

Milliseconds from the request to the whole answer, in process, by Django's test client: what a server
adds comes on top. What is done once the answer is out (a visit is noted, one INSERT) is left out. Bytes are those of the page and of all that it refers to, as WhiteNoise sends them
to a browser that takes gzip; all four fonts are counted, though two come only where a name needs
them.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.parse import urlsplit

from benchmarks.stage import own_database

if TYPE_CHECKING:
    from django.test import Client

    from tallystick.billing.invoices import Invoice

GOAL = {"p95 ms": 15, "queries": 6, "bytes": 60_000}
_PER_LINK = 50  # a link answers 120 requests a minute


def main() -> None:
    arguments = _arguments()
    with own_database() as url, tempfile.TemporaryDirectory() as static:
        _collect(static)
        results = [
            _measured(name, reader, arguments.rounds, Path(static))
            for name, reader in _readers(arguments.rounds).items()
        ]
        database = urlsplit(url).scheme
    print(
        f"{'reader':>22}{'p50 ms':>9}{'p95 ms':>9}{'cpu ms':>9}{'queries':>9}{'bytes':>9}{'elsewhere':>11}"
    )
    for each in results:
        print(
            f"{each['reader']:>22}{each['p50 ms']:>9.2f}{each['p95 ms']:>9.2f}{each['cpu ms']:>9.2f}"
            f"{each['queries']:>9}{each['bytes']:>9}{each['elsewhere']:>11}"
        )
    print(json.dumps({"name": "P16", "database": database, "goal": GOAL, "results": results}))


def _collect(folder: str) -> None:
    """The static files as a site in use has them: named by their content, and compressed."""
    from django.conf import settings
    from django.core.management import call_command

    settings.STATIC_ROOT = Path(folder)
    call_command("collectstatic", interactive=False, verbosity=0)


def _readers(rounds: int) -> dict[str, Callable[[int], tuple[Client, str]]]:
    from django.test import Client

    from tallystick.billing import payments
    from tallystick.billing.tests import samples

    website = samples.studio(accent_colour="#1d4ed8")
    account = samples.client(website)
    samples.fill_wallet(account, "100.00")
    links = max(1, rounds // _PER_LINK + 1)
    asked = [samples.invoice(account) for _ in range(links)]
    signed = [samples.invoice(account) for _ in range(links)]
    paid = [samples.invoice(account) for _ in range(links)]
    for invoice in paid:
        payments.mark_paid(invoice, by=None)
    stranger, owner = Client(SERVER_NAME="localhost"), Client(SERVER_NAME="localhost")
    assert account.user is not None
    owner.force_login(account.user)

    def page(client: Client, invoices: list[Invoice]) -> Callable[[int], tuple[Client, str]]:
        return lambda n: (client, f"/pay/invoice/{invoices[n % links].payment_token}/")

    return {
        "with the link": page(stranger, asked),
        "signed in, wallet": page(owner, signed),
        "paid": page(stranger, paid),
    }


def _measured(
    name: str, visit: Callable[[int], tuple[Client, str]], rounds: int, static: Path
) -> dict[str, Any]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from tallystick.accounts.models import Tries

    spans, cpu, text = [], [], ""
    for n in range(rounds + 10):
        Tries.objects.all().delete()
        client, path = visit(n)
        start, worked = time.perf_counter(), time.process_time()
        with _nothing_afterwards():
            answer = client.get(path)
        spans.append((time.perf_counter() - start) * 1000)
        cpu.append((time.process_time() - worked) * 1000)
        assert answer.status_code == 200, answer.status_code
        text = answer.content.decode()
    client, path = visit(0)
    with CaptureQueriesContext(connection) as captured, _nothing_afterwards():
        client.get(path)
        queries = len(captured)
    warm = sorted(spans[10:])
    weight, elsewhere = _weight(client, text, static)
    return {
        "reader": name,
        "p50 ms": round(statistics.median(warm), 2),
        "p95 ms": round(warm[int(len(warm) * 0.95)], 2),
        "cpu ms": round(statistics.median(cpu[10:]), 2),
        "queries": queries,
        "bytes": weight,
        "elsewhere": elsewhere,
    }


@contextmanager
def _nothing_afterwards() -> Iterator[None]:
    with mock.patch("tallystick.web.afterwards._do"):
        yield


def _weight(client: Client, text: str, static: Path) -> tuple[int, int]:
    """Bytes of the page with all that it loads, and how much of that is on other hosts."""
    loaded = re.findall(r'<(?:link|img|script)\b[^>]*?\b(?:href|src)="([^"]+)"', text)
    total, elsewhere = len(text.encode()), 0
    for address in dict.fromkeys(loaded):
        if urlsplit(address).netloc:
            elsewhere += 1
        elif address.startswith("/static/"):
            total += _sent(static / address.removeprefix("/static/"))
            total += sum(map(_sent, _fonts(static / address.removeprefix("/static/"))))
        else:
            total += len(client.get(address).content)
    return total, elsewhere


def _fonts(file: Path) -> list[Path]:
    if file.suffix != ".css":
        return []
    found = re.findall(r'url\("?([^")]+)"?\)', file.read_text())
    return [(file.parent / name).resolve() for name in found if not name.startswith("data:")]


def _sent(file: Path) -> int:
    packed = file.with_name(file.name + ".gz")
    return (packed if packed.exists() else file).stat().st_size


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=300)
    return parser.parse_args()


if __name__ == "__main__":
    main()
