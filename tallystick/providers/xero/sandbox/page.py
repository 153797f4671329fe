"""The page of an online invoice: looked at by the customer, marked paid by a person who tests."""

from __future__ import annotations

from html import escape
from http import HTTPStatus
from uuid import NAMESPACE_URL, uuid5

from tallystick.kit.money import round_to
from tallystick.ports.sandboxing import Answer
from tallystick.providers.xero.sandbox.answers import JSON, NIL, Element, Invalid, dump
from tallystick.providers.xero.sandbox.books import Books

_APPROVED = {"AUTHORISED", "PAID"}


def address(public_url: str, books: Books, invoice: Element) -> Answer:
    """The answer of `GET /Invoices/{id}/OnlineInvoice`: only an approved one has a page."""
    if invoice["Status"] not in _APPROVED:
        raise Invalid("The online invoice is only available for an approved sales invoice")
    url = f"{public_url}/in/{_slug(books, invoice)}"
    return Answer(
        HTTPStatus.OK,
        JSON,
        dump({"Id": NIL, "Status": "OK", "OnlineInvoices": [{"OnlineInvoiceUrl": url}]}),
    )


def send(books: Books, invoice: Element) -> None:
    """E-mail it to its contact."""
    contact = books.contacts.get(invoice["Contact"]["ContactID"]) or {}
    if invoice["Status"] not in _APPROVED:
        raise Invalid("The invoice must be approved to be emailed")
    if not contact.get("EmailAddress"):
        raise Invalid("The contact does not have an email address")
    books.keep(books.invoices, {**invoice, "SentToContact": True}, category="INVOICE")


def find(books: Books, slug: str) -> Element | None:
    identity = books.slugs.get(slug)
    return books.invoices.get(identity) if identity else None


def shown(books: Books, invoice: Element, *, complaint: str = "") -> Answer:
    contact = books.contacts.get(invoice["Contact"]["ContactID"]) or {}
    currency = escape(invoice["CurrencyCode"])
    rows = "".join(
        f"<tr><td>{escape(line['Description'])}</td><td>{line['Quantity'].normalize():f}</td>"
        f"<td>{round_to(line['LineAmount'], 2):f}</td></tr>"
        for line in invoice["LineItems"]
    )
    is_open = invoice["Status"] == "AUTHORISED"
    pay = '<form method="post"><button>Mark as paid</button></form>' if is_open else ""
    html = _PAGE.format(
        number=escape(invoice["InvoiceNumber"]),
        seller=escape(books.name),
        buyer=escape(str(contact.get("Name", ""))),
        status=escape(invoice["Status"].lower()),
        due=f"{invoice['AmountDue']:f} {currency}",
        total=f"{invoice['Total']:f} {currency}",
        rows=rows,
        pay=pay,
        complaint=f"<p role=alert>{escape(complaint)}</p>" if complaint else "",
    )
    headers = {"content-type": "text/html; charset=utf-8", "cache-control": "no-store"}
    return Answer(HTTPStatus.OK, headers, html.encode())


def _slug(books: Books, invoice: Element) -> str:
    slug = uuid5(NAMESPACE_URL, f"xero:online:{invoice['InvoiceID']}").hex
    books.slugs[slug] = invoice["InvoiceID"]
    return slug


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Invoice {number}</title>
<style>
:root {{ color-scheme: light dark; --ink: light-dark(#1c1b18, #e8e6e1);
  --paper: light-dark(#fbfaf7, #10151c); --line: light-dark(#dedad1, #2a323d);
  --accent: light-dark(#17603f, #5cc194); --quiet: light-dark(#6b675e, #98a0ab); }}
body {{ margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums; }}
main {{ max-width: 40rem; margin: 4rem auto; padding: 0 1.5rem; }}
.quiet {{ color: var(--quiet); }} .amount {{ font-size: 2.5rem; margin: 0; }}
table {{ width: 100%; border-collapse: collapse; margin: 2rem 0; }}
td {{ padding: .5rem 0; border-top: 1px solid var(--line); }}
td + td {{ text-align: right; }}
button {{ font: inherit; padding: .6rem 1.2rem; border: 0; border-radius: 6px;
  background: var(--accent); color: var(--paper); cursor: pointer; }}
</style></head><body><main>
<p class="quiet">{seller} &middot; a page of the Xero sandbox</p>
<h1>Invoice {number}</h1>
<p class="amount">{due}</p>
<p class="quiet">due of {total} &middot; {status} &middot; to {buyer}</p>
{complaint}
<table>{rows}</table>
{pay}
</main></body></html>
"""
