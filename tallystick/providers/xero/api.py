"""XeroApi: what Xero words differently from other HTTP interfaces."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from tallystick.ports.errors import RateLimited
from tallystick.ports.exchange import Answer, Texts
from tallystick.ports.http import Api
from tallystick.ports.waiting import retry_after
from tallystick.providers.xero.schema import Problem

_REMAINING = {
    "minute": "x-minlimit-remaining",
    "day": "x-daylimit-remaining",
    "appminute": "x-appminlimit-remaining",
}
_WAITS = {"concurrent": 1.0, "minute": 60.0, "day": 3600.0, "appminute": 60.0}
"""Seconds to rest where a 429 does not say: only the minute's and the day's tell."""


class XeroApi(Api):
    def remaining(self, headers: Texts) -> Mapping[str, int]:
        found = {name: headers.get(header, "") for name, header in _REMAINING.items()}
        return {
            name: int(left)
            for name, left in found.items()
            if left.isascii() and left.isdigit() and len(left) < 10  # noqa: PLR2004 - no real count
        }

    def limited(self, answer: Answer) -> RateLimited:
        limit = answer.headers.get("x-rate-limit-problem", "").strip().lower()
        limit = limit if limit in _WAITS else ""
        seconds = retry_after(answer.headers)
        return RateLimited(
            f"Xero's limit of calls ({limit or 'not named'}) is reached.",
            retry_after=_WAITS.get(limit, self.wait) if seconds is None else seconds,
            limit=limit,
        )

    def words(self, answer: Answer) -> str:
        try:
            problem = Problem.model_validate_json(answer.content)
        except ValidationError:
            return ""
        complaints = [c.message for element in problem.elements for c in element.complaints]
        return " ".join(dict.fromkeys(complaints)) or problem.detail or problem.message
