"""What a mail can say: the values that templates name. Texts only, never a model: whoever writes a
template reaches nothing else."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from babel import Locale
from django.utils.translation import gettext as _

from tallystick.billing import documents
from tallystick.billing.banking.references import structured_reference
from tallystick.billing.email_kinds import ASKING, CREDIT_NOTE, PAYMENT_RECEIVED, PAYMENT_REFUNDED
from tallystick.kit import spelling

if TYPE_CHECKING:
    from datetime import date

    from tallystick.billing.emails import Email
    from tallystick.billing.invoices import Invoice

_LONGEST = 2_000
_JOINERS = "\u200c\u200d"  # emoji and several scripts are written with them
Value = str | dict[str, str]


def values_of(email: Email) -> dict[str, Value]:
    """What `email` says, in the active language and the client's customs."""
    return _Values(email).whole()


def details(key: str, values: dict[str, Any]) -> list[tuple[str, str]]:
    """The table of a mail: labels and what they stand for."""
    invoice, rows = values["invoice"], []
    if key == CREDIT_NOTE:
        rows += [(_("Credit note"), values["credit_note"]["number"])]
    rows += [
        (_("Invoice"), invoice["number"] or values["reference_id"]),
        (_("Reference"), values["reference_id"]),
        (_("Your reference"), invoice["reference"]),
    ]
    if key in ASKING:
        rows += [(_("Issued"), invoice["issue_date"]), (_("Due"), values["due_date"])]
    if key == PAYMENT_RECEIVED:
        rows += [
            (_("Received"), values["payment"]["date"]),
            (_("Paid by"), values["payment"]["method"]),
            (_("Still due"), _with_code(invoice["amount_due"], values) if values["is_due"] else ""),
        ]
    if key == PAYMENT_REFUNDED:
        rows += [(_("Reason"), values["refund"]["reason"])]
    if key == CREDIT_NOTE:
        rows += [
            (_("Reason"), values["credit_note"]["reason"]),
            (_("Still due"), _with_code(invoice["amount_due"], values) if values["is_due"] else ""),
        ]
    rows += [(_("For"), _short(values["description"]))]
    return [(label, text) for label, text in rows if text]


def bank_rows(key: str, values: dict[str, Any]) -> list[tuple[str, str]]:
    """How to pay by transfer, in mails that ask for money."""
    bank = values["bank"]
    if key not in ASKING or not bank["iban"] or not values["is_due"]:
        return []
    rows = [
        (_("Account holder"), bank["holder"]),
        (_("Bank"), bank["name"]),
        ("IBAN", bank["iban"]),
        ("BIC", bank["bic"]),
        (_("Reference"), bank["reference"]),
    ]
    return [(label, text) for label, text in rows if text]


def line(text: str) -> str:
    """`text` on one line, without what is not seen, or turns the order of what is."""
    shown = (char if char.isprintable() or char in _JOINERS else " " for char in text[:_LONGEST])
    return " ".join("".join(shown).split())


def header(text: str) -> str:
    """`text` as it may stand in a header: on one line, and nothing in it is taken for encoded."""
    return line(text).replace("=?", "= ?")


class _Values:
    def __init__(self, email: Email) -> None:
        self.email = email
        self.invoice: Invoice = email.invoice
        website, client = self.invoice.website, self.invoice.client
        self.website, self.client = website, client
        self.locale: Locale = spelling.locale_of(client.billing_language, website.country)

    def whole(self) -> dict[str, Value]:
        invoice = self.invoice
        today = self.website.today()
        late = invoice.is_overdue(today)
        days = abs((today - invoice.due_date).days) if invoice.due_date else None
        return {
            "client_name": line(self.client.name),
            "amount": self._amount(self._asked()),
            "currency": invoice.currency,
            "due_date": self._day(invoice.due_date),
            "reference_id": invoice.reference_id,
            "description": line(invoice.description or invoice.title),
            "payment_link": invoice.url,
            "website_name": line(self.website.name),
            "days": "" if days is None else str(days),
            "is_due": "yes" if invoice.amount_due else "",
            "is_overdue": "yes" if late else "",
            "invoice": self._invoice(),
            "payment": self._payment(),
            "refund": self._refund(),
            "credit_note": self._credit_note(),
            "bank": self._bank(),
        }

    def _asked(self) -> Decimal:
        """The amount that the mail is about."""
        email, invoice = self.email, self.invoice
        if email.key == PAYMENT_REFUNDED and email.refund:
            return email.refund.amount
        if email.key == CREDIT_NOTE and email.credit_note:
            return email.credit_note.amount
        if email.payment:
            return email.payment.allocated.amount or email.payment.amount
        return invoice.amount_due if invoice.is_payable else invoice.amount

    def _invoice(self) -> dict[str, str]:
        invoice = self.invoice
        return {
            "number": invoice.number,
            "reference_id": invoice.reference_id,
            "reference": line(invoice.reference),
            "title": line(invoice.title),
            "description": line(invoice.description),
            "amount": self._amount(invoice.amount),
            "amount_due": self._amount(invoice.amount_due),
            "amount_paid": self._amount(invoice.amount_paid),
            "currency": invoice.currency,
            "issue_date": self._day(invoice.issue_date),
            "due_date": self._day(invoice.due_date),
        }

    def _payment(self) -> dict[str, str]:
        payment = self.email.payment
        surplus = payment.surplus if payment else None
        return {
            "amount": self._amount(payment.amount) if payment else "",
            "method": line(documents.method_label(payment)) if payment else "",
            "date": self._day(payment.received_on) if payment else "",
            "reference": line(payment.reference) if payment else "",
            "surplus": self._amount(surplus.amount) if surplus else "",
        }

    def _refund(self) -> dict[str, str]:
        refund = self.email.refund
        return {
            "amount": self._amount(refund.amount) if refund else "",
            "reason": line(refund.reason) if refund else "",
        }

    def _credit_note(self) -> dict[str, str]:
        note = self.email.credit_note
        return {
            "number": note.number if note else "",
            "amount": self._amount(note.amount) if note else "",
            "reason": line(note.reason) if note else "",
        }

    def _bank(self) -> dict[str, str]:
        seller = self.invoice.as_seller()
        iban = seller.get("iban", "")
        return {
            "holder": line(seller["name"]),
            "name": line(seller.get("bank_name", "")),
            "iban": spelling.iban(iban),
            "bic": seller.get("bic", ""),
            "reference": structured_reference(self.invoice) if iban else "",
        }

    def _amount(self, value: Decimal) -> str:
        return spelling.amount(value, self.invoice.currency, self.locale)

    def _day(self, value: date | None) -> str:
        return spelling.day(value, self.locale) if value else ""


def _with_code(amount: str, values: dict[str, Any]) -> str:
    return f"{amount} {values['currency']}"


def _short(text: str) -> str:
    longest = 300
    return text if len(text) <= longest else text[: longest - 1] + "…"
