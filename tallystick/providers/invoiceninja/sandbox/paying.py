"""What may be done to an invoice on the way of saving it: sent, paid, cancelled."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from tallystick.providers.invoiceninja.sandbox import clients, invoices, payments
from tallystick.providers.invoiceninja.sandbox.answers import Row
from tallystick.providers.invoiceninja.sandbox.company import Company
from tallystick.providers.invoiceninja.sandbox.reading import is_on


def create_invoice(company: Company, given: Row, query: Mapping[str, str]) -> Row:
    return _moved(company, invoices.create(company, given), query)


def change_invoice(company: Company, invoice: Row, given: Row, query: Mapping[str, str]) -> Row:
    return _moved(company, invoices.change(company, invoice, given), query)


def mark_paid(company: Company, invoice: Row) -> Row:
    """A payment over all that is due."""
    sent = invoices.mark_sent(company, invoice)
    return _paid(company, sent, sent["balance"])


def delete_invoice(company: Company, invoice: Row) -> Row:
    """It is owed no more."""
    if not invoice.get("is_deleted"):
        clients.owe(company, invoice["client_id"], balance=-invoice["balance"])
    return company.delete("invoices", invoice)


def restore_invoice(company: Company, invoice: Row) -> Row:
    if invoice.get("is_deleted"):
        clients.owe(company, invoice["client_id"], balance=invoice["balance"])
    return company.restore("invoices", invoice)


def _moved(company: Company, invoice: Row, query: Mapping[str, str]) -> Row:
    if is_on(query, "mark_sent"):
        invoice = invoices.mark_sent(company, invoice)
    if is_on(query, "paid"):
        invoice = mark_paid(company, invoice)
    elif query.get("amount_paid", "").replace(".", "", 1).isdecimal():
        sent = invoices.mark_sent(company, invoice)
        invoice = _paid(company, sent, min(Decimal(query["amount_paid"]), sent["balance"]))
    if is_on(query, "send_email"):
        invoice = invoices.email(company, invoice)
    if is_on(query, "cancel"):
        invoice = invoices.cancel(company, invoice)
    return invoice


def _paid(company: Company, invoice: Row, amount: Decimal) -> Row:
    if amount > 0:
        payments.enter(company, invoice["client_id"], {invoice["id"]: amount})
    return company.one("invoices", invoice["id"])
