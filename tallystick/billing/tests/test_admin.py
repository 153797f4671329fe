from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from tallystick.billing.emails import Email
from tallystick.billing.invoices import Invoice
from tallystick.billing.payment_rows import Payment
from tallystick.billing.payments import mark_paid
from tallystick.billing.products import Product
from tallystick.billing.tests import making
from tallystick.billing.tests.making import D, eur
from tallystick.billing.wallets import Wallet
from tallystick.events.models import Event
from tallystick.people.models import User
from tallystick.queue.rows import State

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(invoice: Invoice) -> User:
    return making.staff(invoice.website)


@pytest.fixture
def browser(client: Client, staff: User) -> Client:
    client.force_login(staff)
    return client


def url(of: Model, page: str = "change", *args: object) -> str:
    return reverse(f"admin:billing_{of._meta.model_name}_{page}", args=args or [of.pk])


def act(browser: Client, of: Model, name: str, **answers: str) -> Any:  # noqa: ANN401 - Django's test response
    return browser.post(url(of, "act", of.pk, name), answers, follow=True)


def form(client_id: int, *lines: dict[str, object], **values: object) -> dict[str, object]:
    data: dict[str, object] = {"client": client_id, "lines-INITIAL_FORMS": 0, **values}
    data["lines-TOTAL_FORMS"] = len(lines)
    for i, line in enumerate(lines):
        data |= {f"lines-{i}-{name}": value for name, value in ({"quantity": 1} | line).items()}
    return data


@pytest.mark.parametrize(
    "model", ["product", "taxrate", "series", "invoice", "payment", "wallet", "email"]
)
def test_every_list_opens_and_takes_no_query_per_row(
    browser: Client,
    invoice: Invoice,
    model: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(8):
        making.funded(making.account(invoice.website), "5")
        mark_paid(making.issued(making.account(invoice.website)), by=None)
    with django_assert_max_num_queries(14):
        assert browser.get(reverse(f"admin:billing_{model}_changelist")).status_code == 200


def test_every_row_opens(browser: Client, invoice: Invoice, draft: Invoice) -> None:
    payment = mark_paid(invoice, by=None)
    wallet = making.funded(invoice.client, "5")
    rows: list[Model] = [invoice, draft, payment, wallet, *Email.objects.all()]
    for row in rows:
        assert browser.get(url(row)).status_code == 200


def test_others_see_nothing(client: Client, invoice: Invoice) -> None:
    client.force_login(making.staff(making.website()))
    assert client.get(url(invoice)).status_code == 302
    assert act(client, invoice, "void", reason="x").status_code == 404
    assert "INV-" not in client.get(reverse("admin:billing_invoice_changelist")).content.decode()
    client.force_login(making.owner(invoice))
    assert "/login/" in client.get(url(invoice))["Location"]
    client.logout()
    assert "/login/" in client.post(url(invoice, "act", invoice.pk, "void"))["Location"]


def test_staff_write_an_invoice_and_issue_it(browser: Client, invoice: Invoice) -> None:
    product = Product.objects.create(
        website=invoice.website, name="Chair", price=D("49.90"), currency="EUR",
        tax_rate=making.tax(invoice.website),
    )  # fmt: skip
    data = form(
        invoice.client_id,
        {"product": product.pk, "quantity": 2},
        {"description": "Delivery", "unit_price": "10"},
    )
    answer = browser.post(reverse("admin:billing_invoice_add"), data)
    assert answer.status_code == 302, answer.context["errors"]
    new = Invoice.objects.of(invoice.website).latest("id")
    assert (new.status, new.amount, new.currency) == ("draft", D("128.76"), "EUR")
    assert new.website == invoice.website
    page = act(browser, new, "issue").content.decode()
    new.refresh_from_db()
    assert f"{new.number} is issued" in page
    assert new.url in page
    event = Event.objects.of(new.website).get(kind="invoice.issued", subject_id=new.pk)
    assert (event.actor_kind, event.address_shown) == ("user", "127.0.0.1")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ({}, "Line 1: it needs a description or a product."),
        ({"description": "x"}, "Line 1: it needs a unit price."),
        (
            {"description": "x", "unit_price": "1", "discount_percent": "101"},
            "less than or equal to 100",
        ),
        ({"description": "x", "unit_price": "12345678901234567890"}, "no more than 19 digits"),
        ({"description": "x", "unit_price": "99999999999", "quantity": "999"}, "stays below"),
    ],
)
def test_bad_lines_are_said_on_the_page(
    browser: Client, invoice: Invoice, line: dict[str, object], complaint: str
) -> None:
    data = form(invoice.client_id, {"quantity": 2} | line)
    answer = browser.post(reverse("admin:billing_invoice_add"), data)
    assert answer.status_code == 200
    assert complaint in answer.content.decode()
    assert Invoice.objects.of(invoice.website).count() == 1


def test_a_draft_is_edited(browser: Client, draft: Invoice, invoice: Invoice) -> None:
    line = draft.lines.get()
    data = form(draft.client_id, {"id": line.pk, "description": "Less", "unit_price": "50"})
    data |= {"lines-INITIAL_FORMS": 1, "title": "New", "currency": "EUR"}
    assert browser.post(url(draft), data).status_code == 302
    draft.refresh_from_db()
    assert (draft.title, draft.amount, draft.lines.get().description) == ("New", D(50), "Less")


def test_an_issued_invoice_is_read_only(browser: Client, invoice: Invoice) -> None:
    page = browser.get(url(invoice)).content.decode()
    assert 'name="title"' not in page
    assert invoice.url in page
    assert browser.post(url(invoice), {"title": "x"}).status_code == 403
    assert browser.post(url(invoice, "delete"), {"post": "yes"}).status_code == 403


