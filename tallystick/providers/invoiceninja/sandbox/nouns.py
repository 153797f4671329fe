"""The nouns of the API: how each is made, changed, shown, found and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from tallystick.providers.invoiceninja.sandbox import (
    clients,
    invoices,
    paying,
    payments,
    plain,
    products,
    subscriptions,
)
from tallystick.providers.invoiceninja.sandbox.answers import Row
from tallystick.providers.invoiceninja.sandbox.company import Company

Query = Mapping[str, str]
Act = Callable[[Company, Row], Row]
Match = Callable[[Company, Row, str], bool]


@dataclass(frozen=True, slots=True)
class Noun:
    """`exact`: filters by a key of the shelf; `loose`: other filters; `searched`: what `filter`
    looks through; `includes`: what may be asked for along with it; `acts`: beside archive, restore
    and delete."""

    name: str
    show: Callable[[Company, Row, str], Row]
    create: Callable[[Company, Row, Query], Row] | None = None
    change: Callable[[Company, Row, Row, Query], Row] | None = None
    exact: tuple[str, ...] = ()
    loose: Mapping[str, Match] = field(default_factory=dict)
    searched: tuple[str, ...] = ()
    includes: frozenset[str] = frozenset()
    acts: Mapping[str, Act] = field(default_factory=dict)
    delete: Act | None = None
    restore: Act | None = None

    def act(self, company: Company, name: str, row: Row) -> Row:
        """Raises `KeyError` for what is no action."""
        return self._acts()[name](company, row)

    def can(self, name: str) -> bool:
        return name in self._acts()

    def _acts(self) -> dict[str, Act]:
        return {
            "archive": lambda company, row: company.archive(self.name, row),
            "delete": self.delete or (lambda company, row: company.delete(self.name, row)),
            "restore": self.restore or (lambda company, row: company.restore(self.name, row)),
            **self.acts,
        }


def _speaks_of(*names: str) -> Match:
    def match(_company: Company, row: Row, text: str) -> bool:
        return any(text.lower() in str(row.get(name) or "").lower() for name in names)

    return match


def _compared(_company: Company, client: Row, text: str) -> bool:
    """`gt:10`; what is not so written filters nothing."""
    word, _, amount = text.partition(":")
    held, wanted = client.get("balance", Decimal(0)), _decimal(amount)
    if wanted is None:
        return True
    compared: dict[str, bool] = {
        "lt": held < wanted,
        "lte": held <= wanted,
        "gt": held > wanted,
        "gte": held >= wanted,
        "eq": held == wanted,
    }
    return compared.get(word, True)


def _between(_company: Company, client: Row, text: str) -> bool:
    low, high = (_decimal(part) for part in (text.partition(":")[0], text.partition(":")[2]))
    if low is None or high is None:
        return True
    return bool(low <= client.get("balance", Decimal(0)) <= high)


def _in_state(company: Company, invoice: Row, text: str) -> bool:
    """client_status: words with commas between."""
    status = invoice["status_id"]
    words = {
        "all": True,
        "draft": status == invoices.Status.DRAFT,
        "paid": status == invoices.Status.PAID,
        "unpaid": status in invoices.OPEN,
        "overdue": invoices.is_overdue(company, invoice),
        "cancelled": status == invoices.Status.CANCELLED,
    }
    asked = [word for word in text.split(",") if word in words]
    return not asked or any(words[word] for word in asked)


def _is_numbered(name: str) -> Match:
    return lambda _company, row, text: row[name] in text.split(",")


def _ranged(name: str) -> Match:
    """`[column,]2026-01-01,2026-01-31`."""

    def match(_company: Company, row: Row, text: str) -> bool:
        first, _, last = text.rpartition(",")
        return bool(first.rpartition(",")[2] <= row[name] <= last) if first else True

    return match


def _decimal(text: str) -> Decimal | None:
    return Decimal(text) if text.replace(".", "", 1).removeprefix("-").isdecimal() else None


_CUSTOM = tuple(f"custom_value{n}" for n in (1, 2, 3, 4))
NOUNS = {
    noun.name: noun
    for noun in (
        Noun(
            "clients",
            clients.shown,
            clients.create,
            clients.change,
            exact=("email", "id_number", "number"),
            loose={
                "name": _speaks_of("name"),
                "balance": _compared,
                "between_balance": _between,
                "client_id": lambda _company, row, text: row["id"] == text,
            },
            searched=("name", "id_number", "number", "contacts", *_CUSTOM),
            includes=frozenset(
                [
                    "contacts",
                    "documents",
                    "gateway_tokens",
                    "activities",
                    "ledger",
                    "system_logs",
                    "group_settings",
                ]
            ),
        ),
        Noun(
            "products",
            products.shown,
            products.create,
            products.change,
            exact=("product_key",),
            searched=("product_key", "notes", *_CUSTOM),
            includes=frozenset(("company", "user", "documents")),
        ),
        Noun(
            "invoices",
            invoices.shown,
            paying.create_invoice,
            paying.change_invoice,
            exact=("number", "client_id"),
            loose={
                "client_status": _in_state,
                "status_id": _is_numbered("status_id"),
                "date_range": _ranged("date"),
                "due_date_range": _ranged("due_date"),
            },
            searched=("number", "po_number", "date", "amount", "balance", *_CUSTOM),
            includes=frozenset(("client", "payments", "documents", "activities")),
            acts={
                "mark_sent": invoices.mark_sent,
                "mark_paid": paying.mark_paid,
                "cancel": invoices.cancel,
                "email": invoices.email,
            },
            delete=paying.delete_invoice,
            restore=paying.restore_invoice,
        ),
        Noun(
            "payments",
            payments.shown,
            lambda company, given, _query: payments.create(company, given),
            lambda company, row, given, _query: payments.change(company, row, given),
            exact=("number", "client_id"),
            searched=("number", "transaction_reference", "amount", "date", *_CUSTOM),
            includes=frozenset(
                ("client", "invoices", "credits", "paymentables", "documents", "type")
            ),
            delete=payments.delete,
            restore=payments.restore,
        ),
        Noun(
            "credits",
            plain.shown_credit,
            exact=("number", "client_id"),
            searched=("number", "amount"),
            includes=frozenset(("client", "documents", "activities")),
        ),
        Noun("tax_rates", plain.shown_rate, plain.create_rate, plain.change_rate),
        Noun("webhooks", subscriptions.shown, subscriptions.create, subscriptions.change),
    )
}
