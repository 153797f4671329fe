"""Numbers without gaps: one counter per website, series and year."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.core.validators import MaxValueValidator, RegexValidator
from django.db import connection, models

from tallystick.accounts.tenancy import TenantModel

if TYPE_CHECKING:
    from tallystick.accounts.models import Website

INVOICES = "invoice"
_DEFAULT_PREFIX = {INVOICES: "INV"}
_NOT_YEARLY = 0

# One statement on both databases: makes the counter or moves it, locks its row until the
# transaction ends, and answers the number. Rolled back, the number was never taken.
_NEXT = """
INSERT INTO billing_counter (series_id, period, last) VALUES (%s, %s, 1)
ON CONFLICT (series_id, period) DO UPDATE SET last = billing_counter.last + 1
RETURNING last
"""


class Series(TenantModel):
    """How numbers of one kind of document look: `INV-2026-00001`."""

    code = models.SlugField(max_length=20, default=INVOICES)
    prefix = models.CharField(
        max_length=20,
        validators=[RegexValidator(r"^[A-Za-z0-9/._-]+$", "Letters, digits and / . _ - only.")],
    )
    digits = models.PositiveSmallIntegerField(default=5, validators=[MaxValueValidator(12)])
    restarts_yearly = models.BooleanField(
        default=True, help_text="Count from 1 every year, with the year in the number."
    )

    class Meta:
        verbose_name_plural = "series"
        constraints = [
            models.UniqueConstraint(fields=["website", "code"], name="series_once"),
            models.UniqueConstraint(fields=["website", "prefix"], name="series_prefix_once"),
        ]

    def __str__(self) -> str:
        return f"{self.prefix} ({self.code})"

    @classmethod
    def of(cls, website: Website, code: str = INVOICES) -> Series:
        """The series `code` of `website`; made on first use."""
        series, _ = cls.objects.of(website).get_or_create(
            website=website,
            code=code,
            defaults={"prefix": _DEFAULT_PREFIX.get(code, code[:20].upper())},
        )
        return series

    def take(self, day: date) -> str:
        """The next number for a document dated `day`. Nobody else gets one from this series
        before the transaction ends, so take it last."""
        period = day.year if self.restarts_yearly else _NOT_YEARLY
        with connection.cursor() as cursor:
            cursor.execute(_NEXT, [self.pk, period])
            (number,) = cursor.fetchone()
        middle = f"{period}-" if self.restarts_yearly else ""
        return f"{self.prefix}-{middle}{number:0{self.digits}d}"


class Counter(models.Model):
    """How far a series has counted in a year (0: for all years)."""

    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="counters")
    period = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["series", "period"], name="counter_once"),
        ]

    def __str__(self) -> str:
        return f"{self.series_id}/{self.period}: {self.last}"
