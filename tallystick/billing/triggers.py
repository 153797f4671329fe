"""The database's own refusal: what is issued or booked does not change, whoever asks.

Only updates are refused: deleting is left to the foreign keys, which protect what has money on it.
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


def create(connection: BaseDatabaseWrapper) -> None:
    """Anew where they exist: rebuilding a table, as migrations do on SQLite, drops its triggers."""
    drop(connection)
    make = _postgresql if connection.vendor == "postgresql" else _sqlite
    _run(connection, [statement for rule in _RULES for statement in make(*rule)])


def drop(connection: BaseDatabaseWrapper) -> None:
    if connection.vendor == "postgresql":
        _run(connection, [f"DROP FUNCTION IF EXISTS {rule[0]}_fixed() CASCADE" for rule in _RULES])
    else:
        _run(connection, [f"DROP TRIGGER IF EXISTS {rule[0]}_fixed" for rule in _RULES])


def migrate(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    del apps
    create(schema_editor.connection)


def unmigrate(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    del apps
    drop(schema_editor.connection)


def _postgresql(table: str, columns: Iterable[str], fixed: str, refusal: str) -> list[str]:
    changed = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in columns)
    return [
        f"""
        CREATE FUNCTION {table}_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF {fixed} AND ({changed}) THEN
                RAISE EXCEPTION '{refusal}' USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$
        """,
        f"""
        CREATE TRIGGER {table}_fixed BEFORE UPDATE ON {table}
        FOR EACH ROW EXECUTE FUNCTION {table}_fixed()
        """,
    ]


def _sqlite(table: str, columns: Iterable[str], fixed: str, refusal: str) -> list[str]:
    changed = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in columns)
    return [
        f"""
        CREATE TRIGGER {table}_fixed BEFORE UPDATE ON {table} WHEN {fixed} AND ({changed})
        BEGIN SELECT RAISE(ABORT, '{refusal}'); END
        """
    ]


def _run(connection: BaseDatabaseWrapper, statements: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
