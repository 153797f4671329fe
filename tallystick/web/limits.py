"""Limits on how often: counted in the cache, so that all processes of a site on Redis share them.

Windows are fixed: a count starts with the first try and is forgotten `seconds` later.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.core.cache import cache

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
