"""What is asked twice within a second is one too many."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime, timedelta

from tallystick.providers.invoiceninja.sandbox.answers import repeated

_ALIKE = timedelta(seconds=1)


class Twins:
    def __init__(self) -> None:
        self._last: dict[Hashable, datetime] = {}

    def check(self, asked: Hashable, now: datetime) -> None:
        """Raises `Rejected` for a twin."""
        self._last = {other: at for other, at in self._last.items() if now - at < _ALIKE}
        if asked in self._last:
            raise repeated()
        self._last[asked] = now
