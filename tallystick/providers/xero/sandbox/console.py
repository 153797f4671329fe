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
    return [
        _table(books, "Invoices", books.invoices, _INVOICE, _invoice_deeds),
        _table(books, "Payments", books.payments, _PAYMENT, _payment_deeds),
        _table(books, "Contacts", books.contacts, _CONTACT, _no_deeds),
        _table(books, "Items", books.items, _ITEM, _no_deeds),
    ]


def _table(
    books: Books,
    title: str,
    shelf: Shelf,
    columns: dict[str, Callable[[Books, Element], str]],
    deeds: Callable[[Books, Element], list[Deed]],
) -> Table:
    newest = shelf.newest(_ROWS)
    return Table(
        f"{title} of {books.name}",
        list(columns),
        [[cell(books, element) for cell in columns.values()] for element in newest],
        len(shelf),
        [deeds(books, element) for element in newest],
    )


def _text(name: str) -> Callable[[Books, Element], str]:
    return lambda _books, element: str(element.get(name, ""))


def _word(name: str) -> Callable[[Books, Element], str]:
    return lambda _books, element: str(element[name]).lower()


def _amount(name: str) -> Callable[[Books, Element], str]:
    return lambda _books, element: f"{element[name]:f} {element['CurrencyCode']}"


def _changed(_books: Books, element: Element) -> str:
    return str(element["UpdatedDateUTC"].strftime("%d %b %H:%M"))


def _contact_name(books: Books, invoice: Element) -> str:
    contact = books.contacts.get(invoice["Contact"]["ContactID"]) or {}
    return str(contact.get("Name", ""))


def _invoice_number(books: Books, payment: Element) -> str:
    invoice = books.invoices.get(payment["Invoice"]["InvoiceID"]) or {}
    return str(invoice.get("InvoiceNumber", ""))


_INVOICE = {
    "Number": _text("InvoiceNumber"),
    "Contact": _contact_name,
    "Status": _word("Status"),
    "Total": _amount("Total"),
    "Due": _amount("AmountDue"),
    "Changed": _changed,
}
_PAYMENT = {
    "Reference": _text("Reference"),
    "Invoice": _invoice_number,
    "Status": _word("Status"),
    "Date": _text("Date"),
    "Amount": _text("Amount"),
    "Changed": _changed,
}
_CONTACT = {
    "Name": _text("Name"),
    "Number": _text("ContactNumber"),
    "E-mail": _text("EmailAddress"),
    "Status": _word("ContactStatus"),
    "Changed": _changed,
}
_ITEM = {
    "Code": _text("Code"),
    "Name": _text("Name"),
    "Price": lambda _books, item: str(item["SalesDetails"].get("UnitPrice", "")),
    "Changed": _changed,
}


def _no_deeds(_books: Books, _element: Element) -> list[Deed]:
    return []


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
