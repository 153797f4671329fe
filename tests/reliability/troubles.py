"""The fifteen faults of the matrix: how each begins and ends, and what a person must read of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from tallystick.ports.sandboxing import Fault, FaultKind, Outgoing
from tests.reliability.site import Site, as_they_are
from tests.reliability.venues import Venue

HOUR = 3600


@dataclass(frozen=True)
class Trouble:
    """`strikes`: faults for each of the operation's calls (method and path are filled in); with
    `begins` and `ends`, what else is done. It lasts for `minutes` of turns, one a minute. `words`:
    a pattern that must be found in what a person can read; empty where there is nothing to tell."""

    name: str
    words: str
    strikes: Sequence[Fault] = ()
    begins: Callable[[Site], None] | None = None
    ends: Callable[[Site], None] | None = None
    minutes: int = 0
    everywhere: bool = False
    """Strikes every call there is, that for a token too."""
    some_items: bool = False
    """Some of the records are refused, the rest are not."""


def _each(kind: FaultKind, times: int | None = 1, **fields: object) -> tuple[Fault, ...]:
    return (Fault.model_validate({"kind": kind, "times": times, **fields}),)


def _too_many(seconds: float | None, form: str = "seconds") -> tuple[Fault, ...]:
    return _each(FaultKind.TOO_MANY, retry_after=seconds, retry_after_form=form)


def _disconnect(site: Site) -> None:
    site.venue.refuse(site.stand, site.company)


def _permit(site: Site) -> None:
    site.venue.permit(site.stand, site.company)
    _connect(site)


def _connect(site: Site) -> None:
    """A person reads that it is to be connected again, and does it."""
    site.connection.refresh_from_db()
    site.connection.mended()
    site.connection.save()


def _use_up(site: Site) -> None:
    """The day's calls are used up: others used those that we did not."""
    site.venue.limit_day(site.stand, calls=max(1, site.recorder.calls()))


def _more(site: Site) -> None:
    site.venue.limit_day(site.stand, calls=5000)


def _ahead(site: Site) -> None:
    site.stand_clock.by = timedelta(minutes=-10)


def _behind(site: Site) -> None:
    site.stand_clock.by = timedelta(minutes=10)


def _right(site: Site) -> None:
    site.stand_clock.by = timedelta()
    if site.connection.needs_reconnect:
        _connect(site)


NO_ANSWER = "did not answer in time|cannot be reached"
TOO_MANY = "limit of calls|enough calls"
BURST = tuple(Fault(kind=FaultKind.STATUS, status=status, times=1) for status in range(500, 505))

TROUBLES: tuple[Trouble, ...] = (
    Trouble("refused", "cannot be reached", _each(FaultKind.REFUSED, None), minutes=6),
    Trouble("black hole", NO_ANSWER, _each(FaultKind.BLACK_HOLE, None), minutes=6, everywhere=True),
    Trouble("time-out before the commit", NO_ANSWER, _each(FaultKind.BLACK_HOLE)),
    Trouble("time-out after the commit", NO_ANSWER, _each(FaultKind.LOST_ANSWER)),
    Trouble("reset in the body", "broke off its answer", _each(FaultKind.RESET)),
    Trouble("truncated JSON with 200", "of no use", _each(FaultKind.TRUNCATED)),
    Trouble("HTML with 200", "of no use", _each(FaultKind.HTML)),
    Trouble("body at 1 byte/s", "did not answer in time", _each(FaultKind.SLOW_BODY)),
    Trouble("429, Retry-After in seconds", TOO_MANY, _too_many(30)),
    Trouble("429, Retry-After as a date", TOO_MANY, _too_many(90, "date")),
    Trouble("429, no Retry-After", TOO_MANY, _too_many(None)),
    Trouble("429, Retry-After of a day", TOO_MANY, _too_many(24 * HOUR)),
    Trouble("burst of 500-504", r"trouble of its own \(HTTP 50\d\)", BURST),
    Trouble("access token expired in the middle", "", _each(FaultKind.TOKEN_EXPIRED)),
    Trouble("permission revoked", "[Rr]econnect", begins=_disconnect, ends=_permit, minutes=6),
    Trouble("200 with errors for some items", "lock date|differ|there", some_items=True, minutes=6),
    Trouble(
        "daily limit reached", r"limit of calls \(day\)", begins=_use_up, ends=_more, minutes=2
    ),
    Trouble("our clock 10 minutes ahead", "", begins=_ahead, ends=_right, minutes=3),
    Trouble("our clock 10 minutes behind", "", begins=_behind, ends=_right, minutes=3),
)


def _lose(site: Site) -> None:
    site.post = lambda callbacks: ()


def _twice(site: Site) -> None:
    site.post = lambda callbacks: [*callbacks, *callbacks]


def _hold(site: Site) -> None:
    """They come all at once when it is over, the last first."""
    held: list[Outgoing] = []

    def hold(callbacks: Sequence[Outgoing]) -> Sequence[Outgoing]:
        held.extend(callbacks)
        return ()

    def release(callbacks: Sequence[Outgoing]) -> Sequence[Outgoing]:
        held.extend(callbacks)
        released, held[:] = held[::-1], []
        return released

    site.post, site.release = hold, release


def _release(site: Site) -> None:
    site.post = site.release


def _usual(site: Site) -> None:
    site.post = as_they_are


NO_CALLBACK = "no callback came in time"
LATE = 70
"""Minutes; a callback is waited for for sixty."""

OF_CALLBACKS: tuple[Trouble, ...] = (
    Trouble("callbacks lost", NO_CALLBACK, begins=_lose, ends=_usual, minutes=6),
    Trouble("callbacks late", NO_CALLBACK, begins=_hold, ends=_release, minutes=LATE),
    Trouble("callbacks repeated", "", begins=_twice, ends=_usual, minutes=3),
    Trouble("callbacks out of order", "", begins=_hold, ends=_release, minutes=6),
)


def troubles_of(venue: Venue) -> list[Trouble]:
    """Those that the provider can be in, with what is read of them there."""
    found = [*TROUBLES, *(OF_CALLBACKS if venue.provider.by_callback else ())]
    return [
        replace(trouble, words=venue.words.get(trouble.name, trouble.words))
        for trouble in found
        if trouble.name not in venue.lacks
    ]
