"""The figures: exact at any moment, folded or not, and the same as a recount."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tallystick.accounts.models import Account, Website
from tallystick.billing import payments, refunds, statistic_rows, statistics
from tallystick.billing.credit_notes import issue_credit_note
from tallystick.billing.invoices import Invoice
from tallystick.billing.statistic_rows import StatDay, StatDelta, StatMonth
from tallystick.billing.statistics import BadPeriod, Figures, Step, Total
from tallystick.billing.tests import making
from tallystick.billing.tests.making import D, eur
from tallystick.kit import clock
from tallystick.kit.money import Money
from tallystick.queue import Budget


@pytest.fixture
def virtual_time() -> Iterator[clock.VirtualClock]:
    with clock.use(clock.VirtualClock()) as virtual:
        yield virtual


def figures(website: Website, currency: str = "EUR", **asked: object) -> Figures:
    """The figures, which folding does not change."""
    before = statistics.figures([website], currency=currency, **asked)  # type: ignore[arg-type]
    statistic_rows.drain(Budget())
    assert not StatDelta.objects.everywhere().exists()
    assert statistics.figures([website], currency=currency, **asked) == before  # type: ignore[arg-type]
    return before


def pay(invoice: Invoice, amount: str, method: str = "manual") -> payments.Payment:
    return payments.pay(invoice, eur(amount), method=method, by=None)


def due(account: Account, days_ago: int, price: str = "100") -> Invoice:
    day = account.website.today() - timedelta(days=days_ago)
    return making.issued(account, making.line(price), issue_date=day, due_date=day)


def test_an_issued_invoice_is_invoiced_unpaid_and_outstanding(invoice: Invoice) -> None:
    found = figures(invoice.website)
    assert found.invoiced == found.unpaid == found.outstanding == Total(D("119.00"), 1)
    assert found.overdue == found.paid == found.collected == Total(D("0.00"), 0)
    assert found.days_to_pay is None


def test_a_draft_counts_for_nothing(draft: Invoice) -> None:
    assert figures(draft.website).invoiced == Total(D("0.00"), 0)
    assert not StatDay.objects.of(draft.website).exists()


def test_a_part_payment_leaves_the_rest_outstanding(invoice: Invoice) -> None:
    pay(invoice, "19.01")
    found = figures(invoice.website)
    assert found.collected == Total(D("19.01"), 1)
    assert found.paid == Total(D("19.01"), 0)
    assert found.outstanding == found.unpaid == Total(D("99.99"), 1)


def test_days_to_pay_are_from_issue_to_the_last_payment(account: Account) -> None:
    for days_ago in (10, 3):
        invoice = due(account, days_ago)
        pay(invoice, "40")
        pay(invoice, "60")
    found = figures(account.website)
    assert (found.days_to_pay, found.settled) == (D("6.5"), 2)
    assert found.paid == Total(D("200.00"), 2)
    assert found.outstanding == Total(D("0.00"), 0)


def test_ages_are_counted_from_the_due_date(account: Account) -> None:
    for days_ago in (-5, 0, 1, 30, 31, 60, 61, 90, 91, 400):
        due(account, days_ago)
    found = figures(account.website)
    assert [(age.over, age.to, age.number) for age in found.ageing] == [
        (None, 0, 2),
        (0, 30, 2),
        (30, 60, 2),
        (60, 90, 2),
        (90, None, 2),
    ]
    assert found.overdue == Total(D("800.00"), 8)
    assert found.outstanding == Total(D("1000.00"), 10)


def test_what_is_due_grows_old_without_anybody_doing_anything(
    account: Account, virtual_time: clock.VirtualClock
) -> None:
    due(account, 0)
    assert figures(account.website).overdue.number == 0
    virtual_time.advance(timedelta(days=95))
    assert figures(account.website).ageing[-1].number == 1


def test_a_credit_note_lowers_what_is_outstanding(invoice: Invoice) -> None:
    issue_credit_note(invoice, reason="Too much", by=None, amount=eur("19.00"))
    found = figures(invoice.website)
    assert found.credited == Total(D("19.00"), 1)
    assert found.invoiced == Total(D("119.00"), 1)
    assert found.outstanding == Total(D("100.00"), 1)


def test_what_is_credited_whole_took_no_days_to_pay(invoice: Invoice) -> None:
    issue_credit_note(invoice, reason="Wrong client", by=None)
    found = figures(invoice.website)
    assert found.outstanding == Total(D("0.00"), 0)
    assert (found.settled, found.days_to_pay) == (0, None)


def test_a_void_invoice_is_owed_no_more(invoice: Invoice) -> None:
    invoice.void(reason="A slip")
    found = figures(invoice.website)
    assert found.voided == Total(D("119.00"), 1)
    assert found.outstanding == found.unpaid == Total(D("0.00"), 0)


def test_what_is_written_off_comes_back_when_it_is_paid_after_all(invoice: Invoice) -> None:
    invoice.write_off(reason="Gone away")
    found = figures(invoice.website)
    assert (found.written_off, found.outstanding.number) == (Total(D("119.00"), 1), 0)
    pay(invoice, "19.00")
    found = figures(invoice.website)
    assert found.written_off == Total(D("0.00"), 0)
    assert found.outstanding == Total(D("100.00"), 1)


def test_a_refund_is_owed_again(invoice: Invoice) -> None:
    payment = pay(invoice, "119.00")
    refunds.refund(payment, eur("20.00"), by=None, reason="Goodwill")
    found = figures(invoice.website)
    assert (found.collected, found.refunded) == (Total(D("119.00"), 1), Total(D("20.00"), 1))
    assert (found.outstanding, found.settled) == (Total(D("20.00"), 1), 0)


def test_a_dispute_is_open_then_lost(invoice: Invoice) -> None:
    payment = pay(invoice, "119.00")
    payment.dispute("not me")
    found = figures(invoice.website)
    assert (found.disputed, found.charged_back.number) == (Total(D("119.00"), 1), 0)
    payment.lose_dispute()
    found = figures(invoice.website)
    assert (found.disputed.number, found.charged_back) == (0, Total(D("119.00"), 1))


def test_what_the_wallet_pays_was_collected_before(account: Account) -> None:
    making.funded(account, "500")
    pay(making.issued(account), "119.00", "wallet")
    found = figures(account.website)
    assert found.collected == Total(D("0.00"), 0)
    assert found.paid == Total(D("119.00"), 1)
    assert [(share.method, share.amount) for share in found.methods] == [("wallet", D("119.00"))]


def test_methods_come_with_the_largest_first(account: Account) -> None:
    making.funded(account, "500")
    pay(making.issued(account), "119.00", "wallet")
    for _ in range(2):
        pay(making.issued(account), "119.00")
    found = figures(account.website)
    assert [(s.method, s.amount, s.number) for s in found.methods] == [
        ("manual", D("238.00"), 2),
        ("wallet", D("119.00"), 1),
    ]


def test_a_period_holds_its_first_and_its_last_day_and_no_others(account: Account) -> None:
    for day in (date(2026, 1, 14), date(2026, 1, 15), date(2026, 3, 31), date(2026, 4, 1)):
        making.issued(account, making.line(), issue_date=day)
    found = figures(account.website, start=date(2026, 1, 15), end=date(2026, 3, 31))
    assert found.invoiced == Total(D("200.00"), 2)
    assert [(point.day, point.invoiced) for point in found.series] == [
        (date(2026, 1, 1), D("100.00")),
        (date(2026, 2, 1), D("0.00")),
        (date(2026, 3, 1), D("100.00")),
    ]


@pytest.mark.parametrize(
    ("step", "days"),
    [
        (Step.DAY, [date(2026, 3, 4), date(2026, 3, 5), date(2026, 3, 6)]),
        (Step.WEEK, [date(2026, 3, 2)]),
    ],
)
def test_a_series_by_days_or_weeks(account: Account, step: Step, days: list[date]) -> None:
    for day in (4, 6):
        making.issued(account, making.line(), issue_date=date(2026, 3, day))
    found = figures(account.website, start=date(2026, 3, 4), end=date(2026, 3, 6), step=step)
    assert [point.day for point in found.series] == days
    assert sum(point.invoiced for point in found.series) == D("200.00")


def test_days_are_those_of_the_website(db: None, virtual_time: clock.VirtualClock) -> None:
    virtual_time.advance(datetime(2026, 3, 31, 23, 30, tzinfo=UTC) - virtual_time.now())
    tokyo = making.website(time_zone="Asia/Tokyo")
    pay(making.issued(making.account(tokyo)), "119.00")
    assert figures(tokyo, end=date(2026, 3, 31)).collected.number == 0
    assert figures(tokyo, start=date(2026, 4, 1)).collected.number == 1


def test_currencies_and_websites_are_apart(account: Account) -> None:
    making.issued(account, making.line("5"), currency="JPY")
    making.issued(account, making.line("5.125"), currency="KWD")
    other = making.account(making.website())
    making.issued(other, making.line("7"))
    assert figures(account.website, "JPY").invoiced == Total(D(5), 1)
    assert figures(account.website, "KWD").invoiced == Total(D("5.125"), 1)
    assert figures(account.website).invoiced.number == 0
    both = [account.website, other.website]
    assert statistics.figures(both, currency="EUR").invoiced == Total(D("7.00"), 1)
    assert statistics.currencies(both) == ["EUR", "JPY", "KWD"]
    assert statistics.currencies([other.website]) == ["EUR"]


def test_nobody_s_figures_are_nothing(db: None) -> None:
    found = statistics.figures([], currency="EUR")
    assert (found.invoiced, found.series) == (Total(D("0.00"), 0), ())


def test_a_period_that_ends_before_it_begins_is_refused(website: Website) -> None:
    with pytest.raises(BadPeriod):
        statistics.figures([website], currency="EUR", start=date(2026, 2, 1), end=date(2026, 1, 1))
    with pytest.raises(BadPeriod):
        statistics.figures([website], currency="EUR", step=Step.DAY)


def test_the_largest_amounts_add_up_exactly(account: Account) -> None:
    for _ in range(3):
        making.issued(account, making.line("99999999999.99", quantity=D(90)))
    assert figures(account.website).invoiced.amount == D("26999999999997.30")


def test_what_fails_leaves_no_note(invoice: Invoice) -> None:
    before = StatDelta.objects.of(invoice.website).count()
    with pytest.raises(payments.TooMuch):
        payments.pay(invoice, Money(D(1000), "EUR"), method="manual", by=None)
    assert StatDelta.objects.of(invoice.website).count() == before


def test_a_verb_notes_what_it_changes_in_one_statement(invoice: Invoice) -> None:
    with CaptureQueriesContext(connection) as queries:
        invoice.void(reason="A slip")
    notes = [query for query in queries if "billing_statdelta" in query["sql"]]
    assert len(notes) == 1


def test_figures_take_one_statement_whatever_there_is(
    account: Account, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    making.issued(account)
    with django_assert_num_queries(1):  # type: ignore[operator] # a fixture that is called
        statistics.figures([account.website], currency="EUR")


def test_folding_adds_to_days_and_months(account: Account) -> None:
    for day in (1, 2, 28):
        making.issued(account, making.line(), issue_date=date(2026, 2, day))
    statistic_rows.drain(Budget())
    invoiced = {"kind": "invoiced", "website": account.website}
    assert [row.amount for row in StatDay.objects.filter(**invoiced)] == [10000] * 3
    (month,) = StatMonth.objects.filter(**invoiced)
    assert (month.day, month.amount, month.number) == (date(2026, 2, 1), 30000, 3)
