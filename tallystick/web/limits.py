"""Limits on how often: counted in the database, so that all processes of a site share them.

Windows are fixed: a count starts with the first try and is forgotten `seconds` later.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tallystick.accounts.models import Tries


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `times` in `seconds`, for each subject by itself."""

    name: str
    times: int
    seconds: int

    def count(self, subject: str) -> bool:
        """Count one try of `subject`; whether it was still within the limit."""
        return Tries.add(self._named(subject), self.seconds) <= self.times

    def count_unless(self, other: Limit, who: str, subject: str) -> bool:
        """The same in one query with the question whether `who` has a try left within `other`."""
        count, others = Tries.add_beside(other._named(who), self._named(subject), self.seconds)
        return count <= self.times and others < other.times

    def _named(self, subject: str) -> str:
        return f"{self.name}:{subject}"


def too_many(request: HttpRequest) -> HttpResponse:
    """The page of whoever is over a limit."""
    response = render(request, "429.html", status=HTTPStatus.TOO_MANY_REQUESTS)
    response["Retry-After"] = "60"
    return response
