"""Bars beside their names, each as long as its share of the longest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Bar:
    """`length` in per cent of the longest bar; `share` in per cent of all of them."""

    label: str
    amount: Decimal
    number: int
    tone: str
    length: str
    share: Decimal


def bars(rows: Sequence[tuple[str, Decimal, int, str]]) -> list[Bar]:
    """A bar for each label, amount, number and tone. An amount below zero has none."""
    longest = max((amount for _, amount, _, _ in rows), default=Decimal(0))
    total = sum((amount for _, amount, _, _ in rows), Decimal(0))
    return [
        Bar(label, amount, number, tone, _length(amount, longest), _share(amount, total))
        for label, amount, number, tone in rows
    ]


def _length(amount: Decimal, longest: Decimal) -> str:
    if amount <= 0 or longest <= 0:
        return "0%"
    # What is there at all can be seen.
    return f"{max(float(amount / longest * 100), 0.5):.2f}%"


def _share(amount: Decimal, total: Decimal) -> Decimal:
    return amount / total * 100 if total > 0 else Decimal(0)
