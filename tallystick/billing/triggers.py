"""The database's own refusal: what is issued or booked neither changes nor goes, whoever asks.

Additions are not refused: an invoice that is billed in one go is stored as issued before its lines
are, so that the database cannot tell them from lines that somebody adds later. Such a line shows:
the lines no longer add up to the invoice's amount, which is fixed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallystick.billing.erased import AS_STORED

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
_CREDIT_NOTE = (
    *("uid", "website_id", "client_id", "invoice_id", "series", "number", "title", "reason"),
    *("currency", "inclusive", "rounding", "subtotal", "discount", "tax", "amount", "released"),
    *("issue_date", "seller", "buyer", "issued_at"),
)
_CREDIT_LINE = ("credit_note_id", "invoice_line_id", *_LINE[1:])
_ENTRY = ("wallet_id", "amount", "balance_after", "reason", "payment_id", "key", "created_at")
_ALLOCATION = ("payment_id", "invoice_id", "amount", "cause", "created_at")
_SHARE = ("payment_id", "invoice_id", "amount")
_PAYMENT = (
    *("uid", "website_id", "account_id", "invoice_id", "method", "amount", "expected"),
    *("currency", "key", "created_at", "succeeded_at"),
)
_REFUND = ("uid", "website_id", "payment_id", "amount", "currency", "key", "created_at")
_DISPUTE = ("uid", "payment_id", "reference", "missing", "opened_at")
_HOLD = ("uid", "wallet_id", "amount", "payment_id", "cause", "key", "created_at")
_BANK_LINE = (
    *("uid", "website_id", "statement_id", "account", "identity", "booked_on", "amount"),
    *("currency", "reference", "is_reversal", "created_at"),
)
_ATTEMPT = ("email_id", "at", "result", "words")
_WORDING = ("uid", "website_id", "key", "language", "subject", "body", "edited_at")

# Table, columns that are fixed, when they are, and the words of the refusal.
_RULES = (
    ("billing_invoice", _INVOICE, "OLD.status <> 'draft'", "an issued invoice does not change"),
    (
        "billing_invoiceline",
        _LINE,
        "(SELECT status FROM billing_invoice WHERE id = OLD.invoice_id) <> 'draft'",
        "a line of an issued invoice does not change",
    ),
    ("billing_creditnote", _CREDIT_NOTE, "TRUE", "a credit note does not change"),
    ("billing_creditnoteline", _CREDIT_LINE, "TRUE", "a line of a credit note does not change"),
    ("billing_banktransaction", _BANK_LINE, "TRUE", "a line of a bank statement does not change"),
    ("billing_walletentry", _ENTRY, "TRUE", "the ledger of a wallet is only added to"),
    ("billing_allocation", _ALLOCATION, "TRUE", "an allocation does not change"),
    ("billing_paymentshare", _SHARE, "TRUE", "what a payment is meant for does not change"),
    (
        "billing_payment",
        _PAYMENT,
        "OLD.succeeded_at IS NOT NULL",
        "a payment that came does not change",
    ),
    ("billing_refund", _REFUND, "TRUE", "a refund does not change"),
    ("billing_dispute", _DISPUTE, "TRUE", "a dispute does not change"),
    ("billing_wallethold", _HOLD, "TRUE", "a hold does not change"),
    ("billing_emailattempt", _ATTEMPT, "TRUE", "a try to send a mail does not change"),
    ("billing_emailtemplate", _WORDING, "TRUE", "words that were in force do not change"),
)

# Table, when its rows stay, and the words of the refusal.
_STAYING = (
    ("billing_invoice", "OLD.status <> 'draft'", "an issued invoice is not deleted"),
    (
        "billing_invoiceline",
        "(SELECT status FROM billing_invoice WHERE id = OLD.invoice_id) <> 'draft'",
        "a line of an issued invoice is not deleted",
    ),
    ("billing_creditnote", "TRUE", "a credit note is not deleted"),
    ("billing_creditnoteline", "TRUE", "a line of a credit note is not deleted"),
    (
        "billing_banktransaction",
        "OLD.payment_id IS NOT NULL OR OLD.refund_id IS NOT NULL",
        "a line of a bank statement that is booked is not deleted",
    ),
    ("billing_walletentry", "TRUE", "the ledger of a wallet is only added to"),
    ("billing_payment", "OLD.succeeded_at IS NOT NULL", "money that came is not deleted"),
    ("billing_allocation", "TRUE", "an allocation is not deleted"),
    ("billing_refund", "TRUE", "a refund is not deleted"),
    ("billing_dispute", "TRUE", "a dispute is not deleted"),
    ("billing_wallethold", "TRUE", "a hold is not deleted"),
    ("billing_emailattempt", "TRUE", "a try to send a mail is not deleted"),
    ("billing_emailtemplate", "TRUE", "words that were in force are not deleted"),
)

# An erased person is taken off a document when it has been kept long enough, and nothing else.
_KEPT_TO = "(SELECT retention_years FROM accounts_website WHERE id = OLD.website_id)"
_UNLESS = {
    "buyer": {
        "postgresql": f" AND NOT (NEW.buyer = '{AS_STORED}'::jsonb AND"
        f" EXTRACT(YEAR FROM OLD.issue_date) + {_KEPT_TO} < EXTRACT(YEAR FROM now()))",
        "sqlite": f" AND NOT (NEW.buyer = '{AS_STORED}' AND"
        f" CAST(strftime('%Y', OLD.issue_date) AS INTEGER) + {_KEPT_TO}"
        " < CAST(strftime('%Y', 'now') AS INTEGER))",
    }
}


def create(connection: BaseDatabaseWrapper) -> None:
    """Anew where they exist: rebuilding a table, as migrations do on SQLite, drops its triggers."""
    drop(connection)
    make = _postgresql if connection.vendor == "postgresql" else _sqlite
    for table, columns, fixed, refusal in _RULES:
        differ = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
        changed = " OR ".join(
            f"(OLD.{name} {differ} NEW.{name}{_UNLESS.get(name, {}).get(connection.vendor, '')})"
            for name in columns
        )
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
