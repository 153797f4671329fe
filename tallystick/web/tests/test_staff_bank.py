"""The pages of the bank: who may, what they show, what their buttons do; without scripts."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from tallystick.accounts.models import Account, Website
from tallystick.billing.banking.formats import BankFile, BankFormat
from tallystick.billing.banking.statements import BankStatement
from tallystick.billing.banking.transactions import BankTransaction, LineState
from tallystick.billing.invoices import Invoice
from tallystick.billing.tests import bank, making
from tallystick.billing.wallets import available
from tallystick.kit.money import Money


@pytest.fixture
def website(db: None) -> Website:
    return bank.website()


@pytest.fixture
def account(website: Website) -> Account:
    return making.account(website, user=making.user(first_name="Ada", last_name="Lovelace"))


@pytest.fixture
def invoice(account: Account) -> Invoice:
    return bank.issued(account)


@pytest.fixture
def desk(website: Website, client: Client) -> Client:
    client.force_login(making.staff(website))
    return client


def upload(
    desk: Client, website: Website, data: bytes, name: str = "march.csv"
) -> HttpResponseBase:
    file = SimpleUploadedFile(name, data)
    form = {"file": file, "website": str(website.uid)}
    return desk.post(reverse("staff-bank-import"), form, follow=True)


def line_url(line: BankTransaction, act: str = "") -> str:
    if act:
        return reverse("staff-bank-line-act", args=[line.uid, act])
    return reverse("staff-bank-line", args=[line.uid])


def page_of(response: HttpResponseBase) -> str:
    assert isinstance(response, HttpResponse)
    return response.content.decode()


def test_an_empty_bank_offers_the_one_next_step(desk: Client) -> None:
    page = page_of(desk.get(reverse("staff-bank")))
    assert "No statement yet" in page
    assert reverse("staff-bank-import") in page


def test_a_statement_is_uploaded_and_says_what_needs_you(
    desk: Client, website: Website, invoice: Invoice
) -> None:
    data = bank.table(("119.00", bank.reference(invoice)), ("5.00", "who?"), ("-3.00", "fee"))
    page = page_of(upload(desk, website, data))
    assert "1 of 3 lines need you" in page
    assert "3 new lines." in page
    assert "who?" in page
    again = page_of(upload(desk, website, data))
    assert "imported before" in again


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"%PDF-1.4", "This is a PDF"),
        (b"<html></html>", "no CAMT.053"),
        (bank.table(("5.00", "a"), ("five", "b")), "Row 3"),
    ],
)
def test_a_bad_file_is_refused_beside_the_field(
    desk: Client, website: Website, data: bytes, said: str
) -> None:
    response = upload(desk, website, data)
    assert response.status_code == 422
    assert said in page_of(response)
    assert BankStatement.objects.of(website).count() == 0


def test_unknown_columns_are_asked_for_once(desk: Client, website: Website) -> None:
    data = (bank.FIXTURES / "unknown.csv").read_bytes()
    response = upload(desk, website, data)
    page = page_of(response)
    assert "Which column is which?" in page
    assert "04/03/2026" in page
    kept = BankFile.objects.of(website).get()
    url = reverse("staff-bank-file", args=[kept.uid])
    roles = {"column-0": "booked_on", "column-1": "amount", "column-2": "name", "column-3": "text"}
    wrong = desk.post(url, {**roles, "column-3": "amount", "days": "dmy", "point": ","})
    assert wrong.status_code == 422
    assert "Two columns are Amount" in page_of(wrong)
    done = desk.post(url, {**roles, "days": "dmy", "point": ","}, follow=True)
    assert "2 of 2 lines need you" in page_of(done)
    assert BankFormat.objects.of(website).count() == 1
    assert BankFile.objects.of(website).count() == 0
    more = data + b"06/03/2026|10.000|New|one\n"
    assert "1 of 1 line needs you" in page_of(upload(desk, website, more))


def test_columns_that_do_not_fit_are_said_and_not_remembered(
    desk: Client, website: Website
) -> None:
    upload(desk, website, (bank.FIXTURES / "unknown.csv").read_bytes())
    url = reverse("staff-bank-file", args=[BankFile.objects.of(website).get().uid])
    roles = {"column-0": "booked_on", "column-2": "amount", "days": "dmy", "point": ","}
    response = desk.post(url, roles)
    assert response.status_code == 422
    assert "Row 2" in page_of(response)
    assert BankFormat.objects.of(website).count() == 0


def test_another_account_is_confirmed(desk: Client, website: Website) -> None:
    data = bank.table(("5.00", "a"), iban="NL91ABNA0417164300")
    page = page_of(upload(desk, website, data))
    assert "NL91 ABNA" in page
    url = reverse("staff-bank-file", args=[BankFile.objects.of(website).get().uid])
    assert desk.post(url, {}).status_code == 422
    assert BankStatement.objects.of(website).count() == 0
    done = desk.post(url, {"account": "ours"}, follow=True)
    assert "1 of 1 line needs you" in page_of(done)


def test_a_proposal_is_accepted_with_one_button(
    desk: Client, website: Website, invoice: Invoice
) -> None:
    line = bank.one(website, "100.00", bank.reference(invoice))
    page = page_of(desk.get(reverse("staff-bank")))
    assert "19.00 EUR less than what is due" in page
    proposal = line.proposals.get()
    assert str(proposal.uid) in page
    form = {"proposal": str(proposal.uid), "back": reverse("staff-bank")}
    for _ in range(2):  # sent twice, it books once
        done = desk.post(line_url(line, "accept"), form, follow=True)
        assert "Booked: 100.00 EUR" in page_of(done)
    assert bank.paid(invoice) == 100
    assert "Every line is settled" in page_of(desk.get(reverse("staff-bank")))


def test_does_not_go_back_to_strangers(desk: Client, website: Website) -> None:
    line = bank.one(website, "5.00", "a")
    form = {"note": "private", "back": "https://elsewhere.example/"}
    response = desk.post(line_url(line, "ignore"), form)
    assert response["Location"] == line_url(line)


def test_invoices_are_chosen_by_hand(desk: Client, website: Website, account: Account) -> None:
    one, two = bank.issued(account), bank.issued(account)
    line = bank.one(website, "200.00", "thanks")
    page = page_of(desk.get(line_url(line), {"invoice": "lovelace"}))
    assert one.number in page
    form = {
        "invoice": [str(one.uid), str(two.uid)],
        f"amount-{one.uid}": "119.00",
        f"amount-{two.uid}": "50.00",
    }
    done = desk.post(line_url(line, "book"), form, follow=True)
    said = "Booked: 200.00 EUR. Of it 31.00 EUR went to the client&#x27;s wallet."
    assert said in page_of(done)
    assert [bank.paid(one), bank.paid(two)] == [119, 50]
    assert available(account, "EUR") == Money.parse("31", "EUR")


@pytest.mark.parametrize(
    ("amount", "said"),
    [("500.00", "Nothing was done"), ("-1", "Nothing was done"), ("x", "Nothing was done")],
)
def test_what_cannot_be_booked_is_said(
    desk: Client, website: Website, invoice: Invoice, amount: str, said: str
) -> None:
    line = bank.one(website, "200.00", "thanks")
    form = {"invoice": str(invoice.uid), f"amount-{invoice.uid}": amount}
    assert said in page_of(desk.post(line_url(line, "book"), form, follow=True))
    assert bank.paid(invoice) == 0


def test_it_is_put_in_a_wallet(desk: Client, website: Website, account: Account) -> None:
    line = bank.one(website, "200.00", "in advance")
    page = page_of(desk.get(line_url(line), {"client": "love"}))
    assert str(account.uid) in page
    desk.post(line_url(line, "wallet"), {"account": str(account.uid)})
    assert available(account, "EUR") == Money.parse("200", "EUR")


def test_it_is_set_aside_and_put_back(desk: Client, website: Website) -> None:
    line = bank.one(website, "5.00", "private")
    desk.post(line_url(line, "ignore"), {"note": "a gift"})
    assert "a gift" in page_of(desk.get(reverse("staff-bank"), {"status": "ignored"}))
    desk.post(line_url(line, "back"))
    line.refresh_from_db()
    assert line.state == LineState.UNMATCHED


def test_looks_again(desk: Client, website: Website, account: Account) -> None:
    line = bank.one(website, "119.00", "RF647K3M9QZXABCD")
    invoice = bank.issued(account, "7K3M9QZXABCD")
    desk.post(line_url(line, "again"))
    assert bank.paid(invoice) == 119
    other = bank.one(website, "7.00", "later")
    desk.post(reverse("staff-bank-match", args=[other.statement.uid]), {"again": "yes"})
    other.refresh_from_db()
    assert other.state == LineState.UNMATCHED


def test_a_statement_is_taken_out(desk: Client, website: Website) -> None:
    line = bank.one(website, "5.00", "a")
    url = reverse("staff-bank-discard", args=[line.statement.uid])
    assert "taken out" in page_of(desk.post(url, follow=True))
    assert BankStatement.objects.of(website).count() == 0


PAGES = ["staff-bank", "staff-bank-import", "staff-bank-statements"]


@pytest.mark.parametrize("name", PAGES)
def test_clients_are_kept_out(client: Client, account: Account, name: str) -> None:
    assert client.get(reverse(name)).status_code == 302
    assert account.user is not None
    client.force_login(account.user)
    assert client.get(reverse(name)).status_code == 403


def test_strangers_see_and_do_nothing(client: Client, website: Website, invoice: Invoice) -> None:
    line = bank.one(website, "100.00", bank.reference(invoice))
    kept = BankFile(website=website, name="x", data=b"x")
    kept.keep()
    client.force_login(making.staff(bank.website()))
    for url in (
        line_url(line),
        reverse("staff-bank-statement", args=[line.statement.uid]),
        reverse("staff-bank-file", args=[kept.uid]),
    ):
        assert client.get(url).status_code == 404
    proposal = line.proposals.get()
    for act in ("accept", "book", "wallet", "ignore", "back", "again"):
        form = {"proposal": str(proposal.uid), "invoice": str(invoice.uid)}
        assert client.post(line_url(line, act), form).status_code == 404
    for name in ("staff-bank-match", "staff-bank-discard"):
        assert client.post(reverse(name, args=[line.statement.uid])).status_code == 404
    assert "100.00" not in page_of(client.get(reverse("staff-bank"), {"status": "all"}))
    line.refresh_from_db()
    assert line.state == LineState.PROPOSED
    assert bank.paid(invoice) == 0


def test_another_website_s_rows_are_not_used(desk: Client, website: Website) -> None:
    other = making.account(bank.website())
    foreign = bank.issued(other)
    line = bank.one(website, "119.00", "x")
    desk.post(line_url(line, "book"), {"invoice": str(foreign.uid)})
    desk.post(line_url(line, "wallet"), {"account": str(other.uid)})
    assert bank.paid(foreign) == 0
    line.refresh_from_db()
    assert line.payment is None


def test_an_act_that_is_none_is_not_found(desk: Client, website: Website) -> None:
    line = bank.one(website, "5.00", "a")
    assert desk.post(line_url(line, "dance")).status_code == 404
    assert desk.get(line_url(line, "accept")).status_code == 405


def test_a_list_takes_as_many_queries_however_many_lines(
    desk: Client,
    website: Website,
    account: Account,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    rows = [("100.00", bank.reference(bank.issued(account))) for _ in range(6)]
    bank.imported(website, *rows[:1])
    with django_assert_max_num_queries(20) as few:
        desk.get(reverse("staff-bank"))
    bank.imported(website, *rows[1:])
    with django_assert_max_num_queries(len(few)):
        desk.get(reverse("staff-bank"))


def test_pages_of_a_long_statement(desk: Client, website: Website) -> None:
    (first, *_rest) = bank.imported(website, *[("5.00", f"line {n}") for n in range(60)])
    url = reverse("staff-bank-statement", args=[first.statement.uid])
    page = page_of(desk.get(url))
    assert "line 0" in page
    assert "line 59" not in page
    fiftieth = first.statement.lines.get(position=50)
    assert "line 59" in page_of(desk.get(url, {"after": str(fiftieth.uid)}))
