"""P5: how much of what a provider allows is used, and how often too much is asked.

    [DATABASE_URL=postgres:///bench] python -m benchmarks.p5_limits [--hours 25] [--provider XERO]

On a virtual clock, against the sandbox with its limits on. The share is that of the allowed calls
made while work was due: by the minute until the day's are used up, and by the day. One record a
call, so that there is work for all of them. Four workers are four sets of provider clients that
take turns in a drawn order; each looks for work every half second, as the worker does. A provider
without a limit by the day is watched for a quarter of an hour; one without limits is left out.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from unittest import mock

import httpx2

from benchmarks.stage import chosen, own_database

if TYPE_CHECKING:
    from tests.reliability.site import Site
    from tests.reliability.venues import Venue

POLL = 0.5
LATENCY = 0.2
"""Of each of the calls that are under way at once; the virtual clock moves on for one at a time."""
INVOICES = 1000
HOURS_WITHOUT_DAYS = 0.25


@dataclass
class Tally(httpx2.BaseTransport):
    """When each call that counts came, and how many were turned away."""

    venue: Venue
    transport: httpx2.BaseTransport
    times: list[datetime] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        from tallystick.kit import clock

        response = self.transport.handle_request(request)
        if self.venue.api_path in request.url.path:
            self.times.append(clock.now())
            self.statuses[response.status_code] += 1
        return response


def main() -> None:
    arguments = _arguments()
    with own_database():
        results = []
        for venue in chosen(arguments.provider):
            for workers in (1, 4) if venue.hosted else ():
                results.append(shares(venue, workers, arguments.hours))
                _show(results[-1])
            if venue.provider.batch_size > 1:
                results.append(per_call(venue))
                _show(results[-1])
    print(json.dumps({"name": "P5", "results": results}))


def shares(venue: Venue, workers: int, hours: float) -> dict[str, Any]:
    random.seed(5)
    minute, day = venue.hosted["minute"], venue.hosted.get("day", 0)
    hours = hours if day else min(hours, HOURS_WITHOUT_DAYS)
    # The day's calls last so long when every minute is used up.
    busy_minutes = day // minute - 3 if day else int(hours * 60) - 1
    with _opened(venue) as (site, tally), mock.patch.object(venue.provider, "batch_size", 1):
        _fill(site, int(day * (1 + hours / 24)) + minute if day else minute * int(hours * 60))
        began, cpu = site.clock.now(), time.process_time()
        _work(site, workers, until=began + timedelta(hours=hours))
        first_day = [at for at in tally.times if at < began + timedelta(days=1)]
        busy = [at for at in first_day if at < began + timedelta(minutes=busy_minutes)]
    calls = sum(tally.statuses.values())
    return {
        "provider": venue.provider.type,
        "workers": workers,
        "calls": calls,
        "minute_share": len(busy) / (minute * busy_minutes),
        "day_share": len(first_day) / day if day else None,
        "429_per_1000": tally.statuses[429] * 1000 / calls,
        "cpu_s": time.process_time() - cpu,
    }


def _work(site: Site, workers: int, until: datetime) -> None:
    """The workers, each with clients of its own, until then; somebody looks every half second."""
    from tallystick.integrations import clients
    from tallystick.integrations.turns import Turn
    from tallystick.integrations.work import connections_with_work, serve

    own: list[dict[int, Any]] = [{} for _ in range(workers)]
    while site.clock.now() < until and site.open_links().exists():
        number = random.randrange(workers)
        with mock.patch.object(clients, "_clients", own[number]):
            for connection in connections_with_work():
                serve(Turn(connection, f"worker-{number}"))
        site.connection.refresh_from_db()
        site.pass_time(timedelta(seconds=random.uniform(0, POLL)))


def per_call(venue: Venue) -> dict[str, Any]:
    """Records a call: invoices out, in by page, in by id."""
    from tallystick.integrations.links import Link
    from tallystick.kit import clock
    from tallystick.ports.records import Kind
    from tests.reliability import seeding

    with _opened(venue) as (site, _):
        seeding.invoices(site.website, INVOICES)
        _until_idle(site)
        out = _calls(site, "create", Kind.INVOICE)
        site.recorder.readings.clear()
        site.clock.advance(timedelta(minutes=20))
        _until_idle(site)
        pages = _calls(site, "read", Kind.INVOICE)
        site.recorder.readings.clear()
        Link.objects.filter(kind=Kind.INVOICE.value).update(
            update_needed=True, update_marked_at=clock.now()
        )
        _until_idle(site)
        by_id = _calls(site, "read", Kind.INVOICE)
    return {
        "provider": venue.provider.type,
        "invoices": INVOICES,
        "out_per_call": INVOICES / out,
        "in_per_page": INVOICES / pages,
        "in_per_call_by_id": INVOICES / by_id,
    }


def _until_idle(site: Site) -> None:
    site.settle(step=timedelta(seconds=POLL))


def _calls(site: Site, verb: str, kind: object) -> int:
    return sum(r.verb == verb and r.kind == kind for r in site.recorder.readings)


def _fill(site: Site, count: int) -> None:
    from tallystick.billing.models import Product
    from tallystick.integrations import sync
    from tests.reliability import seeding

    seeding.products(site.website, count)
    sync.mark_due(list(Product.objects.of(site.website)), [site.connection])


@contextmanager
def _opened(venue: Venue) -> Iterator[tuple[Site, Tally]]:
    from django.core.management import call_command

    from tallystick.integrations import clients
    from tallystick.ports.sandboxing import Fault, FaultKind
    from tests.reliability.site import open_site

    with open_site(venue) as site:
        tally = Tally(venue, site.recorder)
        each = LATENCY / venue.provider.concurrency
        latency = Fault(kind=FaultKind.LATENCY, seconds=each, path=venue.api_path)
        site.stand.faults.switch_on(latency)
        venue.host(site.stand, site.connection)
        with clients.using(lambda _: tally):
            yield site, tally
    call_command("flush", interactive=False, verbosity=0)


def _show(result: dict[str, Any]) -> None:
    for name, value in result.items():
        text = f"{value:,.3f}" if isinstance(value, float) else str(value)
        print(f"{name:24}{text:>14}")
    print(flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hours", type=float, default=25)
    parser.add_argument("--provider", default="", help="its type; all that have a venue")
    return parser.parse_args()


if __name__ == "__main__":
    main()
