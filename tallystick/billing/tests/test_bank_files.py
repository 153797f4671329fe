"""Statements as banks give them out: what is read of them, and what is said of those that are none."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.billing.banking import camt, columns, csv_files, readings, tables
from tallystick.billing.banking.errors import (
    BrokenFile,
    NoStatement,
    StatementError,
    TooLarge,
    UnknownColumns,
)
from tallystick.billing.banking.readings import Line, Reading
from tallystick.kit import clock
from tallystick.kit.clock import VirtualClock

D = Decimal
FIXTURES = Path(__file__).parent / "fixtures"
XML, CSV = sorted(FIXTURES.glob("*.xml")), sorted(FIXTURES.glob("*.csv"))


def bytes_of(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()


def read_csv(data: bytes) -> Reading:
    table = tables.read(data)
    return csv_files.read(table, columns.guess(table), currency="EUR")


def table_of(*rows: str) -> bytes:
    return "\n".join(rows).encode()


def amounts(reading: Reading) -> list[Decimal]:
    return [line.amount for line in reading.lines]


@pytest.mark.parametrize("name", ["sparkasse_camt.csv", "ing_nl.csv"])
def test_a_table_that_breaks_off_within_quotes_is_refused(name: str) -> None:
    data = bytes_of(name).rstrip()
    assert read_csv(data).lines
    for cut in range(len(data) - 1, data.rindex(b"\n"), -1):
        if data[:cut].count(b'"') % 2:
            with pytest.raises(BrokenFile, match="breaks off"):
                tables.read(data[:cut])


def test_an_amount_that_breaks_off_is_not_read_short() -> None:
    rows = ['"Date","Text","Amount"', '"2026-03-16","one","119.00"', '"2026-03-17","two","1']
    with pytest.raises(BrokenFile, match="breaks off"):
        read_csv(table_of(*rows))
    assert amounts(read_csv(table_of(*rows[:2]))) == [D("119.00")]


# -- CAMT.053


def test_camt_of_version_2() -> None:
    (reading,) = camt.read(bytes_of("camt053_v02_sparkasse.xml"))
    assert (reading.account, reading.currency) == ("DE89370400440532013000", "EUR")
    assert (reading.opening, reading.closing, reading.difference) == (
        D("1000.00"),
        D("1287.50"),
        D(0),
    )
    assert amounts(reading) == [D("119"), D("119"), D("181"), D("-12.50"), D("-119")]
    assert reading.pending == 1
    assert reading.days == (date(2026, 3, 16), date(2026, 3, 16))
    first = reading.lines[0]
    assert (first.name, first.iban) == ("Ismail Sahin", "DE02120300000000202051")
    assert first.reference == "2026031600147001000"
    assert first.end_to_end == ""  # NOTPROVIDED


def test_a_batch_is_its_payments_with_a_reference_each() -> None:
    (reading,) = camt.read(bytes_of("camt053_v02_sparkasse.xml"))
    ada, grace = reading.lines[1:3]
    assert (ada.name, ada.end_to_end) == ("Ada Lovelace", "SB-1001")
    assert (grace.name, grace.end_to_end) == ("Grace Hopper", "SB-1002")
    assert ada.reference != grace.reference


def test_a_reversal_says_so_and_whose_payment_it_was() -> None:
    (reading,) = camt.read(bytes_of("camt053_v02_sparkasse.xml"))
    back = reading.lines[-1]
    assert (back.is_reversal, back.return_reason, back.name) == (True, "CUST", "Ada Lovelace")


def test_camt_of_version_8() -> None:
    (reading,) = camt.read(bytes_of("camt053_v08_bnp.xml"))
    one, two = reading.lines
    assert (one.name, one.structured) == ("ADA BYRON", "RF647K3M9QZXABCD")
    assert one.reference == "FRX0316000081-1"  # the payment's own, not the entry's
    assert (two.amount, two.currency, two.original) == (D("219.10"), "EUR", "240.00 USD")
    assert two.value_on == date(2026, 3, 18)
    assert reading.difference == 0


def test_a_batch_without_amounts_is_one_line_with_all_texts() -> None:
    first, second = camt.read(bytes_of("camt053_v04_zkb.xml"))
    (batch,) = first.lines
    assert (batch.amount, batch.whole_batch) == (D("350.00"), True)
    assert "RF64" in batch.text
    assert "RF12" in batch.text
    assert (first.opening, first.difference) == (D("-10.00"), D(0))
    assert second.lines[0].is_reversal
    assert second.lines[0].amount == D("5.55")  # a charge that came back


def test_a_batch_that_does_not_add_up_is_not_parted() -> None:
    data = bytes_of("camt053_v02_sparkasse.xml").replace(b">181.00<", b">180.00<")
    (reading,) = camt.read(data)
    assert amounts(reading)[1:2] == [D("300.00")]


def test_balances_that_do_not_agree_are_seen() -> None:
    data = bytes_of("camt053_v02_sparkasse.xml").replace(b">1287.50<", b">1288.50<")
    (reading,) = camt.read(data)
    assert reading.difference == D("1.00")


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "utf-8-sig"])
def test_camt_in_another_encoding(encoding: str) -> None:
    text = bytes_of("camt053_v08_bnp.xml").decode()
    text = text.replace("UTF-8", encoding.removesuffix("-sig").upper(), 1)
    assert camt.is_xml(text.encode(encoding))
    assert camt.read(text.encode(encoding)) == camt.read(bytes_of("camt053_v08_bnp.xml"))


BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
<Document><BkToCstmrStmt><Stmt><Id>&b;</Id></Stmt></BkToCstmrStmt></Document>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<Document><BkToCstmrStmt><Stmt><Id>&a;</Id></Stmt></BkToCstmrStmt></Document>"""


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        (BOMB, NoStatement, "entities"),
        (OUTSIDE, NoStatement, "entities"),
        (b"<html><body>Log in</body></html>", NoStatement, "html"),
        (b"<Document><BkToCstmrAcctRpt/></Document>", NoStatement, "CAMT.052"),
        (b"<Document><BkToCstmrDbtCdtNtfctn/></Document>", NoStatement, "CAMT.054"),
        (b"<Document><BkToCstmrStmt/></Document>", NoStatement, "no statement"),
        (b"<Document>" + b"<a>" * 100_000, NoStatement, "deeper"),
        (b"<Document><BkToCstmrStmt><Stmt>", BrokenFile, "breaks off"),
        (b"", BrokenFile, "empty"),
        (b" " * 10_000_001, TooLarge, "shorter periods"),
        (b'<?xml version="1.0" encoding="nonsense"?><Document/>', BrokenFile, "once more"),
    ],
)
def test_what_is_no_camt_is_said(data: bytes, error: type[StatementError], said: str) -> None:
    with pytest.raises(error, match=said):
        camt.read(data)


