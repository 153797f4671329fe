"""Invoices: one number each, of one client for ever, their totals worked out here."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any

from tallystick.kit import signing
from tallystick.providers.invoiceninja.sandbox import clients
from tallystick.providers.invoiceninja.sandbox.answers import Row
from tallystick.providers.invoiceninja.sandbox.company import Change, Company
from tallystick.providers.invoiceninja.sandbox.company import shown as whole
from tallystick.providers.invoiceninja.sandbox.reading import Form
from tallystick.providers.invoiceninja.sandbox.totals import SURCHARGES, totals

_CUSTOM = {f"custom_value{n}": 191 for n in (1, 2, 3, 4)}
_TAX_NAMES = {f"tax_name{n}": 191 for n in (1, 2, 3)}
_TAX_RATES = ("tax_rate1", "tax_rate2", "tax_rate3")
_LENGTHS: dict[str, int | None] = {
    "number": 191,
    "po_number": 191,
    "terms": None,
    "footer": None,
    "public_notes": None,
    "private_notes": None,
    "assigned_user_id": None,
    "project_id": None,
    "vendor_id": None,
    "design_id": None,
    "subscription_id": None,
    "location_id": None,
    **_CUSTOM,
    **_TAX_NAMES,
}
_DAYS = ("date", "due_date", "partial_due_date")
_NUMBERS = ("discount", "partial", "exchange_rate", *_TAX_RATES, *SURCHARGES)
_FLAGS = (
    "is_amount_discount",
    "uses_inclusive_taxes",
    *(f"custom_surcharge_tax{n}" for n in (1, 2, 3, 4)),
)
_LINE_TEXTS: dict[str, int | None] = {
    "product_key": None,
    "notes": None,
    "type_id": None,
    "tax_id": None,
    **_CUSTOM,
    **_TAX_NAMES,
}
_LINE_NUMBERS = ("quantity", "cost", "product_cost", "discount", *_TAX_RATES)
_LINE: Row = {
    **dict.fromkeys(_LINE_TEXTS, ""),
    **dict.fromkeys(_LINE_NUMBERS, Decimal(0)),
    "quantity": Decimal(1),
    "is_amount_discount": False,
    "type_id": "1",
    "tax_id": "1",
    "sort_id": "0",
}
_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(_LENGTHS, ""),
    **dict.fromkeys(_DAYS, ""),
    **dict.fromkeys(_NUMBERS, Decimal(0)),
    **dict.fromkeys(_FLAGS, False),
    "exchange_rate": Decimal(1),
    "last_sent_date": "",
    "next_send_date": "",
    "last_viewed": 0,
    "auto_bill_enabled": False,
    "auto_bill_tries": 0,
}


class Status(StrEnum):
    DRAFT = "1"
    SENT = "2"
    PARTIAL = "3"
    PAID = "4"
    CANCELLED = "5"
    REVERSED = "6"


OPEN = frozenset({Status.SENT, Status.PARTIAL})


def create(company: Company, given: Row) -> Row:
    form = _read(company, given, None)
    form.required("client_id")
    if form.given.get("client_id"):
        _check_client(company, form, None)
    fields = form.done()
    fields["number"] = fields.get("number") or company.next_number("invoices")
    fields.setdefault("date", company.today().isoformat())
    invoice = {
        **_DEFAULTS,
        "line_items": [],
        **fields,
        "client_id": given["client_id"],
        "status_id": Status.DRAFT,
        "paid_to_date": Decimal(0),
        "balance": Decimal(0),
        "invitations": [],
    }
    return company.add("invoices", _counted(company, invoice), made=fields["number"])


def change(company: Company, invoice: Row, given: Row) -> Row:
    form = _read(company, given, invoice)
    if "client_id" in given:
        _check_client(company, form, invoice)
    fields = form.done()
    if not fields.get("number"):
        fields.pop("number", None)
    return settled(company, _counted(company, {**invoice, **fields}))


def mark_sent(company: Company, invoice: Row) -> Row:
    """Only now it is owed: a draft has no balance."""
    if invoice["status_id"] != Status.DRAFT:
        return invoice
    sent = {**invoice, "status_id": Status.SENT, "last_sent_date": company.today().isoformat()}
    sent = {**sent, "invitations": _invited(company, invoice)}
    return settled(company, sent)


def email(company: Company, invoice: Row) -> Row:
    sent = mark_sent(company, invoice)
    company.changes.append(Change("invoices", sent["id"], "sent"))
    return sent


def cancel(company: Company, invoice: Row) -> Row:
    """What cannot be cancelled stays as it is, without a word."""
    if invoice["status_id"] not in OPEN or invoice.get("is_deleted"):
        return invoice
    clients.owe(company, invoice["client_id"], balance=-invoice["balance"])
    ended = {**invoice, "status_id": Status.CANCELLED, "balance": Decimal(0)}
    return company.keep("invoices", ended)


def pay(company: Company, invoice: Row, amount: Decimal) -> Row:
    """Apply money to it; less than nothing takes some back."""
    invoice = mark_sent(company, invoice)
    return settled(company, {**invoice, "paid_to_date": invoice["paid_to_date"] + amount})


def settled(company: Company, invoice: Row) -> Row:
    """Keep it with the balance and the state that follow from amount and payments."""
    before = company.one("invoices", invoice["id"])["balance"]
    status, balance = invoice["status_id"], Decimal(0)
    if status in OPEN | {Status.PAID}:
        balance = invoice["amount"] - invoice["paid_to_date"]
        status = Status.PARTIAL if invoice["paid_to_date"] else Status.SENT
        status = status if balance > 0 or not invoice["paid_to_date"] else Status.PAID
    clients.owe(company, invoice["client_id"], balance=balance - before)
    return company.keep("invoices", {**invoice, "status_id": status, "balance": balance})


def shown(company: Company, invoice: Row, public_url: str) -> Row:
    invitations = [
        {**invitation, "link": f"{public_url}/client/invoice/{invitation['key']}"}
        for invitation in invoice["invitations"]
    ]
    return {
        **whole(invoice, {}),
        "user_id": company.user_id,
        "invitations": invitations,
        "documents": [],
    }


def is_overdue(company: Company, invoice: Row) -> bool:
    due = invoice["due_date"]
    return invoice["status_id"] in OPEN and bool(due) and due < company.today().isoformat()


def _read(company: Company, given: Row, invoice: Row | None) -> Form:
    form = Form(given)
    form.texts(_LENGTHS)
    form.days(_DAYS)
    form.numbers(_NUMBERS)
    form.flags(_FLAGS)
    number = form.fields.get("number")
    if company.is_taken("invoices", "number", number, by_other_than=invoice):
        form.refuse("number", "The number has already been taken.")
    parts = form.parts("line_items")
    if parts is not None:
        form.fields["line_items"] = [_line(form, part, n) for n, part in enumerate(parts)]
    last, first = form.fields.get("due_date"), form.fields.get("partial_due_date")
    if first and last and first >= last:
        form.refuse("partial_due_date", "The partial due date must be a date before due date.")
    return form


def _line(form: Form, part: Form, place: int) -> Row:
    part.texts(_LINE_TEXTS)
    part.numbers(_LINE_NUMBERS)
    part.flags(("is_amount_discount",))
    form.adopt(part, f"line_items.{place}")
    return {**_LINE, **part.fields}


def _check_client(company: Company, form: Form, invoice: Row | None) -> None:
    named = form.given["client_id"]
    is_known = company.shelves["clients"].get(named) is not None
    if not is_known or (invoice is not None and named != invoice["client_id"]):
        form.refuse("client_id", "The selected client id is invalid.")


def _counted(company: Company, invoice: Row) -> Row:
    client = company.one("clients", invoice["client_id"])
    found = totals(invoice, company.digits_of(client))
    counted = {
        **invoice,
        "line_items": found.lines,
        "amount": found.amount,
        "total_taxes": found.taxes,
    }
    return {**counted, "invitations": _invited(company, counted)}


def _invited(company: Company, invoice: Row) -> list[Row]:
    """One invitation for each contact that gets e-mails; those there are stay."""
    held = {invitation["client_contact_id"]: invitation for invitation in invoice["invitations"]}
    client = company.one("clients", invoice["client_id"])
    now = int(company.now().timestamp())
    return [
        held.get(contact["id"]) or _invitation(company, contact["id"], now)
        for contact in client["contacts"]
        if contact["send_email"]
    ]


def _invitation(company: Company, contact_id: str, now: int) -> Row:
    identity = company.next_part()
    return {
        "id": identity,
        "client_contact_id": contact_id,
        "key": signing.digest(f"invoiceninja:invitation:{identity}")[:32],
        "sent_date": "",
        "viewed_date": "",
        "opened_date": "",
        "email_status": "",
        "email_error": "",
        "can_sign": False,
        "created_at": now,
        "updated_at": now,
        "archived_at": 0,
    }
