"""G4: what a worker process holds in memory at its most, by the number of records it has pushed.

    DATABASE_URL=postgres:///bench python -m benchmarks.g4_memory [--counts 1000,100000]
        [--provider XERO]

Each size has a worker of its own (`manage.py worker`), the provider's own batches, no limits, and is
pushed twice: as new, and unchanged. The peak is the kernel's (VmHWM).
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from benchmarks.stage import chosen, connected, hearing, own_database

if TYPE_CHECKING:
    from tallystick.integrations.connections import Connection
    from tallystick.sandbox.running import Running
    from tests.reliability.venues import Venue

MOST_MIB, MOST_GROWTH_MIB = 200, 16


def main() -> None:
    arguments = _arguments()
    counts = [int(count) for count in arguments.counts.split(",")]
    with own_database() as url:
        from tallystick.sandbox.running import running

        results: list[dict[str, Any]] = []
        with running() as sandbox:
            for venue in chosen(arguments.provider):
                for count in counts:
                    peak = measure(venue, sandbox, count)
                    results.append(
                        {"provider": venue.provider.type, "records": count, "peak_mib": peak}
                    )
                    print(
                        f"{venue.provider.type:20}{count:>10,} records{peak:>10.1f} MiB", flush=True
                    )
                growth = results[-1]["peak_mib"] - results[-len(counts)]["peak_mib"]
                print(
                    f"growth {growth:.1f} MiB (at most {MOST_GROWTH_MIB}), peak at most {MOST_MIB}"
                )
    print(json.dumps({"name": "G4", "database": urlsplit(url).scheme, "results": results}))


def measure(venue: Venue, sandbox: Running, count: int) -> float:
    client = sandbox.stand(venue.stand_class.name)
    client.reset()
    company = venue.company(venue.open_running(client), url=client.url)
    connection = connected(venue, company)
    _fill(connection, count)
    with hearing(venue, client):
        return _worked(venue, connection)


def _worked(venue: Venue, connection: Connection) -> float:
    """What a worker held at its most when all was sent, twice."""
    from django.core.management import call_command

    from tests.reliability.kills import Plan, WorkerProcess

    worker = WorkerProcess(Plan(batch=venue.provider.batch_size, lease=None))
    try:
        _await_done()
        _mark(connection)
        _await_done()
        return _peak(worker.pid)
    finally:
        worker.kill()
        call_command("flush", interactive=False, verbosity=0)


def _fill(connection: Any, count: int) -> None:  # noqa: ANN401 - a model, loaded later
    from tests.reliability import seeding

    seeding.products(connection.website, count)
    _mark(connection)


def _mark(connection: Any) -> None:  # noqa: ANN401
    from benchmarks.p4_push import mark

    mark(connection)


def _await_done() -> None:
    from tallystick.integrations.links import Link

    while Link.objects.exclude(state="done").exists():
        time.sleep(0.2)


def _peak(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--counts", default="1000,100000")
    parser.add_argument("--provider", default="", help="its type; all that have a venue")
    return parser.parse_args()


if __name__ == "__main__":
    main()
