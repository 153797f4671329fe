"""Pages of the admin that grow with what they show."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tallystick.accounts.models import Account
from tallystick.billing.invoices import Invoice
from tallystick.billing.payments import pay
from tallystick.billing.products import Product
from tallystick.billing.tests import making
from tallystick.billing.tests.making import D
from tallystick.billing.tests.test_admin import form, url
from tallystick.billing.wallets import Wallet
from tallystick.people.models import User


@pytest.fixture
def staff(account: Account) -> User:
    return making.staff(account.website)


@pytest.fixture
def browser(client: Client, staff: User) -> Client:
    client.force_login(staff)
    return client


@pytest.fixture
def queries(browser: Client) -> Callable[[Model], int]:
    def count(row: Model) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(url(row)).status_code == 200
        return len(asked)

    return count


def drafted(account: Account, count: int) -> Invoice:
    lines = []
    for n in range(count):
        product = Product.objects.create(
            website=account.website, name=f"Chair {n}", price=D(5), currency="EUR"
        )
        rate = making.tax(account.website, code=f"r{n % 5}")
        lines.append(making.line(product=product, tax_rate=rate))
    return making.draft(account, *lines)


def test_an_invoice_takes_as_many_queries_whatever_its_lines(
    account: Account, queries: Callable[[Model], int]
) -> None:
    few, many = drafted(account, 3), drafted(account, 30)
    queries(few)
    assert queries(few) == queries(many)
    for invoice in (few, many):
        invoice.issue()
    assert queries(few) == queries(many)


def test_a_draft_shows_what_its_lines_have_chosen(account: Account, browser: Client) -> None:
    page = browser.get(url(drafted(account, 2))).content.decode()
    for n in range(2):
        assert re.search(rf"<option value=\"\d+\" selected>Chair {n}</option>", page)
    assert len(re.findall(r"<option value=\"\d+\" selected>r[01]", page)) == 2


def test_a_wallet_takes_as_many_queries_whatever_its_entries(
    account: Account, staff: User, queries: Callable[[Model], int]
) -> None:
    wallets = [making.funded(client, "5") for client in (account, making.account(account.website))]
    for wallet, count in zip(wallets, (3, 30), strict=True):
        for _ in range(count):
            making.funded(wallet.account, "100")
            invoice = making.issued(wallet.account, making.line("1"))
            pay(invoice, invoice.due, method="wallet", by=staff)
    queries(wallets[0])
    assert queries(wallets[0]) == queries(wallets[1])


def test_a_wallet_shows_its_newest_entries_and_tells_of_the_rest(
    account: Account, browser: Client
) -> None:
    for n in range(1, 51):
        making.funded(account, f"{n}.07")
    wallet = Wallet.of(account, "EUR")
    assert "50 entries<" in browser.get(url(wallet)).content.decode()
    for n in (51, 52):
        making.funded(account, f"{n}.07")
    page = browser.get(url(wallet)).content.decode()
    assert "52 entries, of which the newest 50 are below" in page
    assert "52.07" in page
    assert re.search(r"\b3[.]0700", page)
    assert not re.search(r"\b2[.]0700", page)


def test_an_invoice_of_1000_lines_is_written_in_the_form(account: Account, browser: Client) -> None:
    line: dict[str, object] = {
        **dict.fromkeys(("id", "invoice", "product", "tax_rate"), ""),
        "description": "x",
        "quantity": 1,
        "unit_price": "1",
        "discount_percent": 0,
    }
    data = form(account.pk, *[line] * 1000)
    answer = browser.post(reverse("admin:billing_invoice_add"), data)
    assert answer.status_code == 302
    assert Invoice.objects.of(account.website).get().amount == 1000


def test_a_new_invoice_asks_only_for_what_there_is(account: Account, browser: Client) -> None:
    page = browser.get(reverse("admin:billing_invoice_add")).content.decode()
    assert "State" not in page
    assert "Totals" not in page
    assert 'name="lines-0-description"' in page
    assert "State" in browser.get(url(making.draft(account))).content.decode()


def test_an_empty_line_of_the_form_is_no_line(account: Account, browser: Client) -> None:
    data = form(account.pk, {"description": "x", "unit_price": "1"}, {"discount_percent": "0"})
    assert browser.post(reverse("admin:billing_invoice_add"), data).status_code == 302
    assert Invoice.objects.of(account.website).get().lines.count() == 1