def test_an_invoice_without_lines_says_so(browser: Client, invoice: Invoice) -> None:
    empty = Invoice.objects.draft(account=invoice.client)
    assert "at least one line" in act(browser, empty, "issue").content.decode()


def test_staff_record_what_arrived(browser: Client, staff: User, invoice: Invoice) -> None:
    form_page = browser.get(url(invoice, "act", invoice.pk, "paid")).content.decode()
    assert 'name="key"' in form_page
    said = act(browser, invoice, "paid", amount="120", key="k0").content.decode()
    assert "more than what is due: 119.00 EUR" in said
    assert (
        "is not an amount" in act(browser, invoice, "paid", amount="-x", key="k0").content.decode()
    )
    for _ in range(2):
        act(browser, invoice, "paid", amount="19", key="k1")
    invoice.refresh_from_db()
    assert invoice.due == eur("100.00")
    assert "Still due: 0.00 EUR" in act(browser, invoice, "paid", key="k2").content.decode()
    assert set(Payment.objects.of(invoice.website).values_list("created_by", flat=True)) == {
        staff.pk
    }


def test_voiding_asks_why(browser: Client, invoice: Invoice) -> None:
    assert "This field is required" in act(browser, invoice, "void").content.decode()
    act(browser, invoice, "void", reason="sent twice")
    invoice.refresh_from_db()
    assert (invoice.status, invoice.reason) == ("void", "sent twice")


def test_looking_changes_nothing(browser: Client, draft: Invoice, invoice: Invoice) -> None:
    for name in ("void", "paid", "revoke-link", "renew-link", "send", "write-off"):
        assert browser.get(url(invoice, "act", invoice.pk, name)).status_code == 200
    assert browser.get(url(invoice, "act", invoice.pk, "nonsense")).status_code == 404
    before = invoice.payment_token
    invoice.refresh_from_db()
    assert (invoice.status, invoice.payment_token) == ("open", before)


def test_many_at_once_and_each_by_itself(browser: Client, draft: Invoice, invoice: Invoice) -> None:
    empty = Invoice.objects.draft(account=invoice.client)
    data = {"action": "issue_and_send", "_selected_action": [draft.pk, empty.pk]}
    page = browser.post(reverse("admin:billing_invoice_changelist"), data, follow=True)
    assert "at least one line" in page.content.decode()
    draft.refresh_from_db()
    assert draft.status == "open"
    data = {"action": "mark_paid", "_selected_action": [draft.pk, invoice.pk]}
    browser.post(reverse("admin:billing_invoice_changelist"), data)
    invoice.refresh_from_db()
    assert invoice.is_paid
    browser.post(
        reverse("admin:billing_invoice_changelist"),
        {"action": "delete_selected", "_selected_action": [empty.pk], "post": "yes"},
    )
    assert Invoice.objects.of(invoice.website).filter(pk=empty.pk).exists()


def test_a_draft_is_deleted(browser: Client, draft: Invoice, invoice: Invoice) -> None:
    assert browser.post(url(draft, "delete"), {"post": "yes"}).status_code == 302
    assert not Invoice.objects.of(invoice.website).filter(pk=draft.pk).exists()


def test_the_payment_link_is_renewed_and_revoked(browser: Client, invoice: Invoice) -> None:
    before = invoice.payment_token
    act(browser, invoice, "renew-link")
    invoice.refresh_from_db()
    assert invoice.payment_token != before
    act(browser, invoice, "revoke-link")
    invoice.refresh_from_db()
    assert invoice.token_revoked_at is not None


def test_a_wallet_is_credited_once_per_form(browser: Client, invoice: Invoice) -> None:
    data = {"account": invoice.client_id, "currency": "EUR"}
    browser.post(
        reverse("admin:billing_wallet_add"),
        data | {"entries-TOTAL_FORMS": 0, "entries-INITIAL_FORMS": 0},
    )
    wallet = Wallet.objects.of(invoice.website).get()
    for _ in range(2):
        act(browser, wallet, "credit", amount="25", note="goodwill", key="k")
    wallet.refresh_from_db()
    assert wallet.money == eur("25.00")
    assert (
        "holds 25.00 EUR"
        in act(browser, wallet, "debit", amount="26", note="x", key="l").content.decode()
    )
    for bad in ("-1", "0", "1.001", "1e5", "9" * 20):
        act(browser, wallet, "credit", amount=bad, note="x", key=f"b{bad}")
    wallet.refresh_from_db()
    assert wallet.money == eur("25.00")


def test_a_failed_mail_is_tried_again(browser: Client, invoice: Invoice) -> None:
    Email.objects.update(state=State.DEAD, last_error="The template x failed")
    assert "The template x failed" in browser.get(url(invoice)).content.decode()
    email = Email.objects.get()
    data = {"action": "try_again", "_selected_action": [email.pk]}
    browser.post(reverse("admin:billing_email_changelist"), data)
    email.refresh_from_db()
    assert email.state == State.DUE


def test_a_wallet_that_exists_is_changed_by_its_acts_alone(
    browser: Client, invoice: Invoice
) -> None:
    wallet = making.funded(invoice.client, "100")
    page = browser.get(url(wallet)).content.decode()
    assert 'name="_save"' not in page
    assert url(wallet, "act", wallet.pk, "debit") in page
    data = {"entries-TOTAL_FORMS": 0, "entries-INITIAL_FORMS": 0}
    assert browser.post(url(wallet), data).status_code == 403
