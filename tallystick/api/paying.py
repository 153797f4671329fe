"""Paying: the same for who is signed in and for who holds a link."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallystick.accounts.standing import Person
from tallystick.api import shapes
from tallystick.billing import payments
from tallystick.billing.invoices import Invoice
from tallystick.kit.money import Money

Asked = Mapping[str, Any]


def pay(invoice: Invoice, asked: Asked, *, by: Person, key: str, link: str = "") -> dict[str, Any]:
    """Pay as asked, by the payment link with the token `link` if by one; what came of it."""
    money = _money(invoice, asked)
    payment = payments.pay(invoice, money, method=asked["method"], by=by, key=key, link=link)
    invoice.refresh_from_db()
    row = shapes.row_of(payment, shapes.PAYMENT)
    status = invoice.status
    return {
        "state": status if status in ("paid", "partially_paid") else "open",
        "payment": shapes.payment(row, invoice.client),
        "amount_due": shapes.figure(invoice.amount_due, invoice.currency),
        "currency": invoice.currency,
        "redirect_url": None,
    }


def _money(invoice: Invoice, asked: Asked) -> Money | None:
    """None is all that is due, whatever that is once the invoice is locked."""
    currency = asked.get("currency", invoice.currency)
    if "amount" in asked:
        return Money.parse(asked["amount"], currency)
    if currency != invoice.currency:
        raise payments.WrongCurrency(f"The invoice is in {invoice.currency}, not in {currency}.")
    return None
