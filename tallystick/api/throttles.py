"""How often somebody may ask: counted in the database, so that all processes count together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.http.response import HttpResponseBase

from tallystick.accounts.limits import TooMany
from tallystick.accounts.models import Tries
from tallystick.api.authentication import misses

if TYPE_CHECKING:
    from tallystick.api.callers import Caller

_WINDOW = 60


@dataclass(frozen=True, slots=True)
class Count:
    """What is left of a minute's requests."""

    limit: int
    used: int

    def tell(self, response: HttpResponseBase) -> None:
        """Say it in the headers of draft-ietf-httpapi-ratelimit-headers."""
        left = max(self.limit - self.used, 0)
        response["RateLimit-Policy"] = f'"requests";q={self.limit};w={_WINDOW}'
        response["RateLimit"] = f'"requests";r={left};t={_WINDOW}'


def of_caller(caller: Caller) -> Count:
    """Count one request of a key or a person. Raises `TooMany`; also for a good key from an address
    that has guessed too often."""
    limit = settings.API_REQUESTS_PER_MINUTE
    guesses = misses()
    other = guesses._named(caller.address) if caller.key else ""
    used, missed = Tries.add_beside(other, f"api:{caller.name}", _WINDOW)
    if used > limit or (caller.key and missed >= guesses.times):
        raise TooMany(_WINDOW)
    return Count(limit, used)


def of_address(address: str) -> Count:
    """Count one request of somebody who gives no name."""
    limit = settings.API_PUBLIC_REQUESTS_PER_MINUTE
    used = Tries.add(f"api:address:{address}", _WINDOW)
    if used > limit:
        raise TooMany(_WINDOW)
    return Count(limit, used)
