"""R1 at any size: workers SIGKILLed while they push; what the sandbox counted afterwards.

    DATABASE_URL=postgres:///bench python -m benchmarks.r1_kills [--full] [--records 600] [--kills 15]
        [--workers 3] [--broker redis://127.0.0.1:6379/9] [--without look] [--provider XERO] [--spread]
        [--in-flight 16]

`--full` is the figure's own size: 5,000 records, 200 kills, keys on and off, 1 and 3 workers,
embedded and, where a broker is named, Celery. `--spread`: the kills go over all of the work. A
database of its own is made beside the one named.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from benchmarks.stage import chosen, own_database

if TYPE_CHECKING:
    from tests.reliability.kills import Plan

FULL = {"records": 5000, "kills": 200, "batch": 10}
"""What is left at the last kill can be pushed within the time to settle."""


def main() -> int:
    arguments = _arguments()
    with own_database():
        from tallystick.sandbox.running import running
        from tests.reliability import kills

        results = []
        with running() as sandbox:
            for venue, plan in itertools.product(chosen(arguments.provider), _plans(arguments)):
                began = time.monotonic()
                report = kills.run(plan, venue, sandbox)
                _forget()
                results.append(
                    {
                        "provider": venue.provider.type,
                        "keys": plan.keys,
                        "workers": plan.workers,
                        "celery": bool(plan.broker),
                        "records": plan.records,
                        **asdict(report),
                        "minutes": round((time.monotonic() - began) / 60, 1),
                    }
                )
                _show(results[-1])
    print(json.dumps({"name": "R1", "results": results}))
    wrong = any(each["lost"] or each["doubled"] or each["open"] for each in results)
    return int(wrong)


def _plans(arguments: argparse.Namespace) -> list[Plan]:
    from tests.reliability.kills import Plan

    given = {"records": arguments.records, "kills": arguments.kills, "batch": arguments.batch}
    size = FULL if arguments.full else given
    plan = Plan(**size, seed=arguments.seed, without=arguments.without, spread=arguments.spread)
    plan = replace(plan, in_flight=arguments.in_flight)
    brokers = [""] + ([arguments.broker] if arguments.broker else [])
    workers = [1, 3] if arguments.full else [arguments.workers]
    keys = [True, False] if arguments.full else [False]
    return [
        replace(plan, broker=broker, workers=count, keys=on)
        for broker, count, on in itertools.product(brokers, workers, keys)
    ]


def _forget() -> None:
    from django.core.management import call_command

    call_command("flush", interactive=False, verbosity=0)


def _show(result: dict[str, object]) -> None:
    print("  ".join(f"{name} {value}" for name, value in result.items()), flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--records", type=int, default=600)
    parser.add_argument("--kills", type=int, default=15)
    parser.add_argument("--batch", type=int, default=3, help="records a call")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--broker", default="")
    parser.add_argument("--without", default="", help="look: the negative control")
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--spread", action="store_true")
    parser.add_argument("--in-flight", type=int, default=0, help="calls at once")
    parser.add_argument("--provider", default="", help="its type; all that have a venue")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
