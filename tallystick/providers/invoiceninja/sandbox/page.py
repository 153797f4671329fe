"""The page of an invoice in the client portal, where a person pays it."""

from __future__ import annotations

from html import escape
from http import HTTPStatus

from tallystick.ports.sandboxing import Answer
from tallystick.providers.invoiceninja.sandbox import clients
from tallystick.providers.invoiceninja.sandbox.answers import Row
from tallystick.providers.invoiceninja.sandbox.company import Company

ROOT = "/client/invoice/"

_HTML = {"content-type": "text/html; charset=utf-8"}


def find(company: Company, key: str) -> Row | None:
    """The invoice that an invitation is for."""
    return next(iter(company.shelves["invoices"].find("invitation", key)), None)


def shown(company: Company, invoice: Row) -> Answer:
    client = company.one("clients", invoice["client_id"])
    currency = company.currency_of(client)
    due = invoice["balance"]
    lines = "".join(
        f"<tr><td>{escape(line['notes'] or line['product_key'])}</td>"
        f"<td>{line['line_total']} {currency}</td></tr>"
        for line in invoice["line_items"]
    )
    text = _PAGE.format(
        number=escape(invoice["number"]),
        seller=escape(company.name),
        buyer=escape(clients.shown(company, client, "")["display_name"]),
        due=f"{due} {currency}",
        total=f"{invoice['amount']} {currency}",
        lines=lines,
        pay='<form method="post"><button>Pay now</button></form>' if due > 0 else "<p>Paid.</p>",
    )
    return Answer(HTTPStatus.OK, _HTML, text.encode())


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Invoice {number}</title></head><body>
<p>{seller}, a page of the Invoice Ninja sandbox</p>
<h1>Invoice {number}</h1>
<p>{due} due of {total}, to {buyer}</p>
<table>{lines}</table>
{pay}
</body></html>
"""
