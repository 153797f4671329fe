"""Many at once decide one line, import one file, or pay what a line pays."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial

import pytest

from tallystick.accounts.models import Account
from tallystick.billing import locks
from tallystick.billing.banking.importing import import_statement
from tallystick.billing.banking.matching import match_all
from tallystick.billing.banking.statements import BankStatement
from tallystick.billing.banking.transactions import BankTransaction, LineState
from tallystick.billing.payment_rows import Payment
from tallystick.billing.payments import mark_paid
from tallystick.billing.tests import bank, making
from tallystick.billing.tests.making import D, eur
from tallystick.billing.tests.test_concurrency import at_once, fresh, unexpected
from tallystick.billing.wallets import available

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.usefixtures("healthy"),
]
postgres = pytest.mark.postgres


@pytest.fixture
def account(db: None) -> Account:
    return making.account(bank.website())


def again(line: BankTransaction) -> BankTransaction:
    return BankTransaction.objects.everywhere().get(pk=line.pk)


def accept(line: BankTransaction) -> None:
    mine = again(line)
    mine.accept(mine.proposals.get(), by=None)


def test_a_line_is_booked_once_by_twenty_who_accept(account: Account) -> None:
    invoice = bank.issued(account)
    line = bank.one(account.website, "100.00", bank.reference(invoice))
    results = at_once([partial(accept, line)] * 20)
    assert unexpected(results) == []
    assert Payment.objects.of(account.website).count() == 1
    assert bank.paid(invoice) == D("100")


def keep_all(account: Account) -> int:
    """How many payments are made when twenty put one line in the wallet."""
    line = bank.one(account.website, "100.00", "in advance")

    def keep() -> object:
        return again(line).to_wallet(account, by=None)

    results = at_once([keep] * 20)
    assert unexpected(results) == []
    return Payment.objects.of(account.website).count()


def test_a_line_is_put_in_a_wallet_once(account: Account) -> None:
    assert keep_all(account) == 1
    assert available(account, "EUR") == eur("100")


@postgres
@pytest.mark.control
def test_control_without_lock_and_key_it_is_put_there_more_than_once(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "for_update", lambda rows: rows)
    monkeypatch.setattr(BankTransaction, "key", property(lambda line: uuid.uuid4().hex))
    assert keep_all(account) > 1


def test_a_line_is_booked_or_set_aside_never_both(account: Account) -> None:
    invoice = bank.issued(account)
    line = bank.one(account.website, "100.00", bank.reference(invoice))
    tasks: list[Callable[[], object]] = [
        partial(accept, line),
        lambda: again(line).ignore(by=None),
    ] * 10
    assert unexpected(at_once(tasks)) == []
    line = again(line)
    booked = line.state == LineState.ACCEPTED
    assert (line.payment is not None) == booked
    assert bank.paid(invoice) == (D("100") if booked else 0)


def test_a_line_that_is_matched_while_others_pay_loses_nothing(account: Account) -> None:
    """Whoever is first pays the invoice; the other's money is in the wallet or waits for somebody."""
    website = account.website
    invoices = [bank.issued(account) for _ in range(8)]
    rows = [("119.00", bank.reference(invoice)) for invoice in invoices]
    with_lines = partial(import_statement, website, bank.table(*rows))
    results = at_once([with_lines, *(partial(mark_paid, fresh(i), by=None) for i in invoices)])
    assert unexpected(results) == []
    lines = BankTransaction.objects.of(website)
    booked = lines.filter(state=LineState.MATCHED)
    assert [bank.paid(invoice) for invoice in invoices] == [D("119")] * 8
    assert available(account, "EUR") == eur("0")
    paid = Payment.objects.of(website)
    assert paid.count() == 8
    assert paid.filter(method="bank_transfer").count() == booked.count()
    assert lines.filter(state__in=[LineState.PROPOSED, LineState.MATCHED]).count() == 8


def test_one_file_imported_by_many_is_one_statement(account: Account) -> None:
    data = bank.table(*[("5.00", f"line {n}") for n in range(30)])
    results = at_once([partial(import_statement, account.website, data)] * 8)
    assert unexpected(results) == []
    assert BankStatement.objects.of(account.website).count() == 1
    assert BankTransaction.objects.of(account.website).count() == 30


def test_files_that_overlap_imported_at_once_do_not_double_lines(account: Account) -> None:
    rows = [("5.00", f"line {n}") for n in range(40)]
    files = [bank.table(*rows[start : start + 20]) for start in range(0, 21, 5)]
    tasks = [partial(import_statement, account.website, data) for data in files]
    results = at_once(tasks)
    assert unexpected(results) == []
    assert BankTransaction.objects.of(account.website).count() == 40


def test_many_who_match_the_same_lines_book_each_once(account: Account) -> None:
    website = account.website
    invoices = [bank.issued(account) for _ in range(12)]
    rows = [("119.00", bank.reference(invoice)) for invoice in invoices]
    import_statement(website, bank.table(*rows), seconds=-1)
    BankTransaction.objects.of(website).filter(payment=None).update(state=LineState.NEW)
    assert unexpected(at_once([partial(match_all, website)] * 6)) == []
    assert Payment.objects.of(website).count() == 12
    assert [bank.paid(invoice) for invoice in invoices] == [D("119")] * 12
