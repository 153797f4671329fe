"""Budget: what is left of one limit, shared by every process that calls under it.

A rolling window is kept as sixty buckets. A call counts from the bucket in which it was drawn until
that bucket has wholly left the window, so we never believe to have more than the provider does; what
its answers state is taken over when it is less.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import models, transaction

from tallystick.ports.metering import Limit

BUCKETS = 60


class Budget(models.Model):
    """`used`: number of the bucket -> calls drawn in it."""

    key = models.CharField(max_length=150, unique=True)
    calls = models.PositiveIntegerField()
    window = models.PositiveIntegerField(help_text="seconds")
    used = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.key

    @property
    def _span(self) -> float:
        return self.window / BUCKETS

    def remaining(self, now: datetime) -> int:
        self._forget(now)
        used: dict[str, int] = self.used
        return self.calls - sum(used.values())

    def wait(self, now: datetime) -> float:
        """Seconds until at least one call is free again."""
        if self.remaining(now) > 0:
            return 0
        oldest = min(map(int, self.used))
        return max((oldest + 1) * self._span + self.window - now.timestamp(), self._span / 10)

    def add(self, calls: int, now: datetime) -> None:
        """Count `calls` now; a negative number gives calls back that were not made."""
        bucket = str(self._bucket(now))
        self.used[bucket] = self.used.get(bucket, 0) + calls
        while (owed := self.used[bucket]) < 0 and len(self.used) > 1:
            before = max((b for b in self.used if b != bucket), key=int)
            self.used[bucket], self.used[before] = 0, self.used[before] + owed
            bucket = before
        self.used = {b: n for b, n in self.used.items() if n > 0}

    def _bucket(self, now: datetime) -> int:
        return math.floor(now.timestamp() / self._span)

    def _forget(self, now: datetime) -> None:
        gone = now.timestamp() - self.window
        self.used = {b: n for b, n in self.used.items() if (int(b) + 1) * self._span > gone}


@dataclass(frozen=True, slots=True)
class Grant:
    """`calls` may be made now; when none, the next may after `wait` seconds under `limit`."""

    calls: int
    wait: float = 0
    limit: str = ""


def draw(limits: Mapping[str, Limit], wanted: int, now: datetime) -> Grant:
    """Take up to `wanted` calls from every one of `limits` (key -> limit), or none from any."""
    if not limits:
        return Grant(wanted)
    with transaction.atomic():
        budgets = _locked(limits)
        short = max(budgets, key=lambda budget: budget.wait(now))
        if wait := short.wait(now):
            return Grant(0, wait, limits[short.key].name)
        calls = min(wanted, *(budget.remaining(now) for budget in budgets))
        for budget in budgets:
            budget.add(calls, now)
            budget.save(update_fields=["used"])
    return Grant(calls)


def settle(
    limits: Mapping[str, Limit], *, unused: int, stated: Mapping[str, int], now: datetime
) -> None:
    """Give back what was drawn and not used (or charge what was overdrawn), and believe the
    provider where it says that less is left."""
    if not limits or (not unused and not stated):
        return
    with transaction.atomic():
        for budget in _locked(limits):
            budget.add(-unused, now)
            left = stated.get(limits[budget.key].name)
            if left is not None and left < budget.remaining(now):
                budget.add(budget.remaining(now) - left, now)
            budget.save(update_fields=["used"])


def _locked(limits: Mapping[str, Limit]) -> Sequence[Budget]:
    """The rows, in one order for everyone, made when missing, brought to the stated limit."""
    found = {b.key: b for b in _select(limits)}
    if missing := limits.keys() - found.keys():
        Budget.objects.bulk_create(
            [Budget(key=k, calls=limits[k].calls, window=limits[k].window) for k in missing],
            ignore_conflicts=True,
        )
        found = {b.key: b for b in _select(limits)}
    for key, budget in found.items():
        budget.calls, budget.window = limits[key].calls, limits[key].window
    return list(found.values())


def _select(limits: Mapping[str, Limit]) -> models.QuerySet[Budget]:
    return Budget.objects.select_for_update().filter(key__in=list(limits)).order_by("key")
