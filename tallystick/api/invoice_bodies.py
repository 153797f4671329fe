"""What the API says of one invoice, whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from tallystick.api import shapes
from tallystick.api.callers import Caller
from tallystick.api.problems import Problem
from tallystick.billing import paylinks
from tallystick.billing.invoices import Invoice
from tallystick.billing.lines import InvoiceLine

_WITH = ("website", "client__user", "client__organisation", "client__website")


def find(caller: Caller, uid: UUID) -> Invoice:
    """The invoice, when the caller may see it. Raises `Problem`."""
    found = caller.rows(Invoice.objects).filter(uid=uid).select_related(*_WITH).first()
    if found is None:
        raise Problem("not_found")
    return found


def find_to_change(caller: Caller, uid: UUID) -> Invoice:
    """The same, for those who administer its website."""
    found = find(caller, uid)
    caller.need_admin(found.website_id)
    return found


def lines_of(invoice: Invoice) -> Sequence[InvoiceLine]:
    return list(invoice.lines.select_related("product", "tax_rate"))


def whole(invoice: Invoice) -> dict[str, Any]:
    lines = lines_of(invoice)
    currency = invoice.currency
    return {
        **shapes.invoice(shapes.row_of(invoice, shapes.INVOICE), invoice.client),
        "description": invoice.description,
        "reason": invoice.reason,
        "seller": invoice.as_seller(),
        "buyer": invoice.as_buyer(),
        "lines": [shapes.line(line, currency) for line in lines],
        "taxes": shapes.taxes(invoice.breakdown(), currency),
        "payments": _payments(invoice),
        "credit_notes": [
            {"id": note.uid, "number": note.number, "amount": shapes.figure(note.amount, currency)}
            for note in invoice.credit_notes.order_by("pk")
        ],
        "payment_link": None if invoice.is_draft else link(invoice),
    }


def link(invoice: Invoice) -> dict[str, Any]:
    return {
        "url": invoice.url,
        "state": paylinks.state(invoice).value,
        "expires_at": invoice.token_expires_at,
        "one_use": invoice.link_one_use,
    }


def _payments(invoice: Invoice) -> list[dict[str, Any]]:
    return [
        {
            "payment": row.payment.uid,
            "method": row.payment.method,
            "amount": shapes.figure(row.amount, invoice.currency),
            "created_at": row.created_at,
        }
        for row in invoice.allocations.select_related("payment")
    ]
