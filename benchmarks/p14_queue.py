"""P14: empty jobs drained a second, against the least that does the same; web writes meanwhile.

    python -m benchmarks.p14_queue [--postgres postgres://root@/bench] [--jobs 4000] [--rounds 9]

The limit claims 20 rows with one statement and marks each as done with one, on the bare driver, in
the same table: what `RowDrain` does, without Django, models, heartbeats and error handling. Ours and
the limit take turns. The database named is filled and emptied.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

BATCH = 20
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


def main() -> None:
    arguments = _arguments()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure, arguments.jobs, arguments.rounds)))
        return
    if arguments.drain:
        _set_up(arguments.drain)
        _drain()
        return
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        urls = [f"sqlite:///{folder}/bench.sqlite3"]
        urls += [arguments.postgres] if arguments.postgres else []
        results = [_in_process(url, arguments) for url in urls]
    print(
        f"{'database':12}{'limit/s':>10}{'ours/s':>10}{'ratio':>8}{'p50 ms':>9}{'p95':>7}{'p99':>7}"
    )
    for each in results:
        write = "".join(
            f"{each['write_ms'][name]:>{9 if name == 'p50' else 7}.2f}"
            for name in ("p50", "p95", "p99")
        )
        print(
            f"{each['database']:12}{each['limit']:>10.0f}{each['ours']:>10.0f}{each['ratio']:>8.2f}{write}"
        )
    print(json.dumps({"name": "P14", "results": results}))


def _in_process(url: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """One database a process: Django's settings are read once."""
    command = [sys.executable, "-m", "benchmarks.p14_queue", "--measure", url]
    command += ["--jobs", str(arguments.jobs), "--rounds", str(arguments.rounds)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure(url: str, jobs: int, rounds: int) -> dict[str, object]:
    _set_up(url)
    limit = _limit_of(url)
    limits, ours = [], []
    for _ in range(rounds):
        limits.append(_rate(limit, jobs))
        ours.append(_rate(_drain, jobs))
    ratios = [mine / least for mine, least in zip(ours, limits, strict=True)]
    return {
        "database": urlsplit(url).scheme,
        "limit": statistics.median(limits),
        "ours": statistics.median(ours),
        "ratio": statistics.median(ratios),
        "ratios": [round(ratio, 3) for ratio in sorted(ratios)],
        "write_ms": _web_writes(80_000),
    }


def _set_up(url: str) -> None:
    os.environ.update(
        DATABASE_URL=url, SECRET_KEY="bench", FIELD_KEYS=f"bench:{'A' * 43}=", JOURNAL_KEY="bench"
    )
    os.environ["DEBUG"] = ""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    from tallystick.queue import register_rows
    from tests.queueapp.models import Job

    register_rows("jobs", Job, lambda job: None)


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

    named("jobs").drain(Budget(seconds=600))


def _limit_of(url: str) -> Callable[[], None]:
    return _limit_on_sqlite(url) if url.startswith("sqlite") else _limit_on_postgres(url)


def _limit_on_sqlite(url: str) -> Callable[[], None]:
    import sqlite3

    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=30)
    connection.execute("PRAGMA synchronous=FULL")
    chosen = f"IN ({CHOOSE.format(now='?')})"
    claim, mark = CLAIM.format(p="?", later="?", chosen=chosen), MARK.format(p="?")

    def drain() -> None:
        while rows := connection.execute(claim, ("limit", LATER, NOW)).fetchall():
            for row in rows:
                connection.execute(mark, row)

    return drain


def _limit_on_postgres(url: str) -> Callable[[], None]:
    import psycopg

    connection = psycopg.connect(url, autocommit=True)
    now = "statement_timestamp()"
    chosen = f"= ANY(ARRAY({CHOOSE.format(now=now)} FOR UPDATE SKIP LOCKED))"
    later = f"{now} + interval '30 seconds'"
    claim, mark = CLAIM.format(p="%s", later=later, chosen=chosen), MARK.format(p="%s")

    def drain() -> None:
        with connection.cursor() as cursor:
            while rows := cursor.execute(claim, ("limit",)).fetchall():
                for row in rows:
                    cursor.execute(mark, row)

    return drain


def _web_writes(jobs: int) -> dict[str, float]:
    """Milliseconds that a request's transaction takes, one every 5 ms, while a worker drains."""
    from django.db import transaction

    from tests.queueapp.models import Effect, Job

    _fill(jobs)
    worker = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.p14_queue", "--drain", os.environ["DATABASE_URL"]]
    )
    while not Job.objects.filter(state="done").exists():
        time.sleep(0.01)
    times = []
    while Job.due().exists():
        time.sleep(0.005)
        began = time.perf_counter()
        with transaction.atomic():
            Effect.objects.create(job=1, worker="web")
        times.append((time.perf_counter() - began) * 1000)
    worker.wait()
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
