"""The statistics counted anew from the documents: to check the rollup, and to mend it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection, models, transaction
from django.db.models import Sum

from tallystick.billing.credit_notes import CreditNote
from tallystick.billing.disputes import Dispute
from tallystick.billing.invoices import Invoice
from tallystick.billing.payment_rows import Payment
from tallystick.billing.refunds import Refund
from tallystick.billing.snapshots import snapshot
from tallystick.billing.statistic_notes import Document, counts_of
from tallystick.billing.statistic_rows import (
    COLUMNS,
    NOTHING,
    Count,
    Counts,
    Key,
    StatDay,
    StatDelta,
    StatMonth,
    add_to,
    by_month,
)

if TYPE_CHECKING:
    from tallystick.accounts.models import Website

PAGE = 1000
_LOCK = 0x7A11_5717
"""The number of the lock under which one rebuilds."""


class Difference(NamedTuple):
    """Where the rollup is not what the documents say."""

    key: Key
    by_month: bool
    expected: Count
    found: Count


def recount(website: Website) -> dict[Key, Count]:
    """What the documents of `website` count for, read page by page."""
    counts: dict[Key, Count] = defaultdict(lambda: NOTHING)
    for document in _documents(website):
        for key, count in counts_of(document).items():
            counts[key] = counts[key].plus(count)
    return {key: count for key, count in counts.items() if count != NOTHING}


def differences(website: Website) -> Iterator[Difference]:
    """Where rollup and recount differ; to be read within a `snapshot`."""
    expected = recount(website)
    for model, wanted in ((StatDay, expected), (StatMonth, by_month(expected))):
        months = model is StatMonth
        found = _kept(model, website)
        for key in sorted({*wanted, *found}):
            right, there = wanted.get(key, NOTHING), found.get(key, NOTHING)
            if right != there:
                yield Difference(key, months, right, there)


def rebuild(website: Website) -> int:
    """Make the rollup what a recount says, and return how many of its rows that changed. What is
    wrong is added to what is there, so that nobody waits who writes or folds meanwhile."""
    with _alone():
        with snapshot():
            found = list(differences(website))
        with transaction.atomic():
            for model in (StatDay, StatMonth):
                wrong = [each for each in found if each.by_month == (model is StatMonth)]
                add_to(model, {each.key: each.expected.less(each.found) for each in wrong})
    return len(found)


@contextmanager
def _alone() -> Iterator[None]:
    """One rebuilds at a time: two would put the same thing right twice."""
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            with transaction.atomic():
                yield
            return
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _documents(website: Website) -> Iterator[Document]:
    """All that counts, each with its website at hand."""
    own: tuple[models.QuerySet[Any], ...] = (
        Invoice.objects.of(website),
        CreditNote.objects.of(website),
        Payment.objects.of(website),
        Refund.objects.of(website).select_related("payment"),
    )
    for rows in own:
        for document in _paged(rows.defer(*_heavy(rows.model))):
            document.website = website
            yield document
    disputes = Dispute.objects.filter(payment__website=website).select_related("payment")
    for dispute in _paged(disputes):
        dispute.payment.website = website
        yield dispute


def _heavy(model: type[models.Model]) -> list[str]:
    """The columns that hold whole texts, which no count needs."""
    kinds = (models.TextField, models.JSONField)
    return [field.name for field in model._meta.concrete_fields if isinstance(field, kinds)]


def _paged(rows: models.QuerySet[Any]) -> Iterator[Any]:
    last = 0
    while page := list(rows.filter(pk__gt=last).order_by("pk")[:PAGE]):
        yield from page
        last = page[-1].pk


def _kept(model: type[StatDay | StatMonth], website: Website) -> dict[Key, Count]:
    """The rollup with what is not folded yet."""
    counts: dict[Key, Count] = defaultdict(lambda: NOTHING)
    waiting: Counts = _summed(StatDelta, website)
    for part in (_summed(model, website), by_month(waiting) if model is StatMonth else waiting):
        for key, count in part.items():
            counts[key] = counts[key].plus(count)
    return counts


def _summed(model: type[StatDay | StatMonth | StatDelta], website: Website) -> dict[Key, Count]:
    rows = model.objects.of(website).order_by().values_list(*COLUMNS[:5])
    sums = rows.annotate(Sum("amount"), Sum("number"), Sum("days"))
    return {Key(*row[:5]): Count(*map(int, row[5:])) for row in sums.iterator()}
