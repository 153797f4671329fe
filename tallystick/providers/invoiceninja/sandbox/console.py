"""What the console shows of Invoice Ninja."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from tallystick.ports.sandboxing import Deed, Table
from tallystick.providers.invoiceninja.sandbox import invoices
from tallystick.providers.invoiceninja.sandbox.answers import Row
from tallystick.providers.invoiceninja.sandbox.company import Company
from tallystick.providers.invoiceninja.sandbox.control import Control

_ROWS = 25
_STATES = {status.value: status.name.lower() for status in invoices.Status}

Cell = Callable[[Company, Row], str]


def tables(stand: Control) -> list[Table]:
    company = stand.company
    found = [
        _table(company, "invoices", "Invoices", _INVOICE, _invoice_deeds),
        _table(company, "payments", "Payments", _PAYMENT, _payment_deeds),
        _table(company, "clients", "Clients", _CLIENT, _client_deeds),
        _table(company, "products", "Products", _PRODUCT, _no_deeds),
        _table(company, "tax_rates", "Tax rates", _RATE, _no_deeds),
        _table(company, "webhooks", "Webhooks", _WEBHOOK, _no_deeds),
    ]
    return [*(table for table in found if table.total), _sheet(stand)]


def _sheet(stand: Control) -> Table:
    """What is needed to connect."""
    rows = [
        ("API", f"{stand.public_url}/api/v1"),
        ("Token", stand.token),
        ("Currency id", stand.company.currency_id),
        ("Calls a minute", str(stand.limits.minute or "no limit")),
        ("Webhooks waiting", str(stand.deliveries.waiting)),
    ]
    return Table(stand.company.name, ("Setting", "Value"), rows, len(rows), is_sheet=True)


def _table(
    company: Company,
    kind: str,
    title: str,
    columns: dict[str, Cell],
    deeds: Callable[[Row], list[Deed]],
) -> Table:
    shelf = company.shelves[kind]
    newest = shelf.newest(_ROWS)
    return Table(
        f"{title} of {company.name}",
        list(columns),
        [[cell(company, row) for cell in columns.values()] for row in newest],
        len(shelf),
        [deeds(row) for row in newest],
    )


def _text(name: str) -> Cell:
    return lambda _company, row: str(row.get(name, ""))


def _amount(name: str) -> Cell:
    def cell(company: Company, row: Row) -> str:
        client = company.one("clients", row["client_id"])
        return f"{row[name]:f} {company.currency_of(client)}"

    return cell


def _client_name(company: Company, row: Row) -> str:
    client = company.one("clients", row["client_id"])
    return str(client.get("name") or client["number"])


def _emails(_company: Company, client: Row) -> str:
    return ", ".join(contact["email"] for contact in client["contacts"] if contact["email"])


def _state(_company: Company, row: Row) -> str:
    if row.get("is_deleted"):
        return "deleted"
    return "archived" if row.get("archived_at") else "active"


def _invoice_state(company: Company, invoice: Row) -> str:
    return "deleted" if invoice.get("is_deleted") else _STATES[invoice["status_id"]]


def _changed(_company: Company, row: Row) -> str:
    return datetime.fromtimestamp(row["updated_at"], UTC).strftime("%d %b %H:%M")


_CLIENT: dict[str, Cell] = {
    "Name": _text("name"),
    "Id number": _text("id_number"),
    "E-mail": _emails,
    "State": _state,
    "Changed": _changed,
}
_PRODUCT: dict[str, Cell] = {
    "Key": _text("product_key"),
    "Notes": _text("notes"),
    "Price": _text("price"),
    "State": _state,
    "Changed": _changed,
}
_INVOICE: dict[str, Cell] = {
    "Number": _text("number"),
    "Client": _client_name,
    "Status": _invoice_state,
    "Total": _amount("amount"),
    "Due": _amount("balance"),
    "Changed": _changed,
}
_PAYMENT: dict[str, Cell] = {
    "Number": _text("number"),
    "Client": _client_name,
    "Key": _text("idempotency_key"),
    "State": _state,
    "Amount": _amount("amount"),
    "Changed": _changed,
}
_RATE: dict[str, Cell] = {"Name": _text("name"), "Rate": _text("rate"), "State": _state}
_WEBHOOK: dict[str, Cell] = {
    "Event": _text("event_id"),
    "Address": _text("target_url"),
    "State": _state,
    "Changed": _changed,
}


def _no_deeds(_row: Row) -> list[Deed]:
    return []


def _client_deeds(client: Row) -> list[Deed]:
    if client.get("archived_at"):
        return [Deed("Restore", "restore_client", {"client": client["id"]})]
    return [Deed("Archive", "archive_client", {"client": client["id"]})]


def _invoice_deeds(invoice: Row) -> list[Deed]:
    if invoice["status_id"] not in invoices.OPEN or invoice.get("is_deleted"):
        return []
    named = {"invoice": invoice["id"]}
    return [Deed("Pay", "pay_invoice", named), Deed("Cancel", "cancel_invoice", named)]


def _payment_deeds(payment: Row) -> list[Deed]:
    if payment.get("is_deleted"):
        return []
    return [Deed("Delete", "delete_payment", {"payment": payment["id"]})]
