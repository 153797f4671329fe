"""The rollup of the statistics: what is to be added to it, and what it holds.

Whoever changes a document appends `StatDelta`s in the same transaction, so that writers never wait
for each other; the worker folds them into `StatDay` and `StatMonth`. The rollup and what is not
folded yet are together always exact. Amounts are kept in the currency's smallest coin, for SQLite
adds up decimals in binary.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from django.db import connection, models, transaction

from tallystick.accounts.models import Website
from tallystick.accounts.tenancy import TenantModel

if TYPE_CHECKING:
    from tallystick.queue import Budget

BATCH = 1000


class Kind(models.TextChoices):
    """What is counted, and on which day."""

    INVOICED = "invoiced"  # the date of issue
    PAID = "paid"  # the same: of what was invoiced then, so much is paid; number: paid in full
    UNPAID = "unpaid"  # the same: so much is still owed
    OWED = "owed"  # the due date
    CREDITED = "credited"  # the credit note's date of issue
    VOIDED = "voided"
    WRITTEN_OFF = "written_off"
    SETTLED = "settled"  # the day it was paid in full; days: since its issue
    COLLECTED = "collected"  # the day the money came; label: the method
    REFUNDED = "refunded"  # the day the money went back; label: the method
    DISPUTED = "disputed"  # the day the dispute was opened, until it is decided
    CHARGED_BACK = "charged_back"  # the day it was lost


class Key(NamedTuple):
    website: int
    currency: str
    kind: str
    label: str
    day: date


class Count(NamedTuple):
    """`amount` in the smallest coin, `number` of documents, `days` added up."""

    amount: int
    number: int = 0
    days: int = 0

    def plus(self, other: Count) -> Count:
        return Count(self.amount + other.amount, self.number + other.number, self.days + other.days)

    def less(self, other: Count) -> Count:
        return Count(self.amount - other.amount, self.number - other.number, self.days - other.days)


NOTHING = Count(0)
Counts = Mapping[Key, Count]


class StatRow(TenantModel):
    """One key of the rollup, and what there is under it."""

    website = models.ForeignKey(
        Website, models.PROTECT, related_name="+", db_index=False
    )  # the indexes below serve
    currency = models.CharField(max_length=3)
    kind = models.CharField(max_length=12, choices=Kind)
    label = models.CharField(max_length=30, blank=True)
    day = models.DateField()
    amount = models.BigIntegerField()
    number = models.IntegerField()
    days = models.IntegerField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.kind} {self.day}: {self.amount} {self.currency}"


class StatDelta(StatRow):
    """A change that is not in the rollup yet. Appended, and deleted by who folds it."""


class StatDay(StatRow):
    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["website", "currency", "day", "kind", "label"], name="stat_day_once"
            )
        ]


class StatMonth(StatRow):
    """The same by months; `day` is the first of the month."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["website", "currency", "day", "kind", "label"], name="stat_month_once"
            )
        ]


COLUMNS = ("website_id", "currency", "kind", "label", "day", "amount", "number", "days")
_APPEND = f"INSERT INTO billing_statdelta ({', '.join(COLUMNS)}) VALUES "  # noqa: S608 - ours
_ONE = f"({', '.join(['%s'] * len(COLUMNS))})"
_ADD = """
INSERT INTO {table} (website_id, currency, kind, label, day, amount, number, days)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (website_id, currency, day, kind, label) DO UPDATE SET
    amount = {table}.amount + excluded.amount,
    number = {table}.number + excluded.number,
    days = {table}.days + excluded.days
"""


def append(counts: Counts) -> None:
    """Write `counts` as deltas, in the caller's transaction and in one statement."""
    rows = [(*key, *count) for key, count in counts.items() if count != NOTHING]
    if not rows:
        return
    # By hand: the ORM takes longer to write the statement than the database to run it.
    with connection.cursor() as cursor:
        cursor.execute(
            _APPEND + ", ".join([_ONE] * len(rows)), [value for row in rows for value in row]
        )


def drain(budget: Budget) -> int:
    """Fold until nothing is left; returns how many deltas that were."""
    folded = 0
    while not budget.spent:
        count = fold()
        folded += count
        if count < BATCH:
            break
    return folded


def fold(limit: int = BATCH) -> int:
    """Move at most `limit` deltas into the rollup; returns how many. Several folders at once take
    different ones."""
    with transaction.atomic():
        deltas = StatDelta.objects.everywhere()
        waiting = deltas.select_for_update(skip_locked=True).order_by("id")
        rows = list(waiting.values_list("pk", *COLUMNS)[:limit])
        if rows:
            add(total((Key(*row[1:6]), Count(*row[6:])) for row in rows))
            deltas.filter(pk__in=[row[0] for row in rows]).delete()
    return len(rows)


def add(counts: Counts) -> None:
    """Add `counts` to the rollup."""
    add_to(StatDay, counts)
    add_to(StatMonth, by_month(counts))


def add_to(model: type[StatDay | StatMonth], counts: Counts) -> None:
    # In one order, so that folders wait for each other and never in a circle.
    rows = [(*key, *counts[key]) for key in sorted(counts) if counts[key] != NOTHING]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(_ADD.format(table=model._meta.db_table), rows)


def total(counts: Iterable[tuple[Key, Count]]) -> dict[Key, Count]:
    """`counts` added up by key."""
    sums: dict[Key, Count] = {}
    for key, count in counts:
        sums[key] = sums[key].plus(count) if key in sums else count
    return sums


def by_month(counts: Counts) -> dict[Key, Count]:
    return total((key._replace(day=key.day.replace(day=1)), count) for key, count in counts.items())
