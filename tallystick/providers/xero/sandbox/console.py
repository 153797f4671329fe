"""What the console shows of Xero."""

from __future__ import annotations

from collections.abc import Callable

from tallystick.ports.sandboxing import Deed, Table
from tallystick.providers.xero.sandbox.answers import Element
from tallystick.providers.xero.sandbox.apps import App
from tallystick.providers.xero.sandbox.books import Books
from tallystick.providers.xero.sandbox.control import Control
from tallystick.providers.xero.sandbox.store import Shelf

_ROWS = 25


def tables(stand: Control) -> list[Table]:
    found: list[Table] = []
    for app in stand.apps.values():
        found += [table for table in _books(app.books) if table.total]
    return [*found, *(_sheet(stand, app) for app in stand.apps.values())]


def _sheet(stand: Control, app: App) -> Table:
    """What is needed to connect to an organisation."""
    books = app.books
    rows = [
        ("API", f"{stand.public_url}/api.xro/2.0"),
        ("Tokens", f"{stand.public_url}/identity/connect/token"),
        ("Client id", app.client_id),
        ("Client secret", app.client_secret),
        ("Tenant id", books.id),
        ("Base currency", books.base_currency),
        ("Webhook key", app.webhooks.key),
        ("Webhook address", app.webhooks.url or "none"),
        ("Webhook state", str(app.webhooks.health)),
    ]
    return Table(books.name, ("Setting", "Value"), rows, len(rows), is_sheet=True)


def _books(books: Books) -> list[Table]:
    def named(invoice: Element) -> str:
        contact = books.contacts.get(invoice["Contact"]["ContactID"]) or {}
        return str(contact.get("Name", ""))

    def numbered(payment: Element) -> str:
        invoice = books.invoices.get(payment["Invoice"]["InvoiceID"]) or {}
        return str(invoice.get("InvoiceNumber", ""))

    return [
        _table(
            books,
            "Invoices",
            books.invoices,
            {
                "Number": lambda e: e["InvoiceNumber"],
                "Contact": named,
                "Status": lambda e: e["Status"].lower(),
                "Total": lambda e: f"{e['Total']:f} {e['CurrencyCode']}",
                "Due": lambda e: f"{e['AmountDue']:f} {e['CurrencyCode']}",
                "Changed": _changed,
            },
            _invoice_deeds,
        ),
        _table(
            books,
            "Payments",
            books.payments,
            {
                "Reference": lambda e: e["Reference"],
                "Invoice": numbered,
                "Status": lambda e: e["Status"].lower(),
                "Date": lambda e: e["Date"].isoformat(),
                "Amount": lambda e: f"{e['Amount']:f}",
                "Changed": _changed,
            },
            _payment_deeds,
        ),
        _table(
            books,
            "Contacts",
            books.contacts,
            {
                "Name": lambda e: e["Name"],
                "Number": lambda e: e.get("ContactNumber", ""),
                "E-mail": lambda e: e["EmailAddress"],
                "Status": lambda e: e["ContactStatus"].lower(),
                "Changed": _changed,
            },
        ),
        _table(
            books,
            "Items",
            books.items,
            {
                "Code": lambda e: e["Code"],
                "Name": lambda e: e["Name"],
                "Price": lambda e: f"{e['SalesDetails'].get('UnitPrice', '')}",
                "Changed": _changed,
            },
        ),
    ]


def _table(
    books: Books,
    title: str,
    shelf: Shelf,
    columns: dict[str, Callable[[Element], str]],
    deeds: Callable[[Books, Element], list[Deed]] | None = None,
) -> Table:
    newest = shelf.newest(_ROWS)
    return Table(
        f"{title} of {books.name}",
        list(columns),
        [[cell(element) for cell in columns.values()] for element in newest],
        len(shelf),
        [deeds(books, element) for element in newest] if deeds else (),
    )


def _changed(element: Element) -> str:
    return str(element["UpdatedDateUTC"].strftime("%d %b %H:%M"))


def _invoice_deeds(books: Books, invoice: Element) -> list[Deed]:
    named = {"invoice": invoice["InvoiceID"], "organisation": books.id}
    if invoice["Status"] != "AUTHORISED":
        return []
    deeds = [Deed("Pay", "pay_invoice", named)]
    if not invoice["AmountPaid"]:
        deeds.append(Deed("Void", "void_invoice", named))
    return deeds


def _payment_deeds(books: Books, payment: Element) -> list[Deed]:
    if payment["Status"] != "AUTHORISED":
        return []
    named = {"payment": payment["PaymentID"], "organisation": books.id}
    return [Deed("Delete", "delete_payment", named)]