def test_a_truncated_file_is_refused_wherever_it_ends() -> None:
    data = bytes_of("camt053_v02_sparkasse.xml")
    for end in range(100, len(data) - 20, 97):
        with pytest.raises(StatementError):
            camt.read(data[:end])


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (b'<Amt Ccy="EUR">12.50</Amt>', b'<Amt Ccy="EUR">12.505</Amt>', "finer"),
        (b'<Amt Ccy="EUR">12.50</Amt>', b'<Amt Ccy="EUR">-12.50</Amt>', "below zero"),
        (b'<Amt Ccy="EUR">12.50</Amt>', b'<Amt Ccy="EUX">12.50</Amt>', "EUX"),
        (b'<Amt Ccy="EUR">12.50</Amt>', b"", "no amount"),
        (b'<Amt Ccy="EUR">12.50</Amt>', b'<Amt Ccy="EUR">' + b"9" * 5000 + b"</Amt>", "Entry 3"),
        (b"<BookgDt><Dt>2026-03-16", b"<BookgDt><Dt>2026-02-30", "not a date"),
        (b"<BookgDt><Dt>2026-03-16", b"<BookgDt><Dt>0026-03-16", "no day"),
        (b"<BookgDt><Dt>2026-03-16", b"<BookgDt><Dt>2066-03-16", "no day"),
    ],
)
def test_what_is_wrong_is_named(before: bytes, after: bytes, said: str) -> None:
    with pytest.raises(BrokenFile, match=said):
        camt.read(bytes_of("camt053_v02_sparkasse.xml").replace(before, after))


# -- CSV


