"""Numbers without gaps: one counter per website, series and year."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.core.validators import MaxValueValidator, RegexValidator
from django.db import IntegrityError, connection, models

from tallystick.accounts.tenancy import TenantModel
from tallystick.billing.errors import BillingError

if TYPE_CHECKING:
    from tallystick.accounts.models import Website

INVOICES = "invoice"
CREDIT_NOTES = "credit_note"
_PREFIX = {INVOICES: "INV", CREDIT_NOTES: "CN"}

# One statement on both databases: makes the counter or moves it, locks its row until the
# transaction ends, and answers the number and how it looks. Rolled back, it was never taken.
_NEXT = """
INSERT INTO billing_counter (series_id, period, last)
SELECT id, CASE WHEN restarts_yearly THEN %s ELSE 0 END, 1
FROM billing_series WHERE website_id = %s AND code = %s
ON CONFLICT (series_id, period) DO UPDATE SET last = billing_counter.last + 1
RETURNING last, period,
    (SELECT prefix FROM billing_series WHERE id = series_id),
    (SELECT digits FROM billing_series WHERE id = series_id)
"""


class PrefixTaken(BillingError):
    """Another series has this prefix."""


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


def take(website: Website, code: str, day: date) -> str:
    """The next number of series `code` for a document dated `day`; the series is made on first use.

    Nobody else gets one of this series before the transaction ends, so take it last. Raises
    `PrefixTaken`."""
    while (row := _next(website, code, day)) is None:
        _make(website, code)
    number, period, prefix, digits = row
    return f"{prefix}-{f'{period}-' if period else ''}{number:0{digits}d}"


def _make(website: Website, code: str) -> None:
    prefix = _PREFIX.get(code, code.upper())
    try:
        Series.objects.of(website).get_or_create(
            website=website, code=code, defaults={"prefix": prefix}
        )
    except IntegrityError:
        raise PrefixTaken(
            f"There is no series {code} here, and one with its prefix, {prefix}, cannot be made: "
            "another series has it. Add a series of this code with a prefix of its own."
        ) from None


def _next(website: Website, code: str, day: date) -> tuple[int, int, str, int] | None:
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [day.year, website.pk, code])
        row: tuple[int, int, str, int] | None = cursor.fetchone()
    return row
