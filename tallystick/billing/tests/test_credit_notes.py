from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.accounts.models import Account
from tallystick.billing import payments, wallets
from tallystick.billing.credit_notes import (
    BadCredit,
    CreditBeforeIssue,
    CreditNote,
    NotCreditable,
    issue_credit_note,
)
from tallystick.billing.drafts import KeyReused
from tallystick.billing.emails import CREDIT_NOTE
from tallystick.billing.invoices import HasCredits, Invoice, NoReason
from tallystick.billing.lines import LineDraft
from tallystick.billing.sales_documents import NotDeletable
from tallystick.billing.states import InvoiceStatus
from tallystick.billing.taxes import TaxRate
from tallystick.billing.tests import making
from tallystick.billing.tests.making import D, eur
from tallystick.events.models import Event
from tallystick.kit.money import Money

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("healthy")]


def credit(invoice: Invoice, **ask: object) -> CreditNote:
    note = issue_credit_note(invoice, reason="returned", by=None, **ask)  # type: ignore[arg-type]
    invoice.refresh_from_db()
    return note


def test_a_whole_credit_leaves_nothing_owed(invoice: Invoice) -> None:
    note = credit(invoice)
    assert (note.number, note.amount, note.tax) == (f"CN-{note.issue_date:%Y}-00001", D(119), D(19))
    assert invoice.status == InvoiceStatus.PAID
    assert invoice.amount_due == 0
    assert invoice.amount_credited == D(119)
    assert note.buyer == invoice.buyer
    assert Event.objects.everywhere().filter(kind="credit_note.issued").count() == 1


def test_the_client_is_told_unless_not_wanted(invoice: Invoice) -> None:
    note = credit(invoice, amount=eur("10.00"))
    credit(invoice, amount=eur("10.00"), send=False)
    assert [mail.credit_note for mail in invoice.emails.filter(key=CREDIT_NOTE)] == [note]


def test_a_part_credit_leaves_the_rest_owed(account: Account) -> None:
    invoice = making.issued(
        account, making.line("20.00", quantity=D(3), tax_rate=making.tax(account.website))
    )
    line = invoice.lines.get()
    note = credit(invoice, quantities={line: D(1)})
    assert note.amount == D("23.80")
    assert invoice.amount_due == invoice.amount - note.amount
    assert invoice.status == InvoiceStatus.OPEN
    assert note.lines.get().invoice_line == line


def test_what_was_paid_goes_to_the_wallet(invoice: Invoice) -> None:
    payments.mark_paid(invoice, by=None)
    note = credit(invoice, amount=eur("30.00"))
    assert (invoice.status, invoice.amount_paid) == (InvoiceStatus.PAID, D(89))
    assert note.released == D(30)
    assert wallets.available(invoice.client, "EUR") == eur("30.00")


def test_what_was_paid_goes_back_when_asked(invoice: Invoice) -> None:
    payment = payments.mark_paid(invoice, by=None)
    credit(invoice, amount=eur("30.00"), refund=True)
    payment.refresh_from_db()
    assert payment.amount_refunded == D(30)
    assert not wallets.available(invoice.client, "EUR")
    assert invoice.is_paid


def test_first_what_is_due_is_credited(invoice: Invoice) -> None:
    payments.pay(invoice, eur("100.00"), method="manual", by=None)
    note = credit(invoice, amount=eur("30.00"))
    assert note.released == D(11)
    assert invoice.is_paid
    assert wallets.available(invoice.client, "EUR") == eur("11.00")


def test_an_amount_is_shared_out_over_the_rates(account: Account) -> None:
    reduced = TaxRate.objects.create(
        website=account.website, code="R", name="Reduced", percent=D(7)
    )
    lines = [making.line(tax_rate=making.tax(account.website)), making.line("50", tax_rate=reduced)]
    invoice = making.issued(account, *lines)
    note = credit(invoice, amount=eur("17.25"))
    assert note.amount == D("17.25")
    assert [(rate.percent, rate.gross) for rate in note.breakdown()] == [
        (D(19), D("11.90")),
        (D(7), D("5.35")),
    ]


def test_the_same_key_credits_once(invoice: Invoice, account: Account) -> None:
    first = credit(invoice, amount=eur("10.00"), key="k")
    assert credit(invoice, amount=eur("10.00"), key="k") == first
    assert invoice.amount_credited == D(10)
    with pytest.raises(KeyReused):
        credit(making.issued(account), key="k")
    with pytest.raises(KeyReused):
        credit(invoice, amount=eur("20.00"), key="k")


def test_the_smallest_parts_leave_no_tax_behind(account: Account) -> None:
    seven = TaxRate.objects.create(website=account.website, code="R", name="R", percent=D(7))
    invoice = making.issued(account, *[making.line("1", tax_rate=seven)] * 7)
    while not invoice.is_paid:
        left = min(eur("0.08"), invoice.due)
        credit(invoice, amount=left)
    notes = invoice.credit_notes.all()
    assert sum(note.tax for note in notes) == invoice.tax


def test_never_more_than_is_left(invoice: Invoice) -> None:
    credit(invoice, amount=eur("100.00"))
    with pytest.raises(BadCredit, match=r"19\.00"):
        credit(invoice, amount=eur("19.01"))
    with pytest.raises(BadCredit):
        credit(invoice, quantities={invoice.lines.first(): D(1)})
    assert credit(invoice).amount == D(19)
    with pytest.raises(NotCreditable):
        credit(invoice)


