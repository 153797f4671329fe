"""The doctor: finds nothing where all is well, and names what somebody broke by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tallystick.accounts.models import Account, Website
from tallystick.billing import doctoring, payments, refunds, statistic_rows, triggers
from tallystick.billing.credit_notes import issue_credit_note
from tallystick.billing.doctoring import Finding
from tallystick.billing.doctoring.findings import spelled
from tallystick.billing.invoices import Invoice
from tallystick.billing.tests import making
from tallystick.billing.tests.making import eur
from tallystick.billing.wallets import Wallet
from tallystick.kit import clock


@pytest.fixture
def broken(website: Website) -> Iterator[None]:
    """The database refuses nothing, as where somebody works on it by hand."""
    triggers.drop(connection)
    yield
    triggers.create(connection)


def sql(statement: str, *values: str | int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def doctor(**asked: object) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("doctor", stdout=out, **asked)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


def only(name: str) -> Finding:
    """The one finding there is, of the check of that name."""
    found = [(check.name, finding) for check, finding in doctoring.examine()]
    assert [check for check, _ in found] == [name], found
    return found[0][1]


@pytest.fixture
def books(account: Account) -> Account:
    """A little of everything."""
    for index in range(4):
        paid = making.issued(account)
        payment = payments.mark_paid(paid, by=None)
        if index == 1:
            refunds.refund(payment, eur("20"), by=None, reason="Goodwill")
        if index == 2:
            issue_credit_note(paid, reason="Too much", by=None, amount=eur("30"))
        if index == 3:
            payment.dispute("Not me")
    wallet = making.funded(account, "50")
    wallet.hold(eur("20"), reason="A deposit", key="deposit")
    making.issued(account).void(reason="A slip")
    making.issued(account).write_off(reason="Gone away")
    making.draft(account)
    return account


def test_all_is_well(books: Account, healthy: None) -> None:
    code, said = doctor()
    assert code == 0
    assert said.strip().endswith("all well")


def test_a_line_below_zero_without_tax_is_well(account: Account) -> None:
    less = making.line("-1", description="Deposit", quantity=Decimal(30))
    making.issued(account, making.line("100"), less)
    assert doctor()[0] == 0


def test_it_goes_through_page_after_page(books: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallystick.billing.doctoring.paging.pages.__defaults__", (1,))
    assert doctor()[0] == 0


@pytest.mark.parametrize("field", ["subtotal", "tax", "amount", "discount"])
def test_a_total_that_is_not_its_lines(field: str, invoice: Invoice, broken: None) -> None:
    sql(f"UPDATE billing_invoice SET {field} = {field} + 1 WHERE id = %s", invoice.pk)  # noqa: S608 - a name from above
    found = {finding.field: finding for check, finding in doctoring.examine()}
    assert found[field].thing == f"invoice {invoice.number} ({invoice.uid})"
    right, wrong = getattr(invoice, field), getattr(invoice, field) + 1
    assert (found[field].expected, found[field].found) == (spelled(right), spelled(wrong))


def test_a_line_that_was_added(invoice: Invoice, broken: None) -> None:
    line = invoice.lines.get()
    sql("UPDATE billing_invoiceline SET amount = 99 WHERE id = %s", line.pk)
    assert only("totals").field == "line 1, amount, discount and tax"


def test_lines_that_are_gone(invoice: Invoice, broken: None) -> None:
    sql("DELETE FROM billing_invoiceline WHERE invoice_id = %s", invoice.pk)
    assert only("totals").found == "none"


def test_a_credit_note_that_is_not_its_lines(invoice: Invoice, broken: None) -> None:
    note = issue_credit_note(invoice, reason="Too much", by=None, amount=eur("20"))
    sql("UPDATE billing_creditnote SET tax = tax + 1 WHERE id = %s", note.pk)
    finding = only("totals")
    assert (finding.thing, finding.field) == (f"credit note {note.number} ({note.uid})", "tax")


def names(check: str) -> set[str]:
    return {finding.field for each, finding in doctoring.examine() if each.name == check}


def test_paid_without_an_allocation(invoice: Invoice, broken: None) -> None:
    sql(
        "UPDATE billing_invoice SET amount_paid = 119, status = 'paid', paid_at = issued_at"
        " WHERE id = %s",
        invoice.pk,
    )
    assert names("balances") == {"amount_paid", "status", "paid_at"}
    assert names("statistics") >= {f"paid on {invoice.issue_date}"}


def test_credited_without_a_credit_note(invoice: Invoice, broken: None) -> None:
    sql("UPDATE billing_invoice SET amount_credited = 9 WHERE id = %s", invoice.pk)
    assert names("balances") == {"amount_credited"}


def test_a_state_that_is_not_what_the_amounts_say(invoice: Invoice, broken: None) -> None:
    sql("UPDATE billing_invoice SET status = 'partially_paid' WHERE id = %s", invoice.pk)
    finding = only("balances")
    assert (finding.field, finding.expected, finding.found) == ("status", "open", "partially_paid")


def test_an_allocation_that_somebody_removed(invoice: Invoice, broken: None) -> None:
    payments.mark_paid(invoice, by=None)
    sql("DELETE FROM billing_allocation WHERE invoice_id = %s", invoice.pk)
    assert names("balances") == {"amount_paid", "status", "paid_at"}
    assert names("payments") == {"in use + refunded + in the wallet - shortfall"}


def test_an_allocation_across_websites(invoice: Invoice, broken: None) -> None:
    payment = payments.mark_paid(invoice, by=None)
    other = making.issued(making.account(making.website()))
    sql("UPDATE billing_payment SET website_id = %s WHERE id = %s", other.website_id, payment.pk)
    assert "website" in names("payments")


def test_an_allocation_across_currencies(invoice: Invoice, broken: None) -> None:
    payment = payments.mark_paid(invoice, by=None)
    sql("UPDATE billing_payment SET currency = 'GBP' WHERE id = %s", payment.pk)
    assert "currency" in names("payments")


def test_a_refund_that_is_not_in_the_books(invoice: Invoice, broken: None) -> None:
    payment = payments.mark_paid(invoice, by=None)
    sql("UPDATE billing_payment SET amount_refunded = 5 WHERE id = %s", payment.pk)
    assert only("payments").field == "amount_refunded"


def test_a_wallet_that_holds_more_than_its_entries(account: Account, broken: None) -> None:
    wallet = making.funded(account, "50")
    sql("UPDATE billing_wallet SET balance = 60 WHERE id = %s", wallet.pk)
    finding = only("wallets")
    assert (finding.field, finding.expected, finding.found) == ("balance", "50", "60")


def test_an_entry_that_somebody_changed(account: Account, broken: None) -> None:
    making.funded(account, "50")
    making.funded(account, "20")
    entry = Wallet.of(account, "EUR").entries.earliest("id")
    sql("UPDATE billing_walletentry SET balance_after = 51 WHERE id = %s", entry.pk)
    fields = names("wallets")
    assert f"balance_after of entry {entry.pk}" in fields


def test_held_without_a_hold(account: Account, broken: None) -> None:
    wallet = making.funded(account, "50")
    sql("UPDATE billing_wallet SET held = 10 WHERE id = %s", wallet.pk)
    assert only("wallets").field == "held"


def remove(invoice: Invoice) -> None:
    for table in ("billing_email", "billing_invoiceline", "billing_linkevent"):
        if table in connection.introspection.table_names():
            sql(f"DELETE FROM {table} WHERE invoice_id = %s", invoice.pk)  # noqa: S608 - as above
    sql("DELETE FROM billing_invoice WHERE id = %s", invoice.pk)


def test_a_number_that_is_gone(account: Account, broken: None) -> None:
    _first, second, _third = (making.issued(account) for _ in range(3))
    remove(second)
    missing = [f for check, f in doctoring.examine() if check.name == "series"]
    assert [(f.field, f.found) for f in missing] == [(second.number, "none")]


def test_the_last_number_that_is_gone(account: Account, broken: None) -> None:
    _first, second = making.issued(account), making.issued(account)
    remove(second)
    assert names("series") == {second.number, "counter"}


def test_a_number_twice(account: Account, broken: None) -> None:
    _first, second = making.issued(account), making.issued(account)
    twice = second.number[:-1].replace("-0000", "-00000") + "1"
    sql("UPDATE billing_invoice SET number = %s WHERE id = %s", twice, second.pk)
    assert names("series") >= {_first.number, second.number}


def test_a_counter_that_was_set_back(account: Account, broken: None) -> None:
    making.issued(account)
    making.issued(account)
    sql("UPDATE billing_counter SET last = 1")
    finding = only("series")
    assert (finding.field, finding.expected, finding.found) == ("counter", "2", "1")


def test_statistics_that_were_tampered_with_and_put_right(invoice: Invoice) -> None:
    statistic_rows.fold()
    sql("UPDATE billing_statday SET amount = 5 WHERE kind = 'invoiced'")
    finding = only("statistics")
    assert finding.field == f"invoiced on {invoice.issue_date}"
    assert (finding.expected, finding.found) == ("119.00 EUR in 1", "0.05 EUR in 1")
    assert doctor(fix_statistics=True)[0] == 0


def test_a_note_that_was_lost(invoice: Invoice) -> None:
    sql("DELETE FROM billing_statdelta")
    assert names("statistics") >= {f"owed on {invoice.due_date}"}
    call_command("fold_statistics", rebuild=True, stdout=StringIO())
    assert names("statistics") == set()


def test_an_email_of_another_website(invoice: Invoice) -> None:
    other = making.website()
    sql("UPDATE billing_email SET website_id = %s", other.pk)
    assert only("emails").field == "website"


def test_a_journal_that_was_not_sealed_in_time(invoice: Invoice) -> None:
    with clock.use(clock.VirtualClock(clock.now() + timedelta(hours=1))):
        assert names("journal") == {"seal"}


def test_a_finding_says_what_to_do_in_one_line(invoice: Invoice, broken: None) -> None:
    sql("UPDATE billing_invoice SET amount_credited = 9 WHERE id = %s", invoice.pk)
    code, said = doctor()
    line = next(line for line in said.splitlines() if line.startswith("balances"))
    assert code == 1
    assert line.startswith(
        f"balances: invoice {invoice.number} ({invoice.uid}): amount_credited: expected 0, found 9."
    )
    assert "finding" in said.splitlines()[-1]


def test_findings_as_json(invoice: Invoice, broken: None) -> None:
    sql("UPDATE billing_invoice SET amount_credited = 9 WHERE id = %s", invoice.pk)
    *findings, summary = (json.loads(line) for line in doctor(json=True)[1].splitlines())
    assert {each["check"] for each in findings} == {"balances", "statistics"}
    assert summary["findings"] == len(findings)


def test_one_website_alone(invoice: Invoice, broken: None) -> None:
    other = making.website()
    sql("UPDATE billing_invoice SET amount_credited = 9 WHERE id = %s", invoice.pk)
    assert doctor(website=other.domain)[0] == 0
    assert doctor(website=invoice.website.domain)[0] == 1
    with pytest.raises(CommandError):
        doctor(website="nowhere.example")


def test_others_register_checks_of_their_own(
    website: Website, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(websites: Sequence[Website]) -> Iterator[Finding]:
        for each in websites:
            yield Finding(str(each), "mood", "good", "bad", "Smile.")

    monkeypatch.setattr(doctoring, "_checks", dict(doctoring._checks))
    doctoring.register("moods", look)
    assert str(only("moods")) == f"{website}: mood: expected good, found bad. Smile."
