"""Limits on how often: counted in the database, so that all processes of a site share them.

Windows are fixed: a count starts with the first try and is forgotten `seconds` later.
"""

from __future__ import annotations

from dataclasses import dataclass

from tallystick.accounts.tries import Tries


class TooMany(Exception):
    """Too often; try again in `seconds`."""

    def __init__(self, seconds: int = 60) -> None:
        super().__init__(f"Too often; try again in {seconds} seconds.")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `times` in `seconds`, for each subject by itself."""

    name: str
    times: int
    seconds: int

    def count(self, subject: str) -> bool:
        """Count one try of `subject`; whether it was still within the limit."""
        return Tries.add(self._named(subject), self.seconds) <= self.times

    def spend(self, subject: str) -> None:
        """The same; raises `TooMany` when it was not."""
        if not self.count(subject):
            raise TooMany(self.seconds)

    def count_unless(self, other: Limit, who: str, subject: str) -> bool:
        """The same in one query with the question whether `who` has a try left within `other`."""
        count, others = Tries.add_beside(other._named(who), self._named(subject), self.seconds)
        return count <= self.times and others < other.times

    def _named(self, subject: str) -> str:
        return f"{self.name}:{subject}"
