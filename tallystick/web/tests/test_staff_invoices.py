"""The list of invoices: who sees what, what it is narrowed to, acts on many, the file of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tallystick.accounts.models import Account, Membership, Website
from tallystick.accounts.standing import Role
from tallystick.billing import payments
from tallystick.billing.credit_notes import issue_credit_note
from tallystick.billing.emails import Email
from tallystick.billing.invoices import Invoice
from tallystick.billing.lines import LineDraft
from tallystick.billing.tests import samples
from tallystick.kit import clock
from tallystick.kit.money import Money
from tallystick.kit.spreadsheets import cell

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client, website: Website) -> Client:
    return at_work(client, website)


def at_work(client: Client, *websites: Website) -> Client:
    user = get_user_model().objects.create_user("desk", password=samples.PASSWORD)
    for website in websites:
        Membership.objects.create(user=user, website=website, role=Role.ADMIN)
    client.force_login(user)
    return client


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.content.decode()


def test_strangers_sign_in_first(client: Client, db: None) -> None:
    answer = client.get("/staff/invoices/?q=x")
    assert answer.status_code == 302
    assert answer["Location"].endswith("next=/staff/invoices/%3Fq%3Dx")


def test_clients_are_kept_out(client: Client, invoice: Invoice) -> None:
    client.force_login(get_user_model().objects.get(username="ismail"))
    for path in ("/staff/invoices/", f"/staff/invoices/{invoice.uid}/", "/staff/clients/"):
        assert client.get(path).status_code == 403


def test_another_tenants_rows_are_not_there(client: Client, invoice: Invoice) -> None:
    payment = payments.mark_paid(invoice, by=None)
    at_work(client, samples.studio(name="Elsewhere", domain="elsewhere.example"))
    for path in (
        f"invoices/{invoice.uid}/",
        f"invoices/{invoice.uid}/pdf/",
        f"invoices/{invoice.uid}/void/",
        f"payments/{payment.uid}/",
        f"payments/{payment.uid}/refund/",
        f"clients/{invoice.client.uid}/",
        f"clients/{invoice.client.uid}/statement/",
        f"invoices/?website={invoice.website.uid}",
    ):
        assert client.get(f"/staff/{path}").status_code == 404, path
    assert invoice.number not in text(client, "/staff/invoices/")
    assert "ismail" not in text(client, "/staff/find/client/?client_q=ismail")
    answer = client.post("/staff/invoices/bulk/", {"act": "send", "uid": str(invoice.uid)})
    assert answer.status_code == 404


def test_says_the_state_first(staff: Client, account: Account) -> None:
    assert "No invoices yet" in text(staff, "/staff/invoices/")
    samples.invoice(account)
    samples.invoice(account, due_in=-5)
    page = text(staff, "/staff/invoices/")
    assert "1 invoice is overdue" in page
    assert "2 are waiting to be paid." in page


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", {"near", "late", "small", "draft"}),
        ("status=draft", {"draft"}),
        ("status=overdue", {"late"}),
        ("status=unpaid", {"near", "late", "small"}),
        ("q=Late", {"late"}),
        ("q=ismail@", {"near", "late", "draft"}),
        ("least=1,000", {"near", "late", "draft"}),
        ("most=999.99", {"small"}),
        ("most=rubbish", {"near", "late", "small", "draft"}),
        ("q=nothing+like+it", set()),
    ],
)
def test_narrows(staff: Client, account: Account, asked: str, found: set[str]) -> None:
    samples.invoice(account, title="Near one")
    samples.invoice(account, title="Late one", due_in=-3)
    other = samples.client(account.website, "second")
    cheap = [LineDraft("Stamp", unit_price=Decimal(1))]
    samples.invoice(other, title="Small one", lines=cheap)
    Invoice.objects.draft(account=account, lines=samples.lines(account.website), title="Draft one")
    page = text(staff, f"/staff/invoices/?{asked}")
    titles = {"near": "Near one", "late": "Late one", "small": "Small one", "draft": "Draft one"}
    assert {name for name, title in titles.items() if title in page} == found


@pytest.mark.parametrize("listed", ["invoices", "payments", "credit-notes", "clients"])
def test_every_list_finds_by_who_is_billed(staff: Client, account: Account, listed: str) -> None:
    other = samples.client(account.website, "second")
    assert other.user
    other.user.first_name = "Otto"
    other.user.save()
    for each in (account, other):
        bill = samples.invoice(each, title="Work")
        payments.mark_paid(bill, by=None)
        issue_credit_note(bill, reason="Not delivered", by=None)
    shown = text(staff, f"/staff/{listed}/?q=ismail@")
    assert "İsmail" in shown
    assert "Otto" not in shown
    assert "Otto" in text(staff, f"/staff/{listed}/?q=second@")


def test_pages_lead_there_and_back(staff: Client, account: Account) -> None:
    cheap = [LineDraft("Stamp", unit_price=Decimal(1))]
    for n in range(103):
        Invoice.objects.draft(account=account, lines=cheap, title=f"Number {n:03}")
    seen: list[list[str]] = []
    before = ""
    path = "/staff/invoices/?status=draft"
    for _page in range(3):
        answer = staff.get(path)
        page = answer.context["page"]
        seen.append([invoice.title for invoice in page])
        before = page.before
        path = f"/staff/invoices/?status=draft&after={page.after}"
    assert [len(titles) for titles in seen] == [50, 50, 3]
    assert [title for titles in seen for title in titles] == [
        f"Number {n:03}" for n in reversed(range(103))
    ]
    back = staff.get(f"/staff/invoices/?status=draft&before={before}").context["page"]
    assert [invoice.title for invoice in back] == seen[1]


def test_pages_of_several_websites_are_in_one_order(client: Client, account: Account) -> None:
    other = samples.client(samples.studio(name="Second", domain="second.example"), "second")
    at_work(client, account.website, other.website)
    cheap = [LineDraft("Stamp", unit_price=Decimal(1))]
    for n in range(60):
        to = (account, other)[n % 3 == 0]
        Invoice.objects.draft(account=to, lines=cheap, title=f"Number {n:03}")
    first = client.get("/staff/invoices/").context["page"]
    second = client.get(f"/staff/invoices/?after={first.after}").context["page"]
    titles = [invoice.title for invoice in [*first, *second]]
    assert titles == [f"Number {n:03}" for n in reversed(range(60))]
    back = client.get(f"/staff/invoices/?before={second.before}").context["page"]
    assert [invoice.title for invoice in back] == titles[:50]
    one = client.get(f"/staff/invoices/?website={other.website.uid}").context["page"]
    assert len(one) == 20


def test_takes_as_many_queries_for_fifty_as_for_two(staff: Client, account: Account) -> None:
    def queries(path: str) -> int:
        text(staff, path)
        with CaptureQueriesContext(connection) as caught:
            text(staff, path)
        return len(caught)

    paths = ["/staff/invoices/", "/staff/invoices/?q=INV", "/staff/payments/", "/staff/clients/"]
    for _invoice in range(2):
        payments.mark_paid(samples.invoice(account), by=None)
    few = [queries(path) for path in paths]
    for n in range(20):
        payments.mark_paid(samples.invoice(samples.client(account.website, f"c{n}")), by=None)
    assert [queries(path) for path in paths] == few
    assert max(few) <= 15


def test_marks_many_paid_each_by_itself_and_once(staff: Client, account: Account) -> None:
    first, second = samples.invoice(account), samples.invoice(account)
    draft = Invoice.objects.draft(account=account, lines=samples.lines(account.website))
    form = {"act": "paid", "key": "k" * 20, "uid": [str(row.uid) for row in (first, second, draft)]}
    for _time in range(2):
        answer = staff.post("/staff/invoices/bulk/", form, follow=True)
        assert "Done for 2 of 3 invoices" in answer.content.decode()
    assert Invoice.objects.of(account.website).filter(status="paid").count() == 2
    assert payments.Payment.objects.of(account.website).count() == 2


def test_without_a_key_each_form_is_another(staff: Client, invoice: Invoice) -> None:
    form = {"act": "paid", "uid": [str(invoice.uid)]}
    staff.post("/staff/invoices/bulk/", form)
    payments.refund(payments.Payment.objects.of(invoice.website).get(), by=None, reason="bounced")
    again = staff.post("/staff/invoices/bulk/", form, follow=True).content.decode()
    assert "Done for 1 of 1 invoice" in again
    invoice.refresh_from_db()
    assert invoice.is_paid


def test_says_of_what_was_refunded_since_that_it_was(staff: Client, invoice: Invoice) -> None:
    bulk = {"act": "paid", "key": "k" * 20, "uid": [str(invoice.uid)]}
    one = {"key": "k" * 20, "shown": str(invoice.due.amount), "amount": "", "method": "manual"}
    page = f"/staff/invoices/{invoice.uid}/paid/"
    for path, form in (("/staff/invoices/bulk/", bulk), (page, one)):
        assert staff.post(path, form).status_code in (204, 302, 303)
        payment = payments.Payment.objects.of(invoice.website).first()
        assert payment is not None
        payments.refund(payment, by=None, reason="bounced")
        again = staff.post(path, form, follow=True).content.decode()
        assert "refunded since" in again, path
    invoice.refresh_from_db()
    assert not invoice.is_paid


def test_sends_many_and_not_again(staff: Client, account: Account) -> None:
    invoice = samples.invoice(account)
    before = Email.objects.count()
    form = {"act": "send", "key": "k" * 20, "uid": [str(invoice.uid)]}
    first = staff.post("/staff/invoices/bulk/", form, follow=True).content.decode()
    assert "Done for 1 of 1 invoice" in first
    again = staff.post("/staff/invoices/bulk/", form, follow=True).content.decode()
    assert "Done for 0 of 1 invoice" in again
    assert Email.objects.count() == before + 1


def test_goes_back_to_no_other_site(staff: Client, invoice: Invoice) -> None:
    form = {"act": "paid", "uid": [str(invoice.uid)], "back": "//evil.example/"}
    answer = staff.post("/staff/invoices/bulk/", form)
    assert answer["Location"] == "/staff/invoices/"


def test_downloads_what_is_narrowed_to(staff: Client, account: Account) -> None:
    samples.invoice(account, title="=HYPERLINK(1)")
    samples.invoice(account, title="Other", due_in=-3)
    rows = _rows(staff, "/staff/invoices/csv/")
    assert {row["title"] for row in rows} == {"'=HYPERLINK(1)", "Other"}
    assert {row["total"] for row in rows} == {"5255.73"}
    only = _rows(staff, "/staff/invoices/csv/?status=overdue")
    assert [row["title"] for row in only] == ["Other"]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t=", "\r=", " =", "  @"])
def test_no_cell_is_a_formula(sign: str) -> None:
    assert str(cell(f"{sign}1+1")).startswith("'")
    assert cell(Decimal(-5)) == Decimal(-5)


def test_an_unknown_act_or_id_is_not_found(staff: Client, invoice: Invoice) -> None:
    assert staff.post("/staff/invoices/bulk/", {"act": "burn"}).status_code == 404
    assert staff.get(f"/staff/invoices/{uuid4()}/").status_code == 404
    assert staff.get(f"/staff/invoices/{invoice.uid}/burn/").status_code == 404
    assert staff.get("/staff/invoices/?website=rubbish").status_code == 404


def _rows(client: Client, path: str) -> list[dict[str, str]]:
    answer = client.get(path)
    chunks: Iterator[bytes] = answer.streaming_content  # type: ignore[attr-defined] # it streams
    return list(csv.DictReader(io.StringIO(b"".join(chunks).decode("utf-8-sig"))))


def test_what_was_never_sent_is_not_sent_again(staff: Client, invoice: Invoice) -> None:
    page = f"/staff/invoices/{invoice.uid}/"
    assert ">Send</a>" in text(staff, page)
    assert ">Send</button>" in text(staff, f"{page}send/")
    Invoice.objects.everywhere().update(email_sent_count=1, email_sent_at=clock.now())
    assert ">Send again</a>" in text(staff, page)


def test_the_credit_form_says_what_is_left(staff: Client, invoice: Invoice) -> None:
    path = f"/staff/invoices/{invoice.uid}/credit/"
    part = Money(Decimal("255.73"), "EUR")
    issue_credit_note(invoice, reason="Part", by=None, amount=part)
    page = text(staff, path)
    assert "5,000.00 EUR is left to be credited." in page
    assert ">Issue credit note</button>" in page


def test_a_refund_is_not_the_button_that_stands_out(staff: Client, invoice: Invoice) -> None:
    payment = payments.mark_paid(invoice, by=None)
    page = text(staff, f"/staff/payments/{payment.uid}/")
    assert f'<a class="btn btn-quiet btn-row" href="/staff/payments/{payment.uid}/refund/"' in page


def test_looks_at_the_link_are_told_in_short(staff: Client, invoice: Invoice) -> None:
    agent = (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/120.0 Safari/537.36"
    )
    link = f"/pay/invoice/{invoice.payment_token}/"
    page = f"/staff/invoices/{invoice.uid}/"
    Client().get(link, headers={"user-agent": agent})
    shown = text(staff, page)
    assert f'title="{agent}">Chrome on Windows</span>' in shown
    assert "<span>Payment link: looked at</span>" in shown
    assert "by staff" not in shown
    staff.get(link)
    assert "<span>Payment link: looked at by staff</span>" in text(staff, page)
