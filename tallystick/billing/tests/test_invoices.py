from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import ProtectedError
from django.test.utils import CaptureQueriesContext

from tallystick.accounts.models import Account, Website
from tallystick.billing.drafts import BadKey, KeyReused
from tallystick.billing.emails import INVOICE_GENERATED, Email
from tallystick.billing.invoices import (
    DueBeforeIssue,
    HasPayments,
    Invoice,
    NegativeTotal,
    NoReason,
    NotADraft,
)
from tallystick.billing.lines import BadLine, InvoiceLine, LineDraft, NoLines
from tallystick.billing.numbering import Series
from tallystick.billing.payments import mark_paid
from tallystick.billing.products import Product
from tallystick.billing.sales_documents import Issued, NotDeletable
from tallystick.billing.states import InvoiceStatus, WrongState
from tallystick.billing.tests import making
from tallystick.billing.tests.making import D
from tallystick.billing.totals import TooLarge
from tallystick.events.models import Event
from tallystick.kit import clock
from tallystick.kit.clock import VirtualClock
from tallystick.kit.money import UnknownCurrency

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("healthy")]


def kinds(of: Invoice) -> list[str]:
    ours = Event.objects.of(of.website).filter(subject_type="billing.invoice", subject_id=of.pk)
    return list(ours.order_by("id").values_list("kind", flat=True))


def test_a_draft_adds_up_and_has_no_number(draft: Invoice) -> None:
    draft.refresh_from_db()
    assert (draft.subtotal, draft.tax, draft.amount) == (D(100), D(19), D(119))
    assert (draft.number, draft.status, draft.amount_due) == ("", "draft", D(0))
    assert str(draft.total) == "119.00 EUR"
    assert kinds(draft) == ["invoice.created"]


def test_issuing_numbers_freezes_and_mails(draft: Invoice) -> None:
    with clock.use(VirtualClock()):
        draft.issue()
    draft.refresh_from_db()
    assert (draft.number, draft.status) == ("INV-2026-00001", "open")
    assert (draft.issue_date, draft.due_date) == (date(2026, 1, 1), date(2026, 1, 15))
    assert draft.seller["name"] == draft.website.legal_name
    assert draft.buyer["email"] == draft.client.email
    assert draft.token_expires_at is not None
    assert draft.token_expires_at.date() == date(2026, 2, 15)
    email = Email.objects.get(invoice=draft)
    assert (email.key, email.to, email.state) == (INVOICE_GENERATED, draft.client.email, "due")
    assert kinds(draft) == ["invoice.created", "invoice.issued"]


def test_numbers_follow_each_other_per_website_and_year(website: Website) -> None:
    ours, theirs = making.account(website), making.account(making.website())
    dates = [date(2025, 12, 31), date(2026, 1, 1), date(2025, 12, 31)]
    numbers = [
        making.issued(ours, issue_date=day, due_date=date(2026, 2, 1)).number for day in dates
    ]
    assert numbers == ["INV-2025-00001", "INV-2026-00001", "INV-2025-00002"]
    assert making.issued(theirs, issue_date=dates[0]).number == "INV-2025-00001"


def test_a_series_may_count_on(account: Account) -> None:
    Series.objects.create(
        website=account.website, code="invoice", prefix="R", digits=3, restarts_yearly=False
    )
    assert [making.issued(account).number for _ in range(2)] == ["R-001", "R-002"]


def test_a_number_that_was_rolled_back_is_used_again(account: Account) -> None:
    first, second = making.draft(account), making.draft(account)
    with transaction.atomic():
        first.issue()
        transaction.set_rollback(True)
    second.issue()
    first.issue()
    assert (second.number[-5:], first.number[-5:]) == ("00001", "00002")


