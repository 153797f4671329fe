"""The ledger outside the product: what a stand was asked to make, by natural key."""

from __future__ import annotations

from collections import Counter, defaultdict


class Ledger:
    """How many times each thing was made: account -> kind -> natural key -> count.

    A key wanted and absent was lost, a key with a count above one was duplicated. Changes and
    removals do not count. Not thread-safe by itself: the stand writes it under its lock.
    """

    def __init__(self) -> None:
        self._made: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))

    def made(self, kind: str, key: str, *, account: str = "") -> None:
        self._made[account][kind][key] += 1

    def counts(self, kind: str, *, account: str | None = None) -> dict[str, int]:
        """Natural key -> times made; over all accounts unless one is named."""
        total: Counter[str] = Counter()
        for name, kinds in self._made.items():
            if account in (None, name):
                total.update(kinds.get(kind, {}))
        return dict(total)

    def doubled(self) -> list[tuple[str, str, str]]:
        """(account, kind, key) of everything made more than once."""
        return [
            (account, kind, key)
            for account, kinds in self._made.items()
            for kind, counts in kinds.items()
            for key, count in counts.items()
            if count > 1
        ]

    def dump(self) -> dict[str, dict[str, dict[str, int]]]:
        return {
            account: {kind: dict(counts) for kind, counts in kinds.items()}
            for account, kinds in self._made.items()
        }

    def clear(self) -> None:
        self._made.clear()
