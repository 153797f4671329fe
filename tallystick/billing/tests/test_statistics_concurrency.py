"""Figures while many write, fold, read and rebuild at once. The control takes the claim away."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet

from tallystick.accounts.models import Account
from tallystick.billing import statistic_recounts, statistic_rows, statistics
from tallystick.billing.payments import mark_paid
from tallystick.billing.statistic_rows import StatDelta
from tallystick.billing.tests import making
from tallystick.billing.tests.test_concurrency import at_once
from tallystick.queue import Budget

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def bill_and_pay(account: Account) -> None:
    mark_paid(making.issued(account, making.line("10")), by=None)


def as_it_grows(account: Account) -> None:
    """What is invoiced is paid or owed, in whatever moment one looks."""
    for _ in range(20):
        found = statistics.figures([account.website], currency="EUR")
        assert found.invoiced.amount == found.paid.amount + found.outstanding.amount


def differing(account: Account) -> list[statistic_recounts.Difference]:
    statistic_rows.drain(Budget())
    return list(statistic_recounts.differences(account.website))


def test_figures_are_exact_while_all_happens_at_once(account: Account) -> None:
    tasks: list[Callable[[], object]] = [partial(bill_and_pay, account) for _ in range(20)]
    tasks += [partial(statistic_rows.fold, 7) for _ in range(20)]
    tasks += [partial(as_it_grows, account) for _ in range(5)]
    tasks += [partial(statistic_recounts.rebuild, account.website) for _ in range(5)]
    assert [done for done in at_once(tasks) if isinstance(done, Exception)] == []
    assert differing(account) == []
    found = statistics.figures([account.website], currency="EUR")
    assert (found.invoiced.number, found.settled) == (20, 20)


@pytest.mark.postgres
def test_without_the_claim_folders_count_twice(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows)
    for _ in range(20):
        making.issued(account, making.line("10"))
    at_once([partial(statistic_rows.fold, 1000) for _ in range(20)])
    assert differing(account)


@pytest.mark.postgres
def test_who_writes_does_not_wait_for_who_folds_or_writes(account: Account) -> None:
    making.issued(account, making.line("10"))
    other = making.account(account.website)

    def impatient() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '100ms'")
            key = statistic_rows.Key(
                account.website_id, "EUR", "invoiced", "", account.website.today()
            )
            statistic_rows.append({key: statistic_rows.Count(0, 1)})
            cursor.execute("DELETE FROM billing_statdelta WHERE amount = 0 AND number = 1")

    with transaction.atomic():
        statistic_rows.fold()
        statistic_rows.append(
            {
                statistic_rows.Key(
                    other.website_id, "EUR", "invoiced", "", other.website.today()
                ): statistic_rows.Count(0, 2)
            }
        )
        assert at_once([impatient]) == [None]
        transaction.set_rollback(True)
    assert StatDelta.objects.of(account.website).exists()
