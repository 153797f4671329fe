"""Webhooks on their way from a stand to the product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One signed delivery. `expects` is the status that counts as accepted; `wants_silence`: its
    answer has no body. `attempt` starts at 1. Header names are lower case."""

    id: int
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    account: str = ""
    expects: int = 200
    attempt: int = 1
    label: str = ""
    method: str = "POST"
    wants_silence: bool = True


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the receiver did with a delivery. `status` is None when there was no answer."""

    sent: Outgoing
    at: datetime
    status: int | None
    complaint: str = ""

    @property
    def accepted(self) -> bool:
        return self.status == self.sent.expects and not self.complaint
