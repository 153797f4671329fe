"""How long to wait before the next try: exponential, with full jitter."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta

_MOST_DOUBLINGS = 40  # 5 s doubled so often is 174,000 years; more would overflow a timedelta


def full_jitter(doublings: int, *, base: timedelta, cap: timedelta) -> timedelta:
    """A wait evenly spread from zero to `base` doubled so many times, at most `cap`: those who
    failed together do not come back together."""
    ceiling = min(cap, base * (1 << min(max(doublings, 0), _MOST_DOUBLINGS)))
    return ceiling * random.random()  # noqa: S311 - spreads load, hides nothing


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits of up to `base` after the first try, doubling with each, never over `cap`."""

    base: timedelta = timedelta(seconds=5)
    cap: timedelta = timedelta(hours=1)

    def seconds(self, attempts: int) -> float:
        """How long to wait after so many tries."""
        return full_jitter(attempts - 1, base=self.base, cap=self.cap).total_seconds()
