"""Tries: how often something was attempted of late, for all processes of a site together."""

from __future__ import annotations

from django.db import connection, models

from tallystick.kit import clock
from tallystick.kit.signing import digest

# One statement on both databases, so that of many at once none is missed. What has ended starts anew.
_COUNT = """
INSERT INTO accounts_tries (key, count, ends) VALUES (%(key)s, 1, %(ends)s)
ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN accounts_tries.ends <= %(now)s THEN 1 ELSE accounts_tries.count + 1 END,
    ends = CASE WHEN accounts_tries.ends <= %(now)s THEN excluded.ends ELSE accounts_tries.ends END
RETURNING count, (
    SELECT other.count FROM accounts_tries AS other WHERE other.key = %(other)s AND other.ends > %(now)s
)
"""


class Tries(models.Model):
    """A count that starts with the first try and is forgotten at `ends`, seconds since 1970.

    `key` is a digest: what is counted can be a secret, or say who somebody is."""

    key = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField()
    ends = models.BigIntegerField(db_index=True)

    class Meta:
        verbose_name_plural = "tries"

    def __str__(self) -> str:
        return f"{self.count} until {self.ends}"

    @classmethod
    def add(cls, subject: str, seconds: int) -> int:
        """Count one more of `subject`; the first is forgotten, with all that follow, `seconds` later."""
        return cls.add_beside("", subject, seconds)[0]

    @classmethod
    def add_beside(cls, other: str, subject: str, seconds: int) -> tuple[int, int]:
        """The same, and how many there were of `other`, in one query."""
        now = _now()
        values: dict[str, str | int] = {
            "key": digest(subject),
            "now": now,
            "ends": now + seconds,
            "other": digest(other),
        }
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, values)
            count, others = cursor.fetchone()
        return count, others or 0

    @classmethod
    def prune(cls) -> int:
        """Delete what has ended; returns how many."""
        return cls.objects.filter(ends__lte=_now()).delete()[0]


def _now() -> int:
    return int(clock.now().timestamp())
