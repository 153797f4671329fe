"""The database's own refusal: what is issued or booked neither changes nor goes, whoever asks.

Additions are not refused: an invoice that is billed in one go is stored as issued before its lines
are, so that the database cannot tell them from lines that somebody adds later. Such a line shows:
the lines no longer add up to the invoice's amount, which is fixed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_INVOICE = (
    *("uid", "website_id", "client_id", "series", "number", "reference_id", "reference", "title"),
    *("description", "currency", "inclusive", "rounding", "subtotal", "discount", "tax", "amount"),
    *("issue_date", "due_date", "seller", "buyer", "issued_at"),
)
_LINE = (
    *("invoice_id", "position", "product_id", "product_code", "description", "quantity"),
    *("unit_price", "discount_percent", "tax_code", "tax_name", "tax_percent", "discount"),
    *("amount", "tax_amount"),
)
_ENTRY = ("wallet_id", "amount", "balance_after", "reason", "payment_id", "key", "created_at")
_ALLOCATION = ("payment_id", "invoice_id", "amount", "created_at")

# Table, columns that are fixed, when they are, and the words of the refusal.
_RULES = (
    ("billing_invoice", _INVOICE, "OLD.status <> 'draft'", "an issued invoice does not change"),
    (
        "billing_invoiceline",
        _LINE,
        "(SELECT status FROM billing_invoice WHERE id = OLD.invoice_id) <> 'draft'",
        "a line of an issued invoice does not change",
    ),
    ("billing_walletentry", _ENTRY, "TRUE", "the ledger of a wallet is only added to"),
    ("billing_allocation", _ALLOCATION, "TRUE", "an allocation does not change"),
)

# Table, when its rows stay, and the words of the refusal.
_STAYING = (
    ("billing_invoice", "OLD.status <> 'draft'", "an issued invoice is not deleted"),
    (
        "billing_invoiceline",
        "(SELECT status FROM billing_invoice WHERE id = OLD.invoice_id) <> 'draft'",
        "a line of an issued invoice is not deleted",
    ),
    ("billing_walletentry", "TRUE", "the ledger of a wallet is only added to"),
    ("billing_payment", "OLD.succeeded_at IS NOT NULL", "money that came is not deleted"),
    ("billing_allocation", "TRUE", "an allocation is not deleted"),
)


def create(connection: BaseDatabaseWrapper) -> None:
    """Anew where they exist: rebuilding a table, as migrations do on SQLite, drops its triggers."""
    drop(connection)
    make = _postgresql if connection.vendor == "postgresql" else _sqlite
    for table, columns, fixed, refusal in _RULES:
        differ = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
        changed = " OR ".join(f"OLD.{name} {differ} NEW.{name}" for name in columns)
        name = f"{table}_fixed"
        _run(connection, make(name, f"UPDATE ON {table}", f"{fixed} AND ({changed})", refusal))
    for table, stays, refusal in _STAYING:
        _run(connection, make(f"{table}_stays", f"DELETE ON {table}", stays, refusal))


def drop(connection: BaseDatabaseWrapper) -> None:
    names = [f"{rule[0]}_fixed" for rule in _RULES] + [f"{rule[0]}_stays" for rule in _STAYING]
    _drop(connection, names)


def let_go(connection: BaseDatabaseWrapper) -> None:
    """Only what refuses deletion is dropped, so that tables can be emptied."""
    _drop(connection, [f"{rule[0]}_stays" for rule in _STAYING])


def migrate(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    del apps
    create(schema_editor.connection)


def unmigrate(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    del apps
    drop(schema_editor.connection)


def _postgresql(name: str, event: str, condition: str, refusal: str) -> list[str]:
    row = "OLD" if event.startswith("DELETE") else "NEW"
    return [
        f"""
        CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF {condition} THEN
                RAISE EXCEPTION '{refusal}' USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN {row};
        END $$
        """,
        f"CREATE TRIGGER {name} BEFORE {event} FOR EACH ROW EXECUTE FUNCTION {name}()",
    ]


def _sqlite(name: str, event: str, condition: str, refusal: str) -> list[str]:
    return [
        f"""
        CREATE TRIGGER {name} BEFORE {event} WHEN {condition}
        BEGIN SELECT RAISE(ABORT, '{refusal}'); END
        """
    ]


def _drop(connection: BaseDatabaseWrapper, names: Iterable[str]) -> None:
    if connection.vendor == "postgresql":
        _run(connection, [f"DROP FUNCTION IF EXISTS {name}() CASCADE" for name in names])
    else:
        _run(connection, [f"DROP TRIGGER IF EXISTS {name}" for name in names])


def _run(connection: BaseDatabaseWrapper, statements: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
