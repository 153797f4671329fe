"""`manage.py worker`, made to suit the killing suites; what is done to it is said by the environment:

RELIABILITY_LEASE    seconds a connection's lease lasts, so that a killed worker is soon replaced
RELIABILITY_BATCH    records a call: few, so that there are calls to hit
RELIABILITY_IN_FLIGHT  calls at once, for more to hit
RELIABILITY_DIE      `point:n`: SIGKILL to its own group at the n-th crossing of a point
RELIABILITY_PAUSE    the same with SIGSTOP to itself
RELIABILITY_WITHOUT  `look`, `fence`: the negative controls
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import django

POINTS = (
    "before the attempt",
    "after the attempt",
    "in flight",
    "after the answer",
    "after the write",
)
IN_FLIGHT = 4
LATENCY = 0.2


class Crossing:
    """Does `deed` when `point` is crossed for the n-th time."""

    def __init__(self, text: str, deed: Callable[[], None]) -> None:
        point, _, number = text.partition(":")
        self.point, self.left = point, int(number or 1)
        self.deed = deed
        self._lock = threading.Lock()

    def __call__(self, point: str) -> None:
        with self._lock:
            self.left -= point == self.point
            is_now = point == self.point and self.left == 0
        if is_now:
            self.deed()


def die() -> None:
    os.killpg(os.getpgid(0), signal.SIGKILL)


def pause() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def die_in_flight() -> None:
    """Half way through the provider's latency, with others beside this call."""
    time.sleep(LATENCY / 2)
    die()


def watch(cross: Crossing) -> None:  # noqa: C901 - three patches, each a few lines
    """Tell `cross` of the points in the life of a push."""
    from tallystick.integrations.push import Batch, PushRun
    from tallystick.integrations.turns import Turn

    remember, call, write = PushRun._remember, PushRun._call, Turn.write

    def remembering(self: PushRun, batches: Sequence[Batch]) -> None:
        if batches:
            cross("before the attempt")
        remember(self, batches)
        if batches:
            cross("after the attempt")

    def calling(self: PushRun, batch: Batch) -> Any:  # noqa: ANN401
        if len(self._flying) >= IN_FLIGHT:
            threading.Thread(target=cross, args=("in flight",), daemon=True).start()
        return call(self, batch)

    def writing(self: Turn, results: Sequence[Any]) -> None:
        fresh = any(result.fresh or (result.told and not result.told.due_at) for result in results)
        if fresh:
            cross("after the answer")
        write(self, results)
        if fresh:
            cross("after the write")

    PushRun._remember, PushRun._call = remembering, calling  # type: ignore[method-assign] # stops on the way
    Turn.write = writing  # type: ignore[method-assign] # as above


def shorten(lease: float) -> None:
    from tallystick.integrations import push, turns

    for module in (push, turns):
        vars(module)["LEASE_SECONDS"] = lease


def shrink(batch: int) -> None:
    """Small calls, and none of our own limits: the sandbox has lifted its own."""
    from tallystick.integrations import registry

    for provider in registry.PROVIDERS:
        provider.batch_size = min(batch, provider.batch_size)
        provider.fetch_size = min(batch, provider.fetch_size)
        provider.limits = ()


def widen(calls: int) -> None:
    from tallystick.integrations import registry

    for provider in registry.PROVIDERS:
        provider.concurrency = calls


def without(names: Sequence[str]) -> None:
    if "look" in names:
        from tallystick.integrations import recovery
        from tests.reliability.controls import forget_attempts
        from tests.reliability.venues import venues

        recovery.recover = forget_attempts
        for venue in venues():
            for whose, name, instead in venue.safeguards:
                setattr(whose, name, instead)
    if "fence" in names:
        from django.db import transaction

        from tallystick.integrations.connections import Connection
        from tallystick.queue.leases import Leased

        @contextmanager
        def unguarded(self: Leased) -> Iterator[None]:
            with transaction.atomic():
                yield

        Connection.guard = unguarded  # type: ignore[method-assign] # a negative control
        Connection.heartbeat = lambda self, seconds: None  # type: ignore[method-assign] # as above


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    env = os.environ
    if lease := env.get("RELIABILITY_LEASE"):
        shorten(float(lease))
    if batch := env.get("RELIABILITY_BATCH"):
        shrink(int(batch))
    if calls := int(env.get("RELIABILITY_IN_FLIGHT") or 0):
        widen(calls)
    if point := env.get("RELIABILITY_DIE"):
        watch(Crossing(point, die_in_flight if point.startswith("in flight") else die))
    if point := env.get("RELIABILITY_PAUSE"):
        watch(Crossing(point, pause))
    without(env.get("RELIABILITY_WITHOUT", "").split(","))
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", "worker", *sys.argv[1:]])


if __name__ == "__main__":
    main()