def test_a_line_is_credited_up_to_its_quantity(invoice: Invoice, account: Account) -> None:
    line = invoice.lines.get()
    with pytest.raises(BadCredit, match="between 0 and 1"):
        credit(invoice, quantities={line: D("1.5")})
    with pytest.raises(BadCredit):
        credit(invoice, quantities={line: D(-1)})
    other = making.issued(account).lines.get()
    with pytest.raises(BadCredit, match="another invoice"):
        credit(invoice, quantities={other: D(1)})


@pytest.mark.parametrize("amount", ["0", "-1"])
def test_only_more_than_zero_is_credited(invoice: Invoice, amount: str) -> None:
    with pytest.raises(BadCredit):
        credit(invoice, amount=Money(D(amount), "EUR"))


def test_a_draft_or_void_invoice_is_not_credited(draft: Invoice, invoice: Invoice) -> None:
    with pytest.raises(NotCreditable):
        credit(draft)
    invoice.void(reason="wrong")
    with pytest.raises(NotCreditable):
        credit(invoice)


def test_a_reason_is_needed(invoice: Invoice) -> None:
    with pytest.raises(NoReason):
        issue_credit_note(invoice, reason=" ", by=None)


def test_not_dated_before_its_invoice(invoice: Invoice) -> None:
    assert isinstance(invoice.issue_date, date)
    with pytest.raises(CreditBeforeIssue):
        credit(invoice, issue_date=invoice.issue_date - timedelta(days=1))


def test_a_credited_invoice_is_not_voided(invoice: Invoice) -> None:
    credit(invoice, amount=eur("10.00"))
    with pytest.raises(HasCredits):
        invoice.void(reason="wrong")


def test_a_written_off_invoice_stays_so_when_credited_in_part(invoice: Invoice) -> None:
    payments.pay(invoice, eur("30.00"), method="manual", by=None)
    invoice.write_off(reason="gone")
    credit(invoice, amount=eur("10.00"))
    assert invoice.status == InvoiceStatus.UNCOLLECTIBLE


def test_a_refused_credit_takes_no_number(invoice: Invoice) -> None:
    with pytest.raises(BadCredit):
        credit(invoice, amount=eur("1000.00"))
    assert credit(invoice).number.endswith("-00001")


def test_a_credit_note_is_fixed(invoice: Invoice) -> None:
    note = credit(invoice)
    with pytest.raises(NotDeletable):
        note.delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        CreditNote.objects.everywhere().filter(pk=note.pk).update(amount=D(1))
    with pytest.raises(DatabaseError), transaction.atomic():
        note.lines.update(amount=D(1))


def test_clients_see_their_own(invoice: Invoice, account: Account) -> None:
    note = credit(invoice)
    assert list(CreditNote.objects.own(making.owner(invoice))) == [note]
    assert not CreditNote.objects.visible_to(making.user()).exists()


PARTS = st.lists(
    st.one_of(
        st.decimals("0.01", "9.99", places=2),
        st.sampled_from([D("0.25"), D("0.3333"), D(1), D(2)]).map(lambda q: ("line", q)),
    ),
    max_size=5,
)


@settings(max_examples=40, deadline=None)
@given(
    prices=st.lists(st.decimals("0.01", "99.99", places=2), min_size=1, max_size=4),
    percents=st.lists(st.sampled_from([D(0), D(7), D(19), D("5.5")]), min_size=4, max_size=4),
    inclusive=st.booleans(),
    rounding=st.sampled_from(["line", "document"]),
    parts=PARTS,
)
def test_parts_and_the_rest_make_the_invoice_to_the_cent(
    prices: list[Decimal],
    percents: list[Decimal],
    inclusive: bool,
    rounding: str,
    parts: list[Decimal | tuple[str, Decimal]],
) -> None:
    at = making.website(rounding=rounding, prices_include_tax=inclusive)
    rates = [
        TaxRate.objects.create(website=at, code=f"T{n}", name=f"T{n}", percent=percent)
        for n, percent in enumerate(percents)
    ]
    lines = [
        LineDraft("Thing", quantity=D(3), unit_price=price, tax_rate=rates[n])
        for n, price in enumerate(prices)
    ]
    invoice = making.issued(making.account(at), *lines)
    for part in parts:
        try:
            if isinstance(part, tuple):
                credit(invoice, quantities={invoice.lines.all()[0]: part[1]})
            else:
                credit(invoice, amount=Money(part, "EUR"))
        except (BadCredit, NotCreditable):
            continue
    if not invoice.is_paid:
        credit(invoice)
    notes = list(invoice.credit_notes.all())
    assert sum(note.amount for note in notes) == invoice.amount
    kept = {(rate.tax_code): rate for rate in invoice.breakdown()}
    for code, rate in kept.items():
        credited = [each for note in notes for each in note.breakdown() if each.tax_code == code]
        assert sum((each.gross for each in credited), D(0)) == rate.gross
        assert sum((each.tax for each in credited), D(0)) == rate.tax
        assert all(each.net + each.tax == each.gross for each in credited)
    for note in notes:
        assert note.subtotal + note.tax == note.amount
