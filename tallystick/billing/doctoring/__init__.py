"""The self-check: everything that can be recomputed is, and each difference is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tallystick.accounts.models import Website
from tallystick.billing.doctoring import (
    balances,
    emails,
    journal,
    payments,
    series,
    statistics,
    totals,
    wallets,
)
from tallystick.billing.doctoring.findings import Check, Finding, Look
from tallystick.billing.snapshots import snapshot

__all__ = ["Check", "Finding", "checks", "examine", "register"]

_checks: dict[str, Check] = {
    check.name: check
    for check in (
        Check("totals", totals.look),
        Check("balances", balances.look),
        Check("payments", payments.look),
        Check("wallets", wallets.look),
        Check("series", series.look),
        Check("statistics", statistics.look),
        Check("emails", emails.look),
        # It reads around rows that the database cannot, which a transaction would not survive.
        Check("journal", journal.look, at_once=False),
    )
}


def register(name: str, look: Look, *, at_once: bool = True) -> Check:
    """Have `look` asked too; a second of the same name replaces the first."""
    _checks[name] = Check(name, look, at_once)
    return _checks[name]


def checks() -> tuple[Check, ...]:
    return tuple(_checks.values())


def examine(
    websites: Sequence[Website] | None = None, begin: Callable[[Check], object] = lambda _: None
) -> Iterator[tuple[Check, Finding]]:
    """What is wrong at `websites`, or anywhere, check by check; `begin` is told of each."""
    chosen = list(Website.objects.order_by("pk")) if websites is None else list(websites)
    for check in checks():
        begin(check)
        if not check.at_once:
            for finding in check.look(chosen):
                yield check, finding
            continue
        with snapshot():
            for finding in check.look(chosen):
                yield check, finding
