"""The form an invoice is written with, and what is done with one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tallystick.accounts.models import Account, Membership, Website
from tallystick.accounts.standing import Role
from tallystick.billing import account_statements, payments
from tallystick.billing.credit_notes import CreditNote, issue_credit_note
from tallystick.billing.invoices import Invoice
from tallystick.billing.lines import LineDraft
from tallystick.billing.payments import Payment
from tallystick.billing.products import Product
from tallystick.billing.refunds import Refund
from tallystick.billing.states import InvoiceStatus
from tallystick.billing.tests import samples
from tallystick.billing.wallets import WalletEntry, available
from tallystick.events.models import Event
from tallystick.kit.money import Money
from tallystick.web.views.staff.line_forms import FIELDS

pytestmark = pytest.mark.django_db

D = Decimal


@pytest.fixture
def staff(client: Client, website: Website) -> Client:
    user = get_user_model().objects.create_user("desk", password=samples.PASSWORD)
    Membership.objects.create(user=user, website=website, role=Role.ADMIN)
    client.force_login(user)
    return client


def form(account: Account, *lines: tuple[str, str, str], **more: Any) -> dict[str, Any]:
    """`lines`: description, quantity, price."""
    return {
        "key": "k" * 30,
        "client": str(account.uid),
        "client_q": account.name,
        "description": [line[0] for line in lines],
        "quantity": [line[1] for line in lines],
        "price": [line[2] for line in lines],
        "discount": [""] * len(lines),
        "tax": [""] * len(lines),
        "product": [""] * len(lines),
        **more,
    }


def only(account: Account) -> Invoice:
    return Invoice.objects.of(account.website).get()


def test_saves_a_draft_and_opens_it_again(staff: Client, account: Account) -> None:
    asked = form(account, ("Work", "2", "1,234.50"), title="May", about="Long", act="save")
    answer = staff.post("/staff/invoices/new/", asked)
    made = only(account)
    assert answer.status_code == 303
    assert (made.is_draft, made.title, made.description) == (True, "May", "Long")
    assert made.amount == D("2469.00")
    page = staff.get(f"/staff/invoices/{made.uid}/edit/").content.decode()
    assert 'value="1,234.50"' in page
    assert ">Long</textarea>" in page


def test_starts_with_the_client_it_is_asked_for(staff: Client, account: Account) -> None:
    samples.lines(account.website)  # makes the tax rates
    page = staff.get(f"/staff/invoices/new/?client={account.uid}").content.decode()
    assert f'name="client" value="{account.uid}"' in page
    assert "VAT 20%" in page


def test_sent_twice_makes_one(staff: Client, account: Account) -> None:
    asked = form(account, ("Work", "1", "10"), act="issue")
    first = staff.post("/staff/invoices/new/", asked)
    second = staff.post("/staff/invoices/new/", asked)
    assert first["Location"] == second["Location"]
    assert only(account).emails.count() == 1


def test_gone_back_and_changed_it_is_another(staff: Client, account: Account) -> None:
    staff.post("/staff/invoices/new/", form(account, ("Work", "1", "10"), act="save"))
    staff.post("/staff/invoices/new/", form(account, ("Work", "1", "20"), act="issue"))
    states = Invoice.objects.of(account.website).values_list("status", "amount").order_by("id")
    assert list(states) == [("draft", D(10)), ("open", D(20))]


def test_issues_without_sending(staff: Client, account: Account) -> None:
    staff.post("/staff/invoices/new/", form(account, ("Work", "1", "10"), act="issue-quietly"))
    made = only(account)
    assert made.number
    assert made.emails.count() == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (("", "1", "10"), "Line 1: Say what it is for."),
        (("Work", "1", ""), "Line 1: What does one cost?"),
        (("Work", "two", "10"), "Line 1: Write it in figures"),
        (("Work", "1", "0.00001"), "Line 1: At most four decimal places."),
    ],
)
def test_names_the_line_that_is_wrong(
    staff: Client, account: Account, line: tuple[str, str, str], said: str
) -> None:
    answer = staff.post("/staff/invoices/new/", form(account, line, act="issue"))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Invoice.objects.of(account.website).exists()


def test_reads_amounts_as_the_reader_writes_them(staff: Client, account: Account) -> None:
    staff.cookies["django_language"] = "de"
    staff.post("/staff/invoices/new/", form(account, ("Arbeit", "1,5", "1.000,10"), act="save"))
    assert only(account).amount == D("1500.15")


@pytest.mark.parametrize("currency", ["EUR", "KWD", "JPY"])
def test_what_a_draft_says_in_german_is_saved_unchanged(
    staff: Client, account: Account, currency: str
) -> None:
    line = LineDraft(
        "Wire", quantity=D("1000.125"), unit_price=D("1.0125"), discount_percent=D("33.333")
    )
    draft = Invoice.objects.draft(account=account, lines=[line], currency=currency)
    path = f"/staff/invoices/{draft.uid}/edit/"
    shown = staff.get(path, headers={"accept-language": "de"}).context["form"]
    said = {name: [getattr(row, name) for row in shown.rows] for name in FIELDS}
    asked = {**shown.values, "about": "", **said, "act": "save"}
    answer = staff.post(path, asked, headers={"accept-language": "de"})
    assert answer.status_code == 303
    kept = only(account).lines.get()
    figures = (kept.quantity, kept.unit_price, kept.discount_percent)
    assert figures == (D("1000.125"), D("1.0125"), D("33.333"))


def test_words_that_name_a_product_bring_its_price(staff: Client, account: Account) -> None:
    Product.objects.create(website=account.website, name="Stamp", price=D("0.85"), currency="EUR")
    staff.post("/staff/invoices/new/", form(account, ("stamp", "100", ""), act="save"))
    staff.post("/staff/invoices/new/", form(account, ("Stamp", "100", ""), act="save"))
    assert only(account).amount == D("85.00")


def test_totals_store_nothing(staff: Client, account: Account) -> None:
    asked = form(account, ("Work", "3", "33.33"), ("", "", ""), ("Bad", "x", "1"))
    answer = staff.post("/staff/invoices/totals/", asked).content.decode()
    assert "99.99" in answer
    assert 'id="l-3-amount"' in answer
    assert "Line 3: Write it in figures, such as 1,234.5." in answer
    assert "Line 1" not in answer
    assert not Invoice.objects.of(account.website).exists()


def test_adds_and_removes_lines(staff: Client, account: Account) -> None:
    asked = form(account, ("One", "1", "1"), ("Two", "1", "2"))
    page = staff.post("/staff/invoices/new/", {**asked, "act": "add"})
    assert len(page.context["form"].rows) == 3
    page = staff.post("/staff/invoices/new/", {**asked, "remove": "1"})
    assert [row.description for row in page.context["form"].rows] == ["Two"]


def test_a_client_of_another_tenant_cannot_be_billed(staff: Client, account: Account) -> None:
    other = samples.client(samples.studio(name="Other", domain="other.example"), "stranger")
    answer = staff.post("/staff/invoices/new/", form(other, ("Work", "1", "1"), act="issue"))
    assert answer.status_code == 422
    assert "Choose who is billed." in answer.content.decode()


def test_edits_of_two_people_do_not_overwrite_each_other(staff: Client, account: Account) -> None:
    staff.post("/staff/invoices/new/", form(account, ("Work", "1", "10"), act="save"))
    made = only(account)
    seen = made.updated_at.isoformat()
    path = f"/staff/invoices/{made.uid}/edit/"
    first = form(account, ("Mine", "1", "11"), act="save", seen=seen)
    second = form(account, ("Theirs", "1", "12"), act="issue", seen=seen)
    assert staff.post(path, first).status_code == 303
    late = staff.post(path, second)
    assert late.status_code == 422
    made.refresh_from_db()
    assert (made.is_draft, made.amount) == (True, D(11))


def test_an_issued_invoice_is_not_edited(staff: Client, invoice: Invoice) -> None:
    asked = form(invoice.client, ("Less", "1", "1"), act="save")
    answer = staff.post(f"/staff/invoices/{invoice.uid}/edit/", asked)
    assert answer["Location"] == f"/staff/invoices/{invoice.uid}/"
    invoice.refresh_from_db()
    assert invoice.amount == D("5255.73")


def test_duplicates_as_a_draft_once(staff: Client, invoice: Invoice) -> None:
    for _time in range(2):
        staff.post(f"/staff/invoices/{invoice.uid}/copy/", {"key": "k" * 20})
    copies = Invoice.objects.of(invoice.website).exclude(pk=invoice.pk)
    assert [(copy.is_draft, copy.amount) for copy in copies] == [(True, invoice.amount)]


def test_marks_paid_in_parts_once_each(staff: Client, invoice: Invoice) -> None:
    path = f"/staff/invoices/{invoice.uid}/paid/"
    part = {"key": "a" * 20, "shown": "5255.73", "amount": "1,255.73", "method": "manual"}
    part |= {"reference": "FT 1", "received_on": "2026-01-05"}
    for _time in range(2):
        assert staff.post(path, part).status_code == 303
    rest = {"key": "b" * 20, "shown": "4000.00", "method": "manual"}
    for _time in range(2):
        assert staff.post(path, rest).status_code == 303
    invoice.refresh_from_db()
    assert invoice.is_paid
    paid = Payment.objects.of(invoice.website).order_by("id")
    assert [payment.amount for payment in paid] == [D("1255.73"), D("4000.00")]
    assert str(paid[0].received_on) == "2026-01-05"


def test_says_beside_the_field_what_is_wrong(staff: Client, invoice: Invoice) -> None:
    path = f"/staff/invoices/{invoice.uid}/paid/"
    asked = {"key": "a" * 20, "shown": "5255.73", "amount": "9,999", "method": "manual"}
    answer = staff.post(path, asked)
    assert answer.status_code == 422
    assert answer.context["form"].errors["amount"] == ["That is more than is due."]
    void = staff.post(f"/staff/invoices/{invoice.uid}/void/", {"key": "b" * 20, "reason": " "})
    assert "reason" in void.context["form"].errors


def test_nothing_is_received_where_nothing_is_typed_but_naught(
    staff: Client, invoice: Invoice
) -> None:
    path = f"/staff/invoices/{invoice.uid}/paid/"
    for typed in ("0", "0.00"):
        asked = {"key": "a" * 20, "shown": "5255.73", "amount": typed, "method": "manual"}
        answer = staff.post(path, asked)
        assert answer.status_code == 422
        assert "more than zero" in answer.context["form"].errors["amount"][0]
    assert not Payment.objects.of(invoice.website).exists()


def test_what_was_paid_meanwhile_is_said_and_all_that_is_left_is_taken_next(
    staff: Client, invoice: Invoice
) -> None:
    path = f"/staff/invoices/{invoice.uid}/paid/"
    asked = {"key": "a" * 20, "shown": "5255.73", "amount": "", "method": "manual"}
    payments.pay(invoice, Money(D("255.73"), "EUR"), method="manual", by=None)
    form = staff.post(path, asked).context["form"]
    assert "has changed" in form.errors["amount"][0]
    assert form["amount"].field.widget.attrs["placeholder"] == "5,000.00"
    asked["shown"] = form["shown"].value()
    assert staff.post(path, asked).status_code == 303
    invoice.refresh_from_db()
    assert invoice.is_paid


def test_staff_record_no_transfer_that_no_statement_shows(staff: Client, invoice: Invoice) -> None:
    form = staff.get(f"/staff/invoices/{invoice.uid}/paid/").context["form"]
    assert [name for name, _label in form.fields["method"].choices] == ["manual", "wallet"]


def test_a_quantity_that_is_none_is_said_beside_it(staff: Client, invoice: Invoice) -> None:
    path = f"/staff/invoices/{invoice.uid}/credit/"
    asked = {"key": "a" * 20, "what": "lines", "quantity-3": "0,125", "reason": "Not delivered"}
    answer = staff.post(path, asked)
    assert dict(answer.context["form"].errors) == {
        "quantity-3": ["Line 3: write the quantity in figures."]
    }
    assert "Line 3: write the quantity in figures." in answer.content.decode()


def test_credits_lines_and_amounts(staff: Client, invoice: Invoice) -> None:
    path = f"/staff/invoices/{invoice.uid}/credit/"
    asked = {"key": "a" * 20, "what": "lines", "quantity-3": "12", "reason": "Not delivered"}
    for _time in range(2):
        assert staff.post(path, asked).status_code == 303
    note = CreditNote.objects.of(invoice.website).get()
    assert note.amount == D("107.73")
    asked = {"key": "b" * 20, "what": "amount", "amount": "1,000.00", "reason": "Goodwill"}
    assert staff.post(path, asked).status_code == 303
    invoice.refresh_from_db()
    assert invoice.amount_due == D("4148.00")


def test_refunds_once(staff: Client, invoice: Invoice) -> None:
    payment = payments.mark_paid(invoice, by=None)
    path = f"/staff/payments/{payment.uid}/refund/"
    asked = {"key": "a" * 20, "shown": "5255.73", "amount": "55.73", "reason": "Twice"}
    for _time in range(2):
        assert staff.post(path, asked).status_code == 303
    assert [refund.amount for refund in Refund.objects.of(invoice.website)] == [D("55.73")]


def test_nothing_is_refunded_where_nothing_is_typed_but_naught(
    staff: Client, invoice: Invoice
) -> None:
    payment = payments.mark_paid(invoice, by=None)
    asked = {"key": "a" * 20, "shown": "5255.73", "amount": "0", "reason": "Twice"}
    answer = staff.post(f"/staff/payments/{payment.uid}/refund/", asked)
    assert answer.status_code == 422
    assert not Refund.objects.of(invoice.website).exists()


def test_what_was_refunded_meanwhile_is_said(staff: Client, invoice: Invoice) -> None:
    payment = payments.mark_paid(invoice, by=None)
    payments.refund(payment, Money(D("5.73"), "EUR"), by=None, reason="Twice")
    path = f"/staff/payments/{payment.uid}/refund/"
    asked = {"key": "a" * 20, "shown": "5255.73", "amount": "", "reason": "Twice"}
    form = staff.post(path, asked).context["form"]
    assert "has changed" in form.errors["amount"][0]
    asked["shown"] = form["shown"].value()
    assert staff.post(path, asked).status_code == 303
    payment.refresh_from_db()
    assert payment.status == payment.Status.REFUNDED


def test_one_payment_over_several_invoices(staff: Client, account: Account) -> None:
    first, second = samples.invoice(account), samples.invoice(account)
    asked = {
        "key": "a" * 20,
        "currency": "EUR",
        "extra": "10",
        "reference": "FT 9",
        f"pick-{first.uid.hex}": "on",
        f"due-{first.uid.hex}": "5255.73",
        f"pick-{second.uid.hex}": "on",
        f"due-{second.uid.hex}": "5255.73",
        f"share-{second.uid.hex}": "1,000.00",
    }
    for _time in range(2):
        assert staff.post(f"/staff/clients/{account.uid}/pay/", asked).status_code == 303
    payment = Payment.objects.of(account.website).get()
    assert payment.amount == D("6265.73")
    for invoice, status in ((first, InvoiceStatus.PAID), (second, InvoiceStatus.PARTIALLY_PAID)):
        invoice.refresh_from_db()
        assert invoice.status == status
    assert available(account, "EUR").amount == D(10)


def test_of_several_invoices_too_what_was_paid_meanwhile_is_said(
    staff: Client, account: Account
) -> None:
    invoice = samples.invoice(account)
    payments.pay(invoice, Money(D("255.73"), "EUR"), method="manual", by=None)
    due = f"due-{invoice.uid.hex}"
    asked = {"key": "a" * 20, "currency": "EUR", f"pick-{invoice.uid.hex}": "on", due: "5255.73"}
    path = f"/staff/clients/{account.uid}/pay/"
    form = staff.post(path, asked).context["form"]
    assert "has changed" in form.non_field_errors()[0]
    assert staff.post(path, {**asked, due: form[due].value()}).status_code == 303


def test_the_journal_says_who_and_from_where(staff: Client, invoice: Invoice) -> None:
    asked = {"key": "a" * 20, "reason": "Entered twice"}
    staff.post(f"/staff/invoices/{invoice.uid}/void/", asked, REMOTE_ADDR="192.0.2.9")
    event = Event.objects.of_subject(invoice)[0]
    desk = get_user_model().objects.get(username="desk")
    assert (event.kind, event.actor_id) == ("invoice.voided", str(desk.pk))
    page = staff.get(f"/staff/invoices/{invoice.uid}/").content.decode()
    assert "192.0.2.9" in page


def test_the_page_of_an_invoice_takes_as_many_queries_whatever_happened(
    staff: Client, account: Account
) -> None:
    def queries(invoice: Invoice) -> int:
        path = f"/staff/invoices/{invoice.uid}/"
        staff.get(path)
        with CaptureQueriesContext(connection) as caught:
            assert staff.get(path).status_code == 200
        return len(caught)

    def happened(invoice: Invoice, times: int) -> Invoice:
        for n in range(times):
            money = Money.parse("10", "EUR")
            payment = payments.pay(
                invoice, money, method="manual", by=None, key=f"{invoice.pk}-{n}"
            )
            payments.refund(
                payment, Money.parse("1", "EUR"), by=None, reason="x", key=f"{invoice.pk}-{n}"
            )
            issue_credit_note(invoice, reason="x", by=None, amount=Money.parse("1", "EUR"))
        return invoice

    one = queries(happened(samples.invoice(account), 1))
    assert queries(happened(samples.invoice(account), 8)) == one
    assert one <= 25


def test_a_statement_ends_with_what_is_owed(account: Account) -> None:
    """Owed invoices less the wallet: the same by the movements as by the rows."""
    samples.fill_wallet(account, "20.00")
    first, second = samples.invoice(account), samples.invoice(account)
    payment = payments.pay(first, Money.parse("1000", "EUR"), method="manual", by=None)
    payments.refund(payment, Money.parse("100", "EUR"), by=None, reason="x")
    payments.mark_paid(second, by=None)
    issue_credit_note(second, reason="x", by=None, amount=Money.parse("55.73", "EUR"))
    third = samples.invoice(account, lines=[LineDraft("Stamp", unit_price=D(1))])
    third.void(reason="x")
    first.refresh_from_db()
    today = account.website.today()
    made = account_statements.statement(account, "EUR", today, today)
    assert made.closing == first.amount_due - available(account, "EUR").amount
    assert made.opening == 0
    assert made.movements[-1].balance == made.closing


def test_says_how_much_can_be_refunded(staff: Client, invoice: Invoice) -> None:
    today, amount = invoice.website.today(), invoice.amount + 40
    payment = payments.receive_external(
        invoice, amount=amount, date=today, reference="T1", method="xero"
    )
    payment.wallet().debit(Money(D(30), "EUR"), WalletEntry.Reason.CORRECTION)
    path = f"/staff/payments/{payment.uid}/refund/"
    assert "5,265.73" in staff.get(path).content.decode()
    asked = {"key": "a" * 20, "shown": "5265.73", "amount": "5,295.73", "reason": "Twice"}
    errors = staff.post(path, asked).context["form"].errors
    assert errors["amount"] == ["At most 5,265.73 EUR can be refunded."]
    assert staff.post(path, {**asked, "amount": ""}).status_code == 303


@pytest.mark.parametrize("day", ["1900-01-01", "2999-01-01"])
def test_the_day_that_money_came_on_lies_near(staff: Client, invoice: Invoice, day: str) -> None:
    asked = {"key": "a" * 20, "shown": "5255.73", "method": "manual", "received_on": day}
    answer = staff.post(f"/staff/invoices/{invoice.uid}/paid/", asked)
    assert answer.status_code == 422
    assert "received_on" in answer.context["form"].errors
