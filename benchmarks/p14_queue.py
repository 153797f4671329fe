"""P14: empty jobs drained a second beside bare SQL, and a web request's writes beside a worker.

    python -m benchmarks.p14_queue [--postgres postgres://root@/bench] [--jobs 4000] [--rounds 9]

The limit claims 20 rows with one statement and marks each as done with one, on the bare driver, in
the same table: a queue without Django, models, heartbeats and error handling. Ours marks what took
no time together, as `floor` does on the bare driver; that it may leave the limit behind is due to
this. Ours and the two take turns. Writes, one every 5 ms, are timed alone and beside a worker.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from benchmarks.stage import own_database

CLAIM = """
UPDATE queueapp_job SET lease_owner = {p}, due_at = {later}, fence = fence + 1, attempts = attempts + 1
WHERE id {chosen} RETURNING id, fence
"""
CHOOSE = """
SELECT id FROM queueapp_job WHERE state IN ('due', 'uncertain') AND due_at <= {now}
ORDER BY due_at LIMIT 20
"""
NOW, LATER = "9998-01-01 00:00:00", "9999-01-01 00:00:00"
MARK = "UPDATE queueapp_job SET state = 'done' WHERE id = {p} AND fence = {p}"
MARK_ALL = (
    "UPDATE queueapp_job SET state = 'done' WHERE id IN ({ids}) AND (id, fence) IN (VALUES {rows})"
)
BACKLOG = 100_000
WRITES = 600
COLUMNS = (
    "limit/s",
    "floor/s",
    "ours/s",
    "ratio",
    "p50 ms",
    "p95",
    "p99",
    "p50 alone",
    "p95",
    "p99",
)

Execute = Callable[[str, tuple[Any, ...]], Any]


def main() -> None:
    arguments = _arguments()
    if arguments.measure is not None:
        with own_database(arguments.measure) as url:
            print(json.dumps(measure(url, arguments.jobs, arguments.rounds)))
    elif arguments.drain:
        _set_up_worker(arguments.drain)
        _drain()
    else:
        urls = ["", arguments.postgres] if arguments.postgres else [""]
        _report([_in_process(url, arguments) for url in urls])


def _report(results: list[dict[str, Any]]) -> None:
    print("database".ljust(12) + "".join(f"{name:>10}" for name in COLUMNS))
    for each in results:
        rates = "".join(f"{each[name]:>10.0f}" for name in ("limit", "floor", "ours"))
        times = [each[name][cut] for name in ("beside", "alone") for cut in ("p50", "p95", "p99")]
        waits = "".join(f"{value:>10.2f}" for value in times)
        print(f"{each['database']:12}{rates}{each['ratio']:>10.2f}{waits}")
    print(json.dumps({"name": "P14", "results": results}))


def _in_process(url: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """One database a process: Django's settings are read once."""
    command = [sys.executable, "-m", "benchmarks.p14_queue", "--measure", url]
    command += ["--jobs", str(arguments.jobs), "--rounds", str(arguments.rounds)]
    # A DATABASE_URL around us is not the one to measure.
    around = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=around)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure(url: str, jobs: int, rounds: int) -> dict[str, Any]:
    _register()
    each, together = _bare(url)
    rates = [(_rate(each, jobs), _rate(together, jobs), _rate(_drain, jobs)) for _ in range(rounds)]
    limits, floors, ours = zip(*rates, strict=True)
    ratios = sorted(mine / limit for mine, limit in zip(ours, limits, strict=True))
    return {
        "database": urlsplit(url).scheme,
        "limit": statistics.median(limits),
        "floor": statistics.median(floors),
        "ours": statistics.median(ours),
        "ratio": statistics.median(ratios),
        "ratios": [round(ratio, 2) for ratio in ratios],
        "alone": _cuts(_writes(lambda number: number < WRITES)),
        "beside": _cuts(_writes_beside_a_worker(url)),
    }


def _set_up_worker(url: str) -> None:
    """As the measuring process was set up by `own_database`, whose environment this one has."""
    import django

    os.environ["DATABASE_URL"] = url
    django.setup()
    _register()


def _register() -> None:
    from tallystick.queue import register_rows
    from tests.queueapp.models import Job

    register_rows("empty", Job, lambda job: None)


def _fill(jobs: int) -> None:
    from django.db import connection

    from tests.queueapp.models import Job

    Job.objects.all().delete()
    Job.objects.bulk_create((Job() for _ in range(jobs)), batch_size=1000)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE queueapp_job")
        else:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _rate(drain: Callable[[], None], jobs: int) -> float:
    """Jobs a second."""
    from tests.queueapp.models import Job

    _fill(jobs)
    began = time.perf_counter()
    drain()
    took = time.perf_counter() - began
    assert Job.objects.filter(state="done").count() == jobs
    return jobs / took


def _drain() -> None:
    from tallystick.queue.registry import Budget, named

    named("empty").drain(Budget(seconds=600))


def _bare(url: str) -> tuple[Callable[[], None], Callable[[], None]]:
    """The limit and the floor."""
    execute, claim, p, values = _on_sqlite(url) if url.startswith("sqlite") else _on_postgres(url)
    mark = MARK.format(p=p)

    def each() -> None:
        while rows := execute(claim, values).fetchall():
            for row in rows:
                execute(mark, row)

    def together() -> None:
        while rows := execute(claim, values).fetchall():
            ids = ", ".join([p] * len(rows))
            pairs = ", ".join([f"({p}, {p})"] * len(rows))
            values_of = (*(row[0] for row in rows), *(value for row in rows for value in row))
            execute(MARK_ALL.format(ids=ids, rows=pairs), values_of)

    return each, together


def _on_sqlite(url: str) -> tuple[Execute, str, str, tuple[str, ...]]:
    import sqlite3

    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=30)
    connection.execute("PRAGMA synchronous=FULL")
    chosen = f"IN ({CHOOSE.format(now='?')})"
    claim = CLAIM.format(p="?", later="?", chosen=chosen)
    return connection.execute, claim, "?", ("limit", LATER, NOW)


def _on_postgres(url: str) -> tuple[Execute, str, str, tuple[str, ...]]:
    import psycopg

    cursor = psycopg.connect(url, autocommit=True).cursor()
    now = "statement_timestamp()"
    chosen = f"= ANY(ARRAY({CHOOSE.format(now=now)} FOR UPDATE SKIP LOCKED))"
    claim = CLAIM.format(p="%s", later=f"{now} + interval '30 seconds'", chosen=chosen)
    return cursor.execute, claim, "%s", ("limit",)


def _writes_beside_a_worker(url: str) -> list[float]:
    from tests.queueapp.models import Job

    _fill(BACKLOG)
    with subprocess.Popen([sys.executable, "-m", "benchmarks.p14_queue", "--drain", url]) as worker:
        while not Job.objects.filter(state="done").exists():
            time.sleep(0.01)
        return _writes(lambda number: worker.poll() is None)


def _writes(going: Callable[[int], bool]) -> list[float]:
    """Milliseconds that a request's transaction takes, one every 5 ms."""
    from django.db import transaction

    from tests.queueapp.models import Effect

    times: list[float] = []
    while going(len(times)):
        time.sleep(0.005)
        began = time.perf_counter()
        with transaction.atomic():
            Effect.objects.create(job=1, worker="web")
        times.append((time.perf_counter() - began) * 1000)
    return times


def _cuts(times: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(times, n=100)
    return {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98], "max": max(times), "n": len(times)}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--postgres", default="")
    parser.add_argument("--jobs", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--drain", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
