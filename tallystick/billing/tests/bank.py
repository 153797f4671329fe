"""Statements made for tests: what a bank would say of these lines."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from tallystick.accounts.models import Account, Website
from tallystick.billing.banking.importing import import_statement
from tallystick.billing.banking.references import structured_reference
from tallystick.billing.banking.statements import BankStatement
from tallystick.billing.banking.transactions import BankTransaction
from tallystick.billing.invoices import Invoice
from tallystick.billing.tests import making

IBAN = "DE89370400440532013000"
FIXTURES = Path(__file__).parent / "fixtures"
_HEAD = "Auftragskonto;Buchungstag;Verwendungszweck;Beguenstigter/Zahlungspflichtiger;IBAN;Betrag;Waehrung"

Row = tuple[str, str]


def website(**values: Any) -> Website:
    return making.website(**{"iban": IBAN, "bic": "COBADEFFXXX", "currency": "EUR", **values})


def issued(to: Account, reference_id: str = "", **details: Any) -> Invoice:
    """119.00 EUR; with that reference, as the fixtures name it."""
    draft = making.draft(to, **details)
    if reference_id:
        draft.reference_id = reference_id
        draft.save()
    draft.issue()
    return draft


def table(*rows: tuple[str, ...], iban: str = IBAN) -> bytes:
    """Each row: amount and text, and if need be name, sender's IBAN, day, currency."""
    lines = [_HEAD]
    for row in rows:
        amount, text, name, sender, day, currency = (
            *row,
            *("", "", "16.03.2026", "EUR")[len(row) - 2 :],
        )
        lines.append(";".join([iban, day, text, name, sender, amount.replace(".", ","), currency]))
    return "\n".join(lines).encode()


def imported(at: Website, *rows: tuple[str, ...]) -> list[BankTransaction]:
    """The lines of a statement with these rows, as they are after the import."""
    statement = import_statement(at, table(*rows), name="test.csv")
    return lines_of(statement)


def lines_of(statement: BankStatement) -> list[BankTransaction]:
    return list(statement.lines.order_by("position"))


def one(at: Website, amount: str, text: str, *more: str) -> BankTransaction:
    (line,) = imported(at, (amount, text, *more))
    return line


def fixture(at: Website, name: str) -> list[BankTransaction]:
    return lines_of(import_statement(at, (FIXTURES / name).read_bytes(), name=name))


def reference(invoice: Invoice) -> str:
    return structured_reference(invoice)


def paid(invoice: Invoice) -> Decimal:
    invoice.refresh_from_db()
    return invoice.amount_paid
