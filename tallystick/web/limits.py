"""Limits on how often: counted in the cache, so that all processes of a site on Redis share them.

Windows are fixed: a count starts with the first try and is forgotten `seconds` later.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

from tallystick.kit.signing import digest


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `times` in `seconds`, for each subject by itself."""

    name: str
    times: int
    seconds: int

    def count(self, subject: str) -> bool:
        """Count one try of `subject`; whether it was still within the limit."""
        key = self._key(subject)
        if cache.add(key, 1, self.seconds):
            return True
        try:
            return cache.incr(key) <= self.times
        except ValueError:  # it ran out between the two
            return bool(cache.add(key, 1, self.seconds))

    def reached(self, subject: str) -> bool:
        """Whether `subject` has no try left; counts nothing."""
        return int(cache.get(self._key(subject), 0)) >= self.times

    def _key(self, subject: str) -> str:
        # Hashed: what is counted can be a secret, and can be longer than a cache key.
        return f"limit:{self.name}:{digest(subject)[:32]}"


def address_of(request: HttpRequest) -> str:
    """Who asks: an IPv4 address, or the /64 network of an IPv6 address, which is one household.

    Forwarded headers are believed only behind a proxy of ours, and then only the last entry: it is
    the one that the proxy wrote."""
    written = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        written = request.META.get("HTTP_X_FORWARDED_FOR", written).rsplit(",", 1)[-1]
    try:
        address = ipaddress.ip_address(written.strip())
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
