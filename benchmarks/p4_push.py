"""P4: products pushed to the sandbox server at 20 ms, 16 in flight; then once more, unchanged.

    DATABASE_URL=postgres:///bench python -m benchmarks.p4_push [--count 100000] [--batch 50]

The limit is 16 / latency calls a second. The baseline is what 16 threads with a bare
`http.client` each get out of the same sandbox with bodies of the same size, in the same run: where
it is below the limit, the sandbox (one process, one core) is what is measured. `--batch 1` is a
provider that takes one record a call.
"""

from __future__ import annotations

import argparse
import http.client
import json
import resource
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from benchmarks.stage import connected, lift_own_limits, own_database

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
        from tests.reliability.venues import venues

        with running() as sandbox:
            for venue in venues():
                client = sandbox.stand(venue.stand_class.name)
                result = measure(venue, client, arguments.count, arguments.batch)
                result["database"] = urlsplit(url).scheme
                _show(result)
                print(json.dumps({"name": "P4", **result}))


def measure(venue: Venue, client: StandClient, count: int, batch: int) -> dict[str, Any]:
    company = venue.company(venue.open_running(client), url=client.url)
    client.fault("latency", seconds=LATENCY, path=venue.api_path)
    lift_own_limits(venue)
    venue.provider.concurrency, venue.provider.batch_size = IN_FLIGHT, batch
    connection = connected(venue, company)
    _fill(connection, count)
    base = baseline(client, company, batch)
    first, calls = _push(client, connection)
    assert len(client.ledger("items", account=company.account)) >= count
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
        "cpu_ms_per_record": first.cpu * 1000 / count,
        "marked_per_s": count / marking.wall,
        "again_calls": calls_again,
        "again_records_per_s": count / second.wall,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


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

    before = sum(client.counts().values())
    watch = Stopwatch()
    with watch.running():
        while Link.objects.due().filter(connection=connection).exists():
            connection.refresh_from_db()
            serve(Turn(connection, "bench"))
    assert not Link.objects.exclude(state="done").exists()
    return watch, sum(client.counts().values()) - before


def baseline(client: StandClient, company: Company, batch: int) -> float:
    """Calls a second by bare threads. Half of them warm the sandbox up."""
    data = company.custom_data
    token = _token(client, data["client_id"], company.credentials["client_secret"])
    calls = max(100, 4000 // (1 + batch // 10))
    began, done = 0.0, 0
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        for name in ("warm", "measured"):
            began = time.perf_counter()
            each = calls // IN_FLIGHT
            jobs = [
                pool.submit(_post, client.url, token, data["tenant_id"], f"{name}-{n}", each, batch)
                for n in range(IN_FLIGHT)
            ]
            done = sum(job.result() for job in jobs)
    return done / (time.perf_counter() - began)


def _token(client: StandClient, client_id: str, secret: str) -> str:
    import base64

    parts = urlsplit(client.url)
    http_connection = http.client.HTTPConnection(parts.netloc)
    basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    headers = {
        "authorization": f"Basic {basic}",
        "content-type": "application/x-www-form-urlencoded",
    }
    path = f"{parts.path}/identity/connect/token"
    http_connection.request("POST", path, "grant_type=client_credentials", headers)
    found: str = json.loads(http_connection.getresponse().read())["access_token"]
    http_connection.close()
    return found


def _post(url: str, token: str, tenant: str, name: str, calls: int, batch: int) -> int:
    parts = urlsplit(url)
    http_connection = http.client.HTTPConnection(parts.netloc)
    headers = {
        "authorization": f"Bearer {token}",
        "xero-tenant-id": tenant,
        "accept": "application/json",
        "content-type": "application/json",
    }
    path = f"{parts.path}/api.xro/2.0/Items?summarizeErrors=false&unitdp=4"
    for number in range(calls):
        items = [
            {
                "Code": f"b-{name}-{number}-{n}",
                "Name": f"Product {n}",
                "Description": f"Product {n}",
                "IsSold": True,
                "SalesDetails": {"AccountCode": "200", "UnitPrice": 9.9},
            }
            for n in range(batch)
        ]
        http_connection.request("POST", path, json.dumps({"Items": items}), headers)
        answer = http_connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
    http_connection.close()
    return calls


def _show(result: dict[str, Any]) -> None:
    for name, value in result.items():
        print(f"{name:24}{value:>14,.2f}" if isinstance(value, float) else f"{name:24}{value:>14}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=50)
    return parser.parse_args()


if __name__ == "__main__":
    main()
