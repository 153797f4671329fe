"""`manage.py numbering_report`: every number, and why one is missing."""

from __future__ import annotations

import csv
from datetime import date
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from tallystick.accounts.models import Account
from tallystick.billing import triggers
from tallystick.billing.credit_notes import issue_credit_note
from tallystick.billing.numbering import Series
from tallystick.billing.tests import making
from tallystick.billing.tests.test_doctor import remove


def report(**asked: object) -> tuple[int, list[str]]:
    out = StringIO()
    try:
        call_command("numbering_report", stdout=out, **asked)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue().splitlines()
    return 0, out.getvalue().splitlines()


@pytest.fixture
def busy(account: Account) -> Account:
    """Three invoices of 2025, two of 2026, and a credit note."""
    for year, count in ((2025, 3), (2026, 2)):
        for month in range(1, count + 1):
            making.issued(account, issue_date=date(year, month, 1))
    last = making.issued(account, issue_date=date(2026, 5, 1))
    issue_credit_note(last, reason="Too much", by=None, issue_date=date(2026, 5, 2))
    return account


def test_series_and_years_with_first_last_and_count(busy: Account) -> None:
    domain = busy.website.domain
    assert report() == (
        0,
        [
            f"{domain} credit_note 2026: CN-2026-00001 to CN-2026-00001: "
            "numbers: 1 documents, counter at 1",
            f"{domain} invoice 2025: INV-2025-00001 to INV-2025-00003: "
            "numbers: 3 documents, counter at 3",
            f"{domain} invoice 2026: INV-2026-00001 to INV-2026-00003: "
            "numbers: 3 documents, counter at 3",
        ],
    )


def test_one_series_and_one_year(busy: Account) -> None:
    assert len(report(series="invoice")[1]) == 2
    assert len(report(series="invoice", year=2025)[1]) == 1
    assert report(website=making.website().domain) == (0, [])


def test_a_gap_is_explained_by_the_journal(busy: Account) -> None:
    triggers.drop(connection)
    gone = busy.invoices.get(number="INV-2025-00002")
    remove(gone)
    code, lines = report(year=2025)
    triggers.create(connection)
    assert code == 1
    assert "INV-2025-00002: missing: issued at " in lines[1]
    assert f"billing.invoice {gone.pk}" in lines[1]


def test_a_gap_that_the_journal_knows_nothing_of(busy: Account) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE billing_counter SET last = 5 WHERE period = 2025")
    code, lines = report(year=2025)
    assert code == 1
    assert [line.split(": ")[1:3] for line in lines[1:]] == [
        ["INV-2025-00004", "missing"],
        ["INV-2025-00005", "missing"],
    ]
    assert "never issued" in lines[1]


def test_numbers_of_another_form_and_dates_out_of_order_are_remarked(busy: Account) -> None:
    Series.objects.of(busy.website).filter(code="invoice").update(prefix="RE")
    making.issued(busy, issue_date=date(2025, 2, 15))
    code, lines = report(series="invoice", year=2025)
    assert code == 0
    assert [line.split(": ")[1:3] for line in lines[1:]] == [
        ["INV-2025-00001", "form"],
        ["INV-2025-00002", "form"],
        ["INV-2025-00003", "form"],
        ["RE-2025-00004", "order"],
    ]


def test_one_date_far_ahead_is_remarked_once(account: Account) -> None:
    days = [date(2025, 1, 1), date(2025, 12, 31), *(date(2025, month, 1) for month in (2, 3, 4))]
    for day in days:
        making.issued(account, issue_date=day)
    code, lines = report(series="invoice", year=2025)
    assert code == 0
    assert [line.partition(" 2025: ")[2] for line in lines[1:]] == [
        "INV-2025-00002: order: dated 2025-12-31, after 3 with higher numbers: "
        "INV-2025-00003 to INV-2025-00005, dated 2025-02-01 to 2025-04-01"
    ]


def test_as_a_table(busy: Account) -> None:
    rows = list(csv.DictReader(report(csv=True)[1]))
    assert [(row["series"], row["period"], row["what"]) for row in rows] == [
        ("credit_note", "2026", "numbers"),
        ("invoice", "2025", "numbers"),
        ("invoice", "2026", "numbers"),
    ]
