"""Importing: each line once, all of a file or nothing, of the right account."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from tallystick.accounts.models import Account, Website
from tallystick.billing.banking import formats, importing, tables
from tallystick.billing.banking.columns import Columns
from tallystick.billing.banking.errors import BrokenFile, NoStatement, OtherAccount, UnknownColumns
from tallystick.billing.banking.importing import import_statement, read_statement
from tallystick.billing.banking.statements import BankStatement, HasBooked
from tallystick.billing.banking.transactions import BankTransaction
from tallystick.billing.tests import bank, making
from tallystick.billing.tests.making import D
from tallystick.events.models import Event

pytestmark = pytest.mark.usefixtures("healthy")


@pytest.fixture
def website(db: None) -> Website:
    return bank.website()


@pytest.fixture
def account(website: Website) -> Account:
    return making.account(website)


def test_keeps_what_the_bank_said(website: Website) -> None:
    statement = import_statement(
        website, (bank.FIXTURES / "camt053_v02_sparkasse.xml").read_bytes()
    )
    assert (statement.format, statement.account) == ("camt.053", bank.IBAN)
    assert (statement.lines_new, statement.lines_known, statement.lines_pending) == (5, 0, 1)
    assert statement.balance == BankStatement.Balance.AGREES
    assert [line.position for line in bank.lines_of(statement)] == [1, 2, 3, 4, 5]
    assert statement.parts[0]["opening"] == "1000.00"
    event = Event.objects.of(website).get(kind="bank.statement_imported")
    assert "Sahin" not in event.change


def test_the_same_file_twice_is_one_statement(website: Website) -> None:
    data = bank.table(("5.00", "a"), ("6.00", "b"))
    first, second = import_statement(website, data), import_statement(website, data)
    assert first == second
    assert BankTransaction.objects.of(website).count() == 2


def test_statements_that_overlap_do_not_double_lines(website: Website) -> None:
    rows = [("5.00", "coffee"), ("5.00", "coffee"), ("6.00", "tea")]
    bank.imported(website, *rows[:2])
    second = import_statement(website, bank.table(*reversed(rows), ("5.00", "coffee")))
    assert (second.lines_new, second.lines_known) == (2, 2)
    texts = BankTransaction.objects.of(website).values_list("text", flat=True)
    assert sorted(texts) == ["coffee", "coffee", "coffee", "tea"]


def test_two_websites_have_their_own_lines(website: Website) -> None:
    other = bank.website()
    for each in (website, other):
        assert len(bank.imported(each, ("5.00", "a"))) == 1


def test_a_file_of_another_format_is_suspected_of_doubling(website: Website) -> None:
    (first,) = bank.imported(website, ("119.00", "from the table"))
    lines = bank.fixture(website, "camt053_v08_bnp.xml")
    assert [line.double_of for line in lines] == [first, None]


def test_another_account_is_refused_until_somebody_confirms_it(website: Website) -> None:
    data = bank.table(("5.00", "a"), iban="NL91ABNA0417164300")
    with pytest.raises(OtherAccount, match="NL91 ABNA"):
        import_statement(website, data)
    assert BankStatement.objects.of(website).count() == 0
    statement = import_statement(website, data, other_account=True)
    assert statement.account == "NL91ABNA0417164300"


def test_a_website_without_an_account_is_told_so(website: Website) -> None:
    website.iban = ""
    with pytest.raises(OtherAccount, match="no bank account yet"):
        import_statement(website, bank.table(("5.00", "a")))


def test_the_national_number_of_the_account_will_do(db: None) -> None:
    website = bank.website(iban="GB33 BUKB 2020 1555 5555 55", currency="GBP")
    (paid, _out) = bank.fixture(website, "barclays.csv")
    assert (paid.account, paid.currency) == ("GB33BUKB20201555555555", "GBP")


def test_balances_that_do_not_agree_are_said(website: Website) -> None:
    data = (bank.FIXTURES / "camt053_v02_sparkasse.xml").read_bytes()
    statement = import_statement(website, data.replace(b">1287.50<", b">1288.50<"))
    assert statement.balance == BankStatement.Balance.DIFFERS
    assert statement.parts[0]["difference"] == "1.00"


def test_all_or_nothing(website: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "_AT_ONCE", 1)
    add = importing._add

    def add_one(statement: BankStatement, account: str, some: object, position: int) -> int:
        if position:
            raise DatabaseError
        return add(statement, account, some, position)  # type: ignore[arg-type] # handed on

    monkeypatch.setattr(importing, "_add", add_one)
    with pytest.raises(DatabaseError):
        bank.imported(website, ("5.00", "a"), ("6.00", "b"))
    assert BankStatement.objects.of(website).count() == 0
    assert BankTransaction.objects.of(website).count() == 0


def test_says_how_far_it_is(website: Website) -> None:
    said: list[tuple[str, int, int]] = []
    import_statement(
        website,
        bank.table(("5.00", "a"), ("6.00", "b")),
        tell=lambda *progress: said.append(progress),
    )
    assert said == [("read", 2, 2), ("matched", 2, 2)]


@pytest.mark.parametrize(
    ("data", "said"), [(b"PK\x03\x04zip", "ZIP"), (b"%PDF-1.7", "PDF"), (b"\0\1", "neither")]
)
def test_other_files_are_named(website: Website, data: bytes, said: str) -> None:
    with pytest.raises(NoStatement, match=said):
        import_statement(website, data)


def test_an_empty_file_is_refused(website: Website) -> None:
    with pytest.raises(BrokenFile):
        import_statement(website, b"  \n")


def test_a_table_that_somebody_explained_is_known_from_then_on(website: Website) -> None:
    data = (bank.FIXTURES / "unknown.csv").read_bytes()
    with pytest.raises(UnknownColumns):
        import_statement(website, data)
    how = Columns({"booked_on": (0,), "amount": (1,), "name": (2,), "text": (3,)}, "dmy", ",")
    formats.remember(website, tables.read(data), how)
    statement = import_statement(website, data)
    assert [line.amount for line in bank.lines_of(statement)] == [D("1234"), D("2345")]
    with pytest.raises(UnknownColumns):
        read_statement(bank.website(), data)


def test_takes_as_many_queries_for_many_lines(
    website: Website, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    making.issued(making.account(website))
    data = bank.table(*[("5.00", f"line {n}") for n in range(90)])
    with django_assert_max_num_queries(30 + 90 * 6):
        import_statement(website, data)


def test_a_statement_read_wrong_is_taken_out_again(website: Website) -> None:
    (line,) = bank.imported(website, ("5.00", "a"))
    line.statement.discard()
    assert BankTransaction.objects.of(website).count() == 0
    assert Event.objects.of(website).filter(kind="bank.statement_discarded").exists()


def test_a_statement_with_booked_lines_stays(website: Website, account: Account) -> None:
    invoice = bank.issued(account)
    (line,) = bank.imported(website, ("119.00", bank.reference(invoice)))
    with pytest.raises(HasBooked):
        line.statement.discard()


def test_what_the_bank_said_does_not_change(website: Website) -> None:
    (line,) = bank.imported(website, ("5.00", "a"))
    lines = BankTransaction.objects.of(website)
    with pytest.raises(IntegrityError), transaction.atomic():
        lines.update(amount=D("6.00"))
    line.refresh_from_db()
    assert line.amount == D("5.00")
