"""The overview: the state first, then what needs doing, then figures and charts."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tallystick.accounts.models import Account
from tallystick.billing import payments
from tallystick.billing.credit_notes import issue_credit_note
from tallystick.billing.tests import making
from tallystick.kit.money import Money
from tallystick.web.charts import Mark, Series, bars, lines

D = Decimal


@pytest.fixture
def account(db: None) -> Account:
    return making.account(making.website())


@pytest.fixture
def browser(account: Account) -> Client:
    client = Client()
    client.force_login(making.staff(account.website))
    return client


def page(browser: Client, **asked: str) -> str:
    answer = browser.get(reverse("staff-dashboard"), asked)
    assert answer.status_code == 200
    return answer.content.decode()


def overdue(account: Account, price: str = "100") -> None:
    day = account.website.today() - timedelta(days=40)
    making.issued(account, making.line(price), issue_date=day, due_date=day)


def heading(text: str) -> str:
    found = re.search(r"<h1>(.*?)</h1>", text)
    assert found
    return found[1]


def test_it_opens_with_what_is_overdue(browser: Client, account: Account) -> None:
    overdue(account)
    making.issued(account, making.line("50"))
    text = page(browser)
    assert heading(text) == "100.00 EUR of 1 invoice is overdue"
    assert "150.00 EUR is outstanding on 2 invoices." in text
    assert "67% of what is outstanding is overdue" in text
    assert f'href="{reverse("staff-invoices")}?status=overdue">1 invoice is overdue' in text


def test_where_nothing_is_owed_it_says_so(browser: Client, account: Account) -> None:
    payments.mark_paid(making.issued(account), by=None)
    text = page(browser)
    assert heading(text) == "Nothing is owed"
    assert "As much came in as was invoiced" in text
    assert "100% was paid by: Recorded by staff" in text


def test_before_the_first_invoice_it_offers_the_next_step(browser: Client) -> None:
    text = page(browser)
    assert "No figures here yet" in text
    assert 'class="plot"' not in text


def test_figures_stand_behind_the_charts(browser: Client, account: Account) -> None:
    payments.mark_paid(making.issued(account, making.line("1234.50")), by=None)
    text = page(browser)
    assert text.count('role="img"') == text.count('<details class="behind"') == 2
    assert re.search(r"<td>1,234\.50</td><td>1,234\.50</td>", text)


@pytest.mark.parametrize(
    "period", ["", "12m", "month", "quarter", "year", "last", "all", "nonsense"]
)
def test_every_period_has_a_page(browser: Client, account: Account, period: str) -> None:
    overdue(account)
    payments.mark_paid(making.issued(account), by=None)
    assert "outstanding" in page(browser, period=period)


def test_currencies_are_offered_where_there_are_several(browser: Client, account: Account) -> None:
    overdue(account)
    assert "?currency=" not in page(browser)
    making.issued(account, making.line("5"), currency="JPY")
    assert "?currency=JPY" in page(browser)
    assert heading(page(browser, currency="JPY")) == "Nothing is overdue in JPY"
    assert heading(page(browser, currency="GBP")) == "100.00 EUR of 1 invoice is overdue"


def test_others_figures_are_not_there(browser: Client, account: Account) -> None:
    other = making.website()
    overdue(making.account(other))
    assert heading(page(browser)) == "Nothing is owed"
    answer = browser.get(reverse("staff-dashboard"), {"website": str(other.uid)})
    assert answer.status_code == 404


def test_one_website_of_several(account: Account) -> None:
    other = making.website()
    boss = making.user(is_superuser=True)
    browser = Client()
    browser.force_login(boss)
    overdue(account)
    overdue(making.account(other), "7")
    assert heading(page(browser)) == "107.00 EUR of 2 invoices is overdue"
    assert heading(page(browser, website=str(other.uid))) == "7.00 EUR of 1 invoice is overdue"


def test_clients_do_not_get_in(account: Account) -> None:
    browser = Client()
    assert browser.get(reverse("staff-dashboard")).status_code == 302
    assert account.user
    browser.force_login(account.user)
    assert browser.get(reverse("staff-dashboard")).status_code == 403


def test_numbers_are_written_as_the_reader_does(browser: Client, account: Account) -> None:
    overdue(account, "1234.5")
    browser.cookies["django_language"] = "de"
    assert "1.234,50" in page(browser)
    # What the browser draws is not.
    assert not re.search(r'(?:width|x|y|cx|cy|d)="[^"]*\d,\d', page(browser))


def test_nothing_is_styled_in_the_page(browser: Client, account: Account) -> None:
    overdue(account)
    assert " style=" not in page(browser)


def test_it_takes_as_many_queries_whatever_there_is(browser: Client, account: Account) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            page(browser, period="all")
        return len(found)

    overdue(account)
    page(browser)
    few = queries()
    for number in range(20):
        overdue(account, str(number + 1))
        payments.mark_paid(making.issued(account), by=None)
    assert queries() == few <= 16


def test_a_line_breaks_where_there_is_no_value() -> None:
    marks = [Mark(str(n)) for n in range(5)]
    chart = lines([Series("Days", "accent", [D(1), None, D(2), D(4), None])], marks, str)
    assert chart
    (curve,) = chart.curves
    assert curve.path.count("M") == 2
    assert [dot[0] for dot in curve.dots] == ["0%", "75%"]


def test_labels_of_lines_that_end_together_are_apart() -> None:
    marks = [Mark("Jan"), Mark("Feb")]
    series = [Series(name, "grey", [D(5), D(0)]) for name in ("a", "b", "c")]
    chart = lines(series, marks, str)
    assert chart
    heights = sorted(float(curve.label.y) for curve in chart.curves)
    assert all(b - a >= 18 for a, b in pairwise(heights))


def test_nothing_to_draw_is_no_chart() -> None:
    assert lines([Series("Days", "accent", [None, None])], [Mark("a"), Mark("b")], str) is None
    assert lines([], [], str) is None


def test_all_zero_is_a_flat_line() -> None:
    chart = lines([Series("a", "grey", [D(0), D(0)])], [Mark("a"), Mark("b")], str)
    assert chart
    assert chart.curves[0].path == "M0 180L100 180"


def test_bars_are_as_long_as_their_share_of_the_longest() -> None:
    found = bars(
        [("a", D(50), 1, ""), ("b", D(25), 1, ""), ("c", D("0.01"), 1, ""), ("d", D(0), 0, "")]
    )
    assert [bar.length for bar in found] == ["100.00%", "50.00%", "0.50%", "0%"]
    assert round(sum(bar.share for bar in found)) == 100


def test_no_bars_are_none() -> None:
    assert bars([]) == []


def test_what_came_in_is_compared_with_what_was_not_credited(
    browser: Client, account: Account
) -> None:
    invoice = making.issued(account, making.line("100"))
    credited = Money(D("50"), "EUR")
    issue_credit_note(invoice, reason="Half", by=None, amount=credited)
    assert "What came in is 0% of what was invoiced, less credits" in page(browser)
    payments.mark_paid(invoice, by=None)
    assert "As much came in as was invoiced, less credits" in page(browser)