@pytest.mark.parametrize(
    ("name", "encoding", "account", "found"),
    [
        ("sparkasse_camt.csv", "cp1252", "DE89370400440532013000", ["119", "-12.50", "1234.56"]),
        ("dkb.csv", "utf-8-sig", "DE89370400440532013000", ["119", "-1000.50"]),
        ("ing_nl.csv", "utf-8", "NL91ABNA0417164300", ["119", "-8.37"]),
        ("barclays.csv", "utf-8", "20201555555555", ["119", "-1044.20"]),
        ("wise.csv", "utf-8", "", ["119", "-21.50"]),
        ("garanti.csv", "utf-8", "", ["119", "-800", "2000"]),
    ],
)
def test_tables_of_banks(name: str, encoding: str, account: str, found: list[str]) -> None:
    data = bytes_of(name)
    assert tables.read(data).encoding == encoding
    reading = read_csv(data)
    assert reading.account == account
    assert amounts(reading) == [D(each) for each in found]
    paid = reading.lines[0]
    assert paid.booked_on == date(2026, 3, 16)
    assert "RF64" in paid.text


def test_a_table_in_windows_letters() -> None:
    reading = read_csv(bytes_of("sparkasse_camt.csv"))
    assert "Köln, Straße" in reading.lines[1].text
    assert reading.lines[2].name == "Müller & Söhne GmbH"
    assert reading.pending == 1


@pytest.mark.parametrize(
    ("name", "opening", "closing"),
    [("garanti.csv", "0", "1319"), ("wise.csv", "1021.50", "1119")],
)
def test_running_balances_newest_first_are_checked(name: str, opening: str, closing: str) -> None:
    reading = read_csv(bytes_of(name))
    assert (reading.opening, reading.closing) == (D(opening), D(closing))
    assert reading.difference == 0


def test_a_row_that_is_missing_shows_in_the_balances() -> None:
    rows = bytes_of("garanti.csv").splitlines()
    assert read_csv(b"\n".join([*rows[:2], *rows[3:]])).difference == D("-800")


def test_of_two_names_the_other_party_s_is_taken() -> None:
    paid, spent = read_csv(bytes_of("dkb.csv")).lines
    assert (paid.name, spent.name) == ("Ismail Sahin", "Stadtwerke")


def test_a_foot_is_no_line() -> None:
    data = table_of("Date;Text;Amount", "2026-03-16;rent;-5,00", "Total;;", ";;", "End of list")
    assert amounts(read_csv(data)) == [D("-5.00")]


def test_unknown_columns_are_asked_for() -> None:
    with pytest.raises(UnknownColumns, match="date") as caught:
        read_csv(bytes_of("unknown.csv"))
    assert caught.value.table is not None
    assert caught.value.table.head == ("Ledger day", "Movement", "Who", "Story")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["Date,Text,Amount", "03/04/2026,a,5.00", "05/06/2026,b,6.00"], "March or in April"),
        (["Date,Text,Amount", "2026-03-16,a,1.234"], "thousand"),
    ],
)
def test_what_could_be_either_is_asked_for(rows: list[str], said: str) -> None:
    with pytest.raises(UnknownColumns, match=said):
        read_csv(table_of(*rows))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["Date,Text,Amount", "2026-03-16,a,5.00", "2026-13-16,b,6.00"], "Row 3"),
        (["Date,Text,Amount", "2026-03-16,a,5.00", "2026-03-16,b,five"], "Row 3"),
        (["Date,Text,Amount", "2026-03-16,a,5.00", "2026-03-16,b,"], "Row 3"),
        (["Date,Text,Paid out,Paid in", "2026-03-16,a,5.00,6.00"], "Row 2"),
        (["Date,Text,Amount,D/C", "2026-03-16,a,5.00,maybe"], "maybe"),
        (
            ["Date,Own IBAN,Amount", "2026-03-16,DE1,5.00", "2026-03-16,DE2,5.00"],
            "several accounts",
        ),
    ],
)
def test_a_bad_row_is_named(rows: list[str], said: str) -> None:
    with pytest.raises(BrokenFile, match=said):
        read_csv(table_of(*rows))