def test_creating_and_issuing_three_lines_takes_twelve_queries(account: Account) -> None:
    rate = making.tax(account.website)
    making.issued(account)
    lines = [making.line(str(price), tax_rate=rate) for price in (10, 20, 30)]
    with CaptureQueriesContext(connection) as queries:
        making.issued(account, *lines)
    real = [q["sql"] for q in queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(real) <= 12, "\n".join(real)


def test_an_issued_invoice_is_not_issued_again(invoice: Invoice) -> None:
    with pytest.raises(NotADraft):
        invoice.issue()
    assert Email.objects.filter(invoice=invoice).count() == 1


def test_an_invoice_without_lines_is_refused(account: Account) -> None:
    empty = Invoice.objects.draft(account=account)
    with pytest.raises(NoLines, match="at least one line"):
        empty.issue()
    empty.refresh_from_db()
    assert (empty.status, empty.number) == ("draft", "")
    assert not Email.objects.exists()


def test_a_total_of_zero_is_paid_at_once(account: Account) -> None:
    invoice = making.issued(account, making.line("0"))
    invoice.refresh_from_db()
    assert invoice.is_paid
    assert invoice.paid_at is not None
    assert invoice.payment is None
    assert kinds(invoice)[-2:] == ["invoice.issued", "invoice.paid"]
    invoice.void(reason="mistake")
    assert invoice.status == "void"


def test_a_negative_total_is_refused(account: Account) -> None:
    with pytest.raises(NegativeTotal):
        making.issued(account, making.line("-1"))


def test_it_cannot_be_due_before_it_is_issued(account: Account) -> None:
    with pytest.raises(DueBeforeIssue):
        making.issued(account, due_date=account.website.today() - timedelta(days=1))


@pytest.mark.parametrize("field", ["amount", "title", "number", "due_date", "buyer", "currency"])
def test_what_is_issued_does_not_change(invoice: Invoice, field: str) -> None:
    values = {"amount": D(1), "due_date": date(2030, 1, 1), "buyer": {}, "currency": "USD"}
    setattr(invoice, field, values.get(field, "other"))
    with pytest.raises(Issued):
        invoice.save()
    with pytest.raises(Issued):
        invoice.save(update_fields=[field])


def test_the_database_refuses_changes_too(invoice: Invoice) -> None:
    rows = Invoice.objects.everywhere().filter(pk=invoice.pk)
    changes: list[dict[str, Any]] = [
        {"amount": D(1)},
        {"title": "x"},
        {"buyer": {}},
        {"client": making.account(invoice.website)},
    ]
    for change in changes:
        with pytest.raises(DatabaseError, match="does not change"), transaction.atomic():
            rows.update(**change)
    with pytest.raises(DatabaseError, match="does not change"), transaction.atomic():
        InvoiceLine.objects.filter(invoice=invoice).update(quantity=2)


def test_an_issued_invoice_can_be_saved_as_it_is(invoice: Invoice) -> None:
    again = Invoice.objects.everywhere().get(pk=invoice.pk)
    again.save()
    invoice.refresh_from_db()
    assert (invoice.number, invoice.amount) == (again.number, again.amount)


def test_lines_of_an_issued_invoice_stay(invoice: Invoice) -> None:
    line = invoice.lines.get()
    with pytest.raises(NotADraft):
        line.save()
    with pytest.raises(NotADraft):
        line.delete()
    with pytest.raises(NotADraft):
        invoice.set_lines([making.line()])
    with pytest.raises(NotADraft):
        invoice.recalculate()


def test_only_drafts_are_deleted(draft: Invoice, account: Account) -> None:
    invoice = making.issued(account)
    with pytest.raises(NotDeletable):
        invoice.delete()
    with pytest.raises(NotDeletable):
        Invoice.objects.of(account.website).delete()
    assert Invoice.objects.of(account.website).count() == 2
    draft.delete()
    assert Invoice.objects.of(account.website).count() == 1


def test_what_is_billed_protects_who_and_what(invoice: Invoice) -> None:
    with pytest.raises(ProtectedError):
        invoice.client.delete()


def test_editing_a_draft_adds_up_again(draft: Invoice) -> None:
    draft.set_lines([making.line("10"), making.line("5", quantity=D(2))])
    assert draft.amount == D(20)
    line = draft.lines.first()
    assert line is not None
    line.quantity = D(3)
    line.save()
    draft.recalculate()
    draft.refresh_from_db()
    assert draft.amount == D(40)
    assert [line.amount for line in draft.lines.all()] == [D(30), D(10)]


def test_a_change_of_the_rate_changes_no_issued_invoice(invoice: Invoice) -> None:
    rate = making.tax(invoice.website)
    rate.percent = D(25)
    rate.save()
    invoice.refresh_from_db()
    assert [(part.percent, part.tax) for part in invoice.breakdown()] == [(D(19), D(19))]


def test_voiding_keeps_number_and_reason(invoice: Invoice) -> None:
    number = invoice.number
    with pytest.raises(NoReason):
        invoice.void(reason="  ")
    invoice.void(reason="sent twice")
    invoice.refresh_from_db()
    assert (invoice.status, invoice.reason, invoice.number) == ("void", "sent twice", number)
    assert invoice.amount_due == 0
    with pytest.raises(WrongState):
        invoice.void(reason="again")
    with pytest.raises(WrongState):
        invoice.send_email()


def test_a_paid_invoice_is_not_voided(invoice: Invoice) -> None:
    mark_paid(invoice, by=None)
    with pytest.raises(HasPayments):
        invoice.void(reason="no")


def test_a_draft_is_not_voided(draft: Invoice) -> None:
    with pytest.raises(WrongState):
        draft.void(reason="no")


def test_what_is_written_off_can_still_be_paid(invoice: Invoice) -> None:
    invoice.write_off(reason="bankrupt")
    assert invoice.status == InvoiceStatus.UNCOLLECTIBLE
    mark_paid(invoice, by=None)
    assert invoice.is_paid


def test_overdue_is_derived(invoice: Invoice) -> None:
    assert invoice.due_date is not None
    later = invoice.due_date + timedelta(days=1)
    ours = Invoice.objects.of(invoice.website)
    assert not invoice.is_overdue(invoice.due_date)
    assert invoice.is_overdue(later)
    assert list(ours.overdue(later)) == [invoice]
    assert not ours.overdue(invoice.due_date).exists()


def test_a_repeat_of_a_key_is_the_first_draft(account: Account) -> None:
    first = making.draft(account, key="order-7")
    assert making.draft(account, key="order-7") == first
    with pytest.raises(KeyReused):
        making.draft(making.account(account.website), key="order-7")
    with pytest.raises(BadKey):
        making.draft(account, key="x" * 201)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (LineDraft(unit_price=D(1)), "description"),
        (LineDraft("x"), "unit price"),
        (LineDraft("x", unit_price=D("0.00001")), "decimal places"),
        (LineDraft("x", unit_price=D("99999999999999999999")), "digits"),
        (LineDraft("x", unit_price=D("NaN")), "not an amount"),
        (LineDraft("x", unit_price=D(1), quantity=D(10) ** 9), "too large"),
        (LineDraft("x", unit_price=D(1), discount_percent=D(101)), "from 0 to 100"),
        (LineDraft("x", unit_price=D(1), discount_percent=D(-1)), "from 0 to 100"),
    ],
)
def test_a_bad_line_says_which_and_why(account: Account, line: LineDraft, complaint: str) -> None:
    with pytest.raises(BadLine, match=rf"^Line 2: .*{complaint}"):
        making.draft(account, making.line(), line)
    assert not Invoice.objects.everywhere().exists()


