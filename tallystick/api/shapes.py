"""What the API says of things: one shape each, made of the columns that a list reads anyway."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import reduce
from typing import Any

from tallystick.accounts.models import Account
from tallystick.billing.invoices import Invoice
from tallystick.billing.states import PAYABLE
from tallystick.kit.money import round_amount

Row = Mapping[str, Any]
Shape = dict[str, Any]

INVOICE = (
    *("uid", "website__uid", "client_id", "client__uid", "status", "number", "reference_id"),
    *("reference", "title", "currency", "inclusive", "subtotal", "discount", "tax", "amount"),
    *("amount_paid", "amount_credited", "issue_date", "due_date", "issued_at", "paid_at"),
    *("voided_at", "email_sent_at", "email_sent_count", "created_at", "updated_at"),
)
PAYMENT = (
    *("uid", "website__uid", "account_id", "account__uid", "invoice__uid", "method", "status"),
    *("amount", "amount_refunded", "currency", "reference", "received_on", "failure"),
    *("created_at", "succeeded_at"),
)
CREDIT_NOTE = (
    *("uid", "website__uid", "client_id", "client__uid", "invoice__uid", "invoice__number"),
    *("number", "reason", "currency", "inclusive", "subtotal", "discount", "tax", "amount"),
    *("released", "issue_date", "issued_at", "created_at"),
)
WALLET = ("uid", "website__uid", "account_id", "account__uid", "currency", "balance", "held")
ENTRY = ("amount", "balance_after", "reason", "note", "payment__uid", "created_at")
REFUND = (
    *("uid", "payment__uid", "amount", "currency", "status", "reason", "reference", "failure"),
    *("created_at", "succeeded_at"),
)
PRODUCT = (
    *("uid", "website__uid", "name", "slug", "description", "category", "price", "currency"),
    *("max_discount_percentage", "tax_rate__code", "is_active"),
)
TAX_RATE = ("website__uid", "code", "name", "percent", "is_default", "is_active")


def row_of(thing: object, names: Iterable[str]) -> Row:
    """The columns that a list would read, of one that is at hand."""
    return {name: reduce(_inner, name.split("__"), thing) for name in names}


def clients(rows: Iterable[Row], name: str = "client_id") -> dict[int, Account]:
    """The accounts that rows speak of, in one query."""
    accounts = Account.objects.everywhere().select_related("user", "organisation", "website")
    return accounts.in_bulk({row[name] for row in rows})


def invoice(row: Row, client: Account) -> Shape:
    currency, status = row["currency"], row["status"]
    is_payable = status in PAYABLE
    due = row["amount"] - row["amount_paid"] - row["amount_credited"] if is_payable else Decimal(0)
    day, today = row["due_date"], client.website.today()
    money = {name: row[name] for name in _INVOICE_MONEY} | {"amount_due": due}
    return {
        "id": row["uid"],
        "website": row["website__uid"],
        "client": party(client),
        "status": status,
        "is_paid": status == Invoice.Status.PAID,
        "is_overdue": bool(is_payable and day and day < today),
        "number": row["number"],
        "prices_include_tax": row["inclusive"],
        **{name: row[name] for name in _INVOICE_TEXT},
        "currency": currency,
        **{name: figure(value, currency) for name, value in money.items()},
        **{name: row[name] for name in _INVOICE_TIMES},
        "email_sent": row["email_sent_count"] > 0,
        "email_sent_count": row["email_sent_count"],
    }


_INVOICE_TEXT = ("reference_id", "reference", "title")
_INVOICE_MONEY = ("subtotal", "discount", "tax", "amount", "amount_paid", "amount_credited")
_INVOICE_TIMES = (
    *("issue_date", "due_date", "issued_at", "paid_at", "voided_at", "email_sent_at"),
    *("created_at", "updated_at"),
)


def party(account: Account) -> Shape:
    return {"id": account.uid, "name": account.name, "email": account.email}


def line(row: Any, currency: str) -> Shape:  # noqa: ANN401 - a line of an invoice or a credit note
    return {
        "position": row.position,
        "product": row.product.uid if row.product else None,
        "product_code": row.product_code,
        "description": row.description,
        "quantity": plain(row.quantity),
        "unit_price": plain(row.unit_price),
        "discount_percent": plain(row.discount_percent),
        "tax_rate": row.tax_code or None,
        "tax_name": row.tax_name,
        "tax_percent": plain(row.tax_percent),
        "discount": figure(row.discount, currency),
        "amount": figure(row.amount, currency),
        "tax_amount": figure(row.tax_amount, currency),
    }


def taxes(totals: Iterable[Any], currency: str) -> list[Shape]:
    """The breakdown per rate."""
    return [
        {
            "tax_rate": total.tax_code or None,
            "percent": plain(total.percent),
            "net": figure(total.net, currency),
            "tax": figure(total.tax, currency),
            "gross": figure(total.gross, currency),
        }
        for total in totals
    ]


def payment(row: Row, client: Account) -> Shape:
    currency = row["currency"]
    return {
        "id": row["uid"],
        "website": row["website__uid"],
        "client": party(client),
        "invoice": row["invoice__uid"],
        "method": row["method"],
        "status": row["status"],
        "amount": figure(row["amount"], currency),
        "amount_refunded": figure(row["amount_refunded"], currency),
        "currency": currency,
        **{
            name: row[name]
            for name in ("reference", "received_on", "failure", "created_at", "succeeded_at")
        },
    }


def refund(row: Row) -> Shape:
    return {
        "id": row["uid"],
        "payment": row["payment__uid"],
        "amount": figure(row["amount"], row["currency"]),
        **{
            name: row[name]
            for name in (
                *("currency", "status", "reason", "reference", "failure", "created_at"),
                "succeeded_at",
            )
        },
    }


def credit_note(row: Row, client: Account) -> Shape:
    currency = row["currency"]
    money = ("subtotal", "discount", "tax", "amount", "released")
    return {
        "id": row["uid"],
        "website": row["website__uid"],
        "client": party(client),
        "invoice": row["invoice__uid"],
        "invoice_number": row["invoice__number"],
        "number": row["number"],
        "reason": row["reason"],
        "prices_include_tax": row["inclusive"],
        "currency": currency,
        **{name: figure(row[name], currency) for name in money},
        **{name: row[name] for name in ("issue_date", "issued_at", "created_at")},
    }


def wallet(row: Row, client: Account) -> Shape:
    currency = row["currency"]
    return {
        "id": row["uid"],
        "website": row["website__uid"],
        "client": party(client),
        "currency": currency,
        "balance": figure(row["balance"], currency),
        "held": figure(row["held"], currency),
        "available": figure(row["balance"] - row["held"], currency),
    }


def entry(row: Row, currency: str) -> Shape:
    return {
        "amount": figure(row["amount"], currency),
        "balance_after": figure(row["balance_after"], currency),
        "currency": currency,
        "reason": row["reason"],
        "note": row["note"],
        "payment": row["payment__uid"],
        "created_at": row["created_at"],
    }


def client(account: Account) -> Shape:
    return {
        **party(account),
        "website": account.website.uid,
        "kind": "organisation" if account.organisation_id else "person",
        "phone": account.phone,
        "currency": account.billing_currency,
        "language": account.billing_language,
        "tax_number": account.billing_tax_number,
        "address": account.address(),
    }


def product(row: Row) -> Shape:
    return {
        "id": row["uid"],
        "website": row["website__uid"],
        **{name: row[name] for name in ("name", "slug", "description", "category")},
        "price": plain(row["price"]),
        "currency": row["currency"],
        "max_discount_percent": plain(row["max_discount_percentage"]),
        "tax_rate": row["tax_rate__code"],
        "is_active": row["is_active"],
    }


def tax_rate(row: Row) -> Shape:
    return {
        "website": row["website__uid"],
        **{name: row[name] for name in ("code", "name", "is_default", "is_active")},
        "percent": plain(row["percent"]),
    }


def figure(value: Decimal, currency: str) -> str:
    """An amount with the places of its currency: "1190.00"."""
    return f"{round_amount(value, currency):f}"


def plain(value: Decimal) -> str:
    """A number with the places that it needs: a quantity, a price of one, a percentage."""
    return f"{value.normalize():f}" if value else "0"


def _inner(thing: object, name: str) -> Any:  # noqa: ANN401 - whatever the column holds
    return None if thing is None else getattr(thing, name)
