"""P13: what active connections add to the sign-up and the save of a user.

    [DATABASE_URL=postgres:///bench] python -m benchmarks.p13_save [--rounds 50]

Queries beyond those of a site on which no model is registered for sync; network calls within the
request; milliseconds, of which the ratio to the same site is what counts. Then, on a site of its own,
with one relay to Invoice Ninja that answers and with the same when it is down: saves in turn, while
what they made due is sent between them.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.parse import urlsplit

from benchmarks.stage import own_database

if TYPE_CHECKING:
    from tallystick.people.models import User

COUNTS = (0, 1, 5, 20)


def main() -> None:
    arguments = _arguments()
    with own_database() as url:
        results = measure(arguments.rounds)
        relayed = measure_relay(arguments.rounds)
        database = urlsplit(url).scheme
    print(
        f"{'connections':>12}{'act':>10}{'queries':>9}{'extra':>7}{'network':>9}{'ms':>8}{'ratio':>7}"
    )
    for each in results:
        print(
            f"{each['connections']:>12}{each['act']:>10}{each['queries']:>9}{each['extra']:>7}"
            f"{each['network']:>9}{each['ms']:>8.2f}{each['ratio']:>7.2f}"
        )
    for each in relayed:
        print(
            f"relay {each['relay']:>6}{each['act']:>10}{each['queries']:>9}{'':>7}"
            f"{each['network']:>9}{each['ms']:>8.2f}"
        )
    print(json.dumps({"name": "P13", "database": database, "results": results, "relay": relayed}))


def measure(rounds: int) -> list[dict[str, Any]]:
    from tests.reliability.site import connect, new_website
    from tests.reliability.venues import venues

    venue = venues()[0]
    stand = venue.stand_class()
    website = new_website()
    made = 0
    with _unregistered():
        for deed in _acts().values():
            _measured(deed, rounds)  # warms up
        bare = {act: _measured(deed, rounds) for act, deed in _acts().items()}
    results = []
    for count in COUNTS:
        while made < count:
            made += 1
            connect(venue, website, venue.company(venue.describe(stand, made)))
        for act, deed in _acts().items():
            queries, network, seconds = _measured(deed, rounds)
            results.append(
                {
                    "connections": count,
                    "act": act,
                    "queries": queries,
                    "extra": queries - bare[act][0],
                    "network": network,
                    "ms": seconds * 1000,
                    "ratio": seconds / bare[act][2],
                }
            )
    return results


def measure_relay(rounds: int) -> list[dict[str, Any]]:
    """A site with one relay, up and down in turn; what was saved is sent between the rounds."""
    from django.core.management import call_command

    from tallystick.ports.sandboxing import Fault, FaultKind
    from tallystick.providers.relay import Relay
    from tests.reliability.site import open_site
    from tests.reliability.venues import venue_of

    call_command("flush", interactive=False, verbosity=0)
    measured: dict[tuple[str, str], list[tuple[int, int, float]]] = {}
    with open_site(venue_of(Relay)) as site:
        for number in range(2 * rounds):
            state = ("up", "down")[number % 2]
            site.stand.faults.clear()
            if state == "down":
                site.stand.faults.switch_on(Fault(kind=FaultKind.REFUSED))
            for act, deed in _acts().items():
                measured.setdefault((state, act), []).append(_once(deed))
            site.serve()
            site.pass_time(timedelta(minutes=1))
    return [
        {
            "relay": state,
            "act": act,
            "queries": max(queries for queries, _, _ in found),
            "network": max(network for _, network, _ in found),
            "ms": statistics.median(seconds for _, _, seconds in found) * 1000,
        }
        for (state, act), found in measured.items()
    ]


def _once(deed: Callable[[int], object]) -> tuple[int, int, float]:
    """Its queries and network calls, and its time, counting included."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with _listening() as calls, CaptureQueriesContext(connection) as captured:
        began = time.perf_counter()
        deed(0)
        seconds = time.perf_counter() - began
    return _without_transactions(captured.captured_queries), len(calls), seconds


def _acts() -> dict[str, Callable[[int], object]]:
    from tallystick.people.models import User

    known: list[User] = []
    start = User.objects.count()

    def sign_up(number: int) -> None:
        # What the hashing of a password takes would hide the rest.
        name = f"user{start + number}"
        known.append(User.objects.create(username=name, email=f"{name}@example.org"))

    def save(number: int) -> None:
        user = known[number]
        user.first_name = f"Anna {number}"
        user.save()

    return {"sign-up": sign_up, "save": save}


def _measured(deed: Callable[[int], object], rounds: int) -> tuple[int, int, float]:
    """Most queries and network calls of one, and the median time."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    times, queries, network = [], 0, 0
    for number in range(rounds):
        with _listening() as calls:
            if number == 0:
                with CaptureQueriesContext(connection) as captured:
                    deed(number)
                queries = _without_transactions(captured.captured_queries)
            else:
                began = time.perf_counter()
                deed(number)
                times.append(time.perf_counter() - began)
        network = max(network, len(calls))
    return queries, network, statistics.median(times)


def _without_transactions(captured: list[dict[str, str]]) -> int:
    verbs = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
    return sum(not query["sql"].startswith(verbs) for query in captured)


@contextmanager
def _listening() -> Iterator[list[object]]:
    """Every connection that this process opens by itself; the database's driver is not seen."""
    calls: list[object] = []

    def connect(self: socket.socket, address: object) -> None:
        calls.append(address)
        raise ConnectionRefusedError

    with mock.patch.object(socket.socket, "connect", connect):
        yield calls


@contextmanager
def _unregistered() -> Iterator[None]:
    """A site without sync: no model's save is listened to."""
    from django.db.models.signals import post_save

    from tallystick.integrations import sync

    kept = post_save.receivers
    names = [f"tallystick.sync.{told.label}" for told in sync.registered()]
    post_save.receivers = [each for each in kept if not str(each[0][0]).startswith(tuple(names))]
    post_save.sender_receivers_cache.clear()
    try:
        yield
    finally:
        post_save.receivers = kept
        post_save.sender_receivers_cache.clear()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=50)
    return parser.parse_args()


if __name__ == "__main__":
    main()