@pytest.mark.parametrize("data", [b"hello", b"\x00\x01\x02\x03", b"a,b\n1,2\n", b"1,2,3\n4,5,6\n"])
def test_what_is_no_table_is_said(data: bytes) -> None:
    with pytest.raises(NoStatement):
        tables.read(data)


@pytest.mark.parametrize("below", [(), ("",), (";;", " ; ;")])
def test_a_table_without_rows_says_so(below: tuple[str, ...]) -> None:
    with pytest.raises(NoStatement, match="no rows"):
        tables.read(table_of("Date;Text;Amount", *below))


@given(
    st.decimals(-(10**10), 10**10, places=2),
    st.sampled_from([(",", "."), (".", ","), (",", " "), (".", "'"), (",", ""), (".", "")]),
    st.sampled_from(["{}", "{} EUR", "€ {}", "EUR{}"]),
    st.sampled_from(["front", "behind", "brackets", "typographic"]),
)
def test_amounts_are_read_as_they_were_written(
    amount: Decimal, signs: tuple[columns.Point, str], frame: str, minus: str
) -> None:
    point, group = signs
    written = f"{abs(amount):,.2f}".replace(".", "\0").replace(",", group).replace("\0", point)
    if amount < 0:
        ways = {"front": "-{}", "behind": "{}-", "brackets": "({})", "typographic": "\u2212{}"}
        written = ways[minus].format(written)
    assert csv_files.number_in(frame.format(written), point, "EUR", "here") == amount


@pytest.mark.parametrize(
    "written", ["", "-", "1.2.3", "1,23,4", "12e5", "0x1", "--5", "1 2 three", "٣"]
)
def test_what_is_no_amount(written: str) -> None:
    with pytest.raises(BrokenFile):
        csv_files.number_in(written, ",", "EUR", "here")


@given(st.dates(date(1991, 1, 1), date(2068, 12, 31)), st.sampled_from(["ymd", "dmy", "mdy"]))
def test_days_are_read_as_they_were_written(day: date, order: columns.DayOrder) -> None:
    forms = {"ymd": ["%Y-%m-%d", "%Y%m%d"], "dmy": ["%d.%m.%Y"], "mdy": ["%m/%d/%Y"]}
    for form in forms[order]:
        with clock.use(VirtualClock(datetime(2068, 12, 31, tzinfo=UTC))):
            assert csv_files.day_in(day.strftime(form), order, "here") == day


# -- lines


def line(**values: object) -> Line:
    defaults = {"booked_on": date(2026, 3, 16), "amount": D("5.00"), "currency": "EUR"}
    return Line(**(defaults | values))  # type: ignore[arg-type] # as the tests say


def test_equal_lines_are_counted_through() -> None:
    coffee = line(text="Coffee")
    named = readings.identities([coffee, line(text="Tea"), coffee])
    assert len(set(named)) == 3
    assert readings.identities([coffee, coffee])[1] == named[2]


def test_the_bank_s_own_reference_names_a_line_whatever_its_text() -> None:
    one, two = line(reference="X1", text="a"), line(reference="X1", text="b")
    assert one.identity() == two.identity()
    assert one.identity() != line(reference="X1", amount=D("-5.00")).identity()  # its reversal


# -- whatever comes


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_in_words(data: bytes) -> None:
    said: list[str] = []
    for read in (camt.read, read_csv):
        try:
            read(data)
        except StatementError as error:
            said.append(str(error))
    assert all(said)


@pytest.mark.parametrize("path", [*XML, *CSV], ids=lambda path: path.name)
def test_mutations_are_read_or_refused(path: Path) -> None:
    said: list[str] = []
    luck, original = random.Random(path.name), path.read_bytes()
    for _ in range(150):
        data = bytearray(original)
        for _ in range(luck.randint(1, 6)):
            at = luck.randrange(len(data))
            piece = original[(cut := luck.randrange(len(original))) : cut + luck.randint(0, 40)]
            data[at : at + luck.randint(0, 30)] = luck.choice(
                [piece, bytes([luck.randrange(256)]), b"9" * 40, b"<", b'"', b"\0", b"&#0;", b";"]
            )
        try:
            (camt.read if path.suffix == ".xml" else read_csv)(bytes(data))
        except StatementError as error:
            said.append(str(error))
    assert all(said)
    assert said
