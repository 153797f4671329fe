"""A look at what is there, as it comes: for people who want to know the shape of it."""

from __future__ import annotations

from collections.abc import Mapping

from tallystick.providers.invoiceninja.api import InvoiceNinjaApi
from tallystick.providers.invoiceninja.schema import Reply

ROWS = 2
ENTITIES = (
    "clients",
    "products",
    "tax_rates",
    "invoices",
    "payments",
    "credits",
    "quotes",
    "recurring_invoices",
    "expenses",
    "expense_categories",
    "projects",
    "tasks",
    "vendors",
    "purchase_orders",
    "payment_terms",
    "group_settings",
    "webhooks",
)
NEEDED: Mapping[str, tuple[str, ...]] = {
    "clients": (),
    "products": (),
    "tax_rates": ("name", "rate"),
    "invoices": ("client_id",),
    "payments": ("client_id",),
    "credits": ("client_id",),
    "quotes": ("client_id",),
    "recurring_invoices": ("client_id", "frequency_id"),
    "expenses": (),
    "expense_categories": ("name",),
    "projects": ("name", "client_id"),
    "tasks": (),
    "vendors": (),
    "purchase_orders": ("vendor_id",),
    "payment_terms": ("num_days",),
    "group_settings": ("name",),
    "webhooks": ("target_url", "event_id"),
}
"""What the server demands for a create. What else a sensible one has is not its concern: a client
without a name is shown by its contact's, a product without a key cannot be found."""


class UnknownEntity(ValueError):
    """No entity of this name is looked at."""


class _Rows(Reply):
    data: tuple[dict[str, object], ...] = ()


def peek(api: InvoiceNinjaApi, entity: str) -> list[dict[str, object]]:
    if entity not in ENTITIES:
        raise UnknownEntity(f"{entity!r} is not looked at; there are: {', '.join(ENTITIES)}.")
    rows = api.get(f"/{entity}", _Rows, params={"per_page": str(ROWS), "page": "1"}).data
    return list(rows[:ROWS])