def test_a_product_fills_its_line(account: Account) -> None:
    product = Product.objects.create(
        website=account.website,
        name="Chair",
        price=D("49.90"),
        currency="EUR",
        tax_rate=making.tax(account.website),
        max_discount_percentage=D(10),
    )
    line = making.draft(account, LineDraft(product=product, quantity=D(2))).lines.get()
    assert (line.description, line.product_code, line.unit_price) == ("Chair", "chair", D("49.90"))
    assert (line.amount, line.tax_code) == (D("99.80"), "std")
    with pytest.raises(BadLine, match="from 0 to 10 per cent"):
        making.draft(account, LineDraft(product=product, discount_percent=D(11)))
    with pytest.raises(BadLine, match="priced in EUR"):
        making.draft(account, LineDraft(product=product), currency="USD")


def test_nothing_of_another_website_gets_on_a_line(account: Account) -> None:
    foreign = making.tax(making.website())
    with pytest.raises(BadLine, match="another website"):
        making.draft(account, making.line(tax_rate=foreign))


def test_bad_currencies_and_amounts_are_refused(account: Account) -> None:
    with pytest.raises(UnknownCurrency):
        making.draft(account, currency="EURO")
    with pytest.raises(TooLarge):
        making.draft(account, *[making.line("99999999999", quantity=D(999))] * 9)


@pytest.mark.parametrize(
    ("currency", "total"), [("JPY", "1000"), ("EUR", "999.80"), ("KWD", "999.800")]
)
def test_amounts_are_as_precise_as_their_currency(
    account: Account, currency: str, total: str
) -> None:
    invoice = making.issued(account, making.line("999.8"), currency=currency)
    invoice.refresh_from_db()
    assert str(invoice.total) == f"{total} {currency}"


def test_prices_may_include_the_tax(account: Account) -> None:
    rate = making.tax(account.website)
    invoice = making.issued(account, making.line("119", tax_rate=rate), inclusive=True)
    assert (invoice.amount, invoice.tax, invoice.subtotal) == (D(119), D(19), D(100))


def test_clients_see_their_own_and_no_drafts(account: Account) -> None:
    mine = making.issued(account)
    making.draft(account)
    making.issued(making.account(account.website))
    assert list(Invoice.objects.visible_to(making.owner(mine))) == [mine]
    assert Invoice.objects.visible_to(making.staff(account.website)).count() == 3
    assert not Invoice.objects.visible_to(making.staff(making.website())).exists()


def test_large_amounts_stay_exact(account: Account) -> None:
    invoice = making.issued(account, making.line("9999999999.99", quantity=D(999)))
    invoice.refresh_from_db()
    assert invoice.amount == Decimal("9989999999990.01")
