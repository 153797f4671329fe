"""Made-up mails, to try a website's words with and to show them: each case that there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tallystick.billing.email_kinds import ASKING, PAYMENT_RECEIVED, PAYMENT_REFUNDED

_NUMBER, _REFERENCE = "INV-2026-0042", "7KQ2M9XVB3HD"


def sample(website_name: str = "Northwind Studio", **changes: Any) -> dict[str, Any]:
    """The values of a mail about an invoice of 5,255.73 EUR."""
    return {
        "client_name": "İsmail Şahin",
        "amount": "5,255.73",
        "currency": "EUR",
        "due_date": "28 March 2026",
        "reference_id": _REFERENCE,
        "description": "Annual maintenance & care",
        "payment_link": f"https://billing.example.org/pay/invoice/INV-{_REFERENCE}-sample/",
        "website_name": website_name,
        "days": "3",
        "is_due": "yes",
        "is_overdue": "",
        "invoice": {
            "number": _NUMBER,
            "reference_id": _REFERENCE,
            "reference": "PO-1187",
            "title": "Annual maintenance",
            "description": "Annual maintenance & care",
            "amount": "5,255.73",
            "amount_due": "5,255.73",
            "amount_paid": "0.00",
            "currency": "EUR",
            "issue_date": "14 March 2026",
            "due_date": "28 March 2026",
        },
        "payment": {
            "amount": "5,255.73",
            "method": "Bank transfer",
            "date": "20 March 2026",
            "reference": "TR-553",
            "surplus": "",
        },
        "refund": {"amount": "5,255.73", "reason": "Ordered twice"},
        "credit_note": {
            "number": "CN-2026-0007",
            "amount": "5,255.73",
            "reason": "Agreed discount",
        },
        "bank": {
            "holder": "Northwind Studio Ltd",
            "name": "Harbour Bank",
            "iban": "GB33 BUKB 2020 1555 5555 55",
            "bic": "BUKBGB22",
            "reference": f"RF18{_REFERENCE}",
        },
        **changes,
    }


def names() -> frozenset[str]:
    """All that words may name: `amount`, `invoice.number`."""
    flat = set()
    for name, value in sample().items():
        flat |= {f"{name}.{part}" for part in value} if isinstance(value, dict) else {name}
    return frozenset(flat)


def cases(key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each case that a mail of this kind may meet, named as in "nothing is left of it for ..."."""
    bare = _bare(key)
    yield "an open invoice", bare
    yield "an overdue invoice", {**bare, "is_overdue": "yes"}
    yield "a paid invoice", {**bare, "is_due": "", "amount": "0.00"}
    yield "an invoice without a due date", _without_due_date(bare)
    yield "an invoice without a description", {**bare, "description": ""}
    yield "a website without a bank account", {**bare, "bank": dict.fromkeys(bare["bank"], "")}


def _bare(key: str) -> dict[str, Any]:
    """Without what mails of this kind do not know of."""
    values = sample()
    for name, kinds in (
        ("payment", (PAYMENT_RECEIVED, PAYMENT_REFUNDED)),
        ("refund", (PAYMENT_REFUNDED,)),
        ("credit_note", ("payment.credit_note",)),
    ):
        if key not in kinds:
            values[name] = dict.fromkeys(values[name], "")
    if key not in ASKING:
        values["days"] = ""
    return values


def _without_due_date(values: dict[str, Any]) -> dict[str, Any]:
    invoice = {**values["invoice"], "due_date": ""}
    return {**values, "due_date": "", "days": "", "invoice": invoice}
