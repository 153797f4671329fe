"""P4: products pushed to the sandbox server at 20 ms, 16 in flight; then once more, unchanged.

    DATABASE_URL=postgres:///bench python -m benchmarks.p4_push [--count 100000] [--batch 50]
        [--provider INVOICE_NINJA]

The limit is 16 / latency calls a second. The baseline is what 16 threads with a bare
`http.client` each get out of the same sandbox with bodies of the same size, in the same run: where
it is below the limit, the sandbox (one process, one core) is what is measured. `--batch 1` is a
provider that takes one record a call; those that do take no more whatever it says. A go-between
accepts first and tells by callback what became of it, to the site's web server: that counts apart.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from benchmarks import bare
from benchmarks.stage import chosen, connected, hearing, lift_own_limits, own_database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallystick.integrations.connections import Connection
    from tallystick.sandbox.running import StandClient
    from tests.reliability.venues import Company, Venue

IN_FLIGHT = 16
LATENCY = 0.02
LIMIT = IN_FLIGHT / LATENCY


class Stopwatch:
    """Seconds on the wall and of this process's CPU."""

    wall = cpu = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.wall, self.cpu = time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    arguments = _arguments()
    with own_database() as url:
        from tallystick.sandbox.running import running

        with running() as sandbox:
            for venue in chosen(arguments.provider):
                client = sandbox.stand(venue.stand_class.name)
                result = measure(venue, client, arguments.count, arguments.batch)
                result["database"] = urlsplit(url).scheme
                result["load"] = os.getloadavg()[0]
                _show(result)
                print(json.dumps({"name": "P4", **result}))


def measure(venue: Venue, client: StandClient, count: int, batch: int) -> dict[str, Any]:
    from tallystick.ports.records import Kind

    batch = min(batch, venue.provider.batch_size)
    base = bare.calls_per_second(
        venue.provider.type, client, _opened(venue, client), threads=IN_FLIGHT, batch=batch
    )
    lift_own_limits(venue)
    venue.provider.concurrency, venue.provider.batch_size = IN_FLIGHT, batch
    # Of the products that the bare threads made, none is there to be read.
    company = _opened(venue, client)
    connection = connected(venue, company)
    _fill(connection, count)
    whole = Stopwatch()
    with hearing(venue, client), whole.running():
        first, calls = _push(client, connection)
        _await_callbacks(connection)
    ledger = venue.ledgers[Kind.PRODUCT]
    assert len(client.ledger(ledger, account=company.account)) == count
    marking = Stopwatch()
    with marking.running():
        mark(connection)
    second, calls_again = _push(client, connection)
    return {
        "provider": venue.provider.type,
        "count": count,
        "batch": batch,
        "calls_per_s": calls / first.wall,
        "limit": LIMIT,
        "baseline_calls_per_s": base,
        "of_limit": calls / first.wall / LIMIT,
        "of_baseline": calls / first.wall / base,
        "records_per_s": count / first.wall,
        "settled_per_s": count / whole.wall,
        "cpu_ms_per_record": first.cpu * 1000 / count,
        "marked_per_s": count / marking.wall,
        "again_calls": calls_again,
        "again_records_per_s": count / second.wall,
        "again_cpu_ms_per_record": second.cpu * 1000 / count,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _opened(venue: Venue, client: StandClient) -> Company:
    """A company of which nothing is there, 20 ms away. Callbacks are awaited as long as usual: the
    last of them is heard long after the last delivery."""
    client.reset()
    company = venue.company(venue.open_running(client), url=client.url)
    client.fault("latency", seconds=LATENCY, path=venue.api_path)
    as_usual = {name: of for name, of in company.custom_data.items() if name != "callback_timeout"}
    return replace(company, custom_data=as_usual)


def _fill(connection: Connection, count: int) -> None:
    from tests.reliability import seeding

    seeding.products(connection.website, count)
    mark(connection)


def mark(connection: Connection) -> None:
    """All due, as `sync --all` does it."""
    from tallystick.billing.models import Product
    from tallystick.integrations import sync

    part: list[Any] = []
    for product in Product.objects.of(connection.website_id).iterator(chunk_size=1000):
        part.append(product)
        if len(part) == 1000:
            sync.mark_due(part, [connection])
            part = []
    sync.mark_due(part, [connection])


def _push(client: StandClient, connection: Connection) -> tuple[Stopwatch, int]:
    """Turns, as a worker takes them, until nothing is due."""
    from tallystick.integrations.links import Link
    from tallystick.integrations.turns import Turn
    from tallystick.integrations.work import serve
    from tallystick.ports.records import Kind

    before = sum(client.counts().values())
    watch = Stopwatch()
    with watch.running():
        while Link.objects.due().filter(connection=connection).exists():
            connection.refresh_from_db()
            serve(Turn(connection, "bench"), only=[Kind.PRODUCT])
    return watch, sum(client.counts().values()) - before


def _await_callbacks(connection: Connection) -> None:
    from tallystick.integrations.links import Link

    while Link.objects.filter(connection=connection).exclude(state="done").exists():
        assert not Link.objects.filter(connection=connection, state="dead").exists()
        time.sleep(0.1)


def _show(result: dict[str, Any]) -> None:
    for name, value in result.items():
        print(f"{name:24}{value:>14,.2f}" if isinstance(value, float) else f"{name:24}{value:>14}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--provider", default="", help="its type; all that have a venue")
    return parser.parse_args()


if __name__ == "__main__":
    main()
