"""What is to happen every so often. The code says what; the rows of `Schedule` know when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Routine:
    """`run` is called once every `every` seconds, by one worker, wherever that is. It may run again
    sooner when it fails or its worker dies."""

    name: str
    every: int
    run: Callable[[], object]


_routines: dict[str, Routine] = {}


def schedule(name: str, *, every: int, run: Callable[[], object]) -> None:
    """Have `run` called every `every` seconds. To be said when the app is ready."""
    if every < 1:
        raise ValueError("a schedule needs at least a second between its runs")
    _routines[name] = Routine(name, every, run)


def routines() -> dict[str, Routine]:
    return _routines
