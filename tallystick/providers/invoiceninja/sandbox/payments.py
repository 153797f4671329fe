"""Payments: applied to invoices of one client; a repeated idempotency key is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from tallystick.providers.invoiceninja.sandbox import clients, invoices
from tallystick.providers.invoiceninja.sandbox.answers import Row
from tallystick.providers.invoiceninja.sandbox.company import Company
from tallystick.providers.invoiceninja.sandbox.company import shown as whole
from tallystick.providers.invoiceninja.sandbox.reading import Form

_LENGTHS: dict[str, int | None] = {
    "number": 191,
    "transaction_reference": None,
    "private_notes": None,
    "type_id": None,
    "assigned_user_id": None,
    "category_id": None,
    "client_contact_id": None,
    **{f"custom_value{n}": 191 for n in (1, 2, 3, 4)},
}
_LONGEST_KEY = 64
_PLACES = 2
_TYPES = frozenset(str(number) for number in range(1, 34))
_APPLIED = (("invoices", "invoice_id"), ("credits", "credit_id"))
_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(_LENGTHS, ""),
    "type_id": "1",
    "refunded": Decimal(0),
    "exchange_rate": Decimal(1),
    "exchange_currency_id": "",
    "idempotency_key": "",
    "company_gateway_id": "",
    "invitation_id": "",
    "is_manual": True,
}
COMPLETED = "4"


def create(company: Company, given: Row) -> Row:
    form = _read(company, given, None)
    form.required("client_id")
    _check_key(company, form)
    applied = _applied(company, form)
    form.numbers(("amount",), places=_PLACES)
    wanted = _sum(applied["invoices"]) - _sum(applied["credits"])
    amount = form.fields.get("amount") or wanted
    if amount < wanted:
        form.refuse("amount", "The amount is less than what is applied to invoices.")
    fields = {**form.done(), "client_id": given["client_id"], "amount": amount}
    company.twins.check(("payment", given["client_id"], amount), company.now())
    return _entered(company, fields, applied)


def enter(company: Company, client_id: str, applied: Mapping[str, Decimal]) -> Row:
    """One that comes of something else: of so much of each invoice."""
    parts = [{"invoice_id": identity, "amount": amount} for identity, amount in applied.items()]
    fields = {"client_id": client_id, "amount": _sum(parts)}
    return _entered(company, fields, {"invoices": parts, "credits": []})


def change(company: Company, payment: Row, given: Row) -> Row:
    """Amount, client and what it is applied to stay."""
    fields = _read(company, given, payment).done()
    if not fields.get("number"):
        fields.pop("number", None)
    return company.keep("payments", {**payment, **fields})


def delete(company: Company, payment: Row) -> Row:
    if payment.get("is_deleted"):
        return payment
    _apply(company, payment, -1)
    return company.delete("payments", payment)


def restore(company: Company, payment: Row) -> Row:
    if payment.get("is_deleted"):
        _apply(company, payment, 1)
    return company.restore("payments", payment)


def shown(company: Company, payment: Row, public_url: str) -> Row:
    del public_url
    return {**whole(payment, {}), "user_id": company.user_id, "documents": []}


def _entered(company: Company, fields: Row, applied: Mapping[str, list[Row]]) -> Row:
    number = fields.get("number") or company.next_number("payments")
    payment = {
        **_DEFAULTS,
        "date": company.today().isoformat(),
        **fields,
        "number": number,
        "applied": _sum(applied["invoices"]) - _sum(applied["credits"]),
        "status_id": COMPLETED,
        "paymentables": _paymentables(company, applied),
    }
    kept = company.add("payments", payment, made=payment["idempotency_key"] or number)
    _apply(company, kept, 1)
    return kept


def _sum(parts: Iterable[Row]) -> Decimal:
    return sum((part["amount"] for part in parts), Decimal(0))


def _read(company: Company, given: Row, payment: Row | None) -> Form:
    form = Form(given)
    form.texts(_LENGTHS)
    form.choice("type_id", _TYPES)
    form.days(("date",))
    form.flags(("is_manual",))
    number = form.fields.get("number")
    if company.is_taken("payments", "number", number, by_other_than=payment):
        form.refuse("number", "The number has already been taken.")
    client_id = given.get("client_id")
    fixed = (payment or {"client_id": client_id})["client_id"]
    is_known = company.shelves["clients"].get(client_id) is not None
    if client_id and (not is_known or client_id != fixed):
        form.refuse("client_id", "The selected client id is invalid.")
    return form


def _check_key(company: Company, form: Form) -> None:
    form.texts({"idempotency_key": None})
    key = form.fields.get("idempotency_key", "")
    if len(key) > _LONGEST_KEY:
        form.refuse("idempotency_key", "The idempotency key must not be greater than 64.")
    if company.is_taken("payments", "idempotency_key", key, by_other_than=None):
        form.refuse("idempotency_key", "The idempotency key has already been taken.")


def _applied(company: Company, form: Form) -> dict[str, list[Row]]:
    """What the money goes to, and the credits that help; what is wrong goes to `form`."""
    found: dict[str, list[Row]] = {"invoices": [], "credits": []}
    for kind, name in _APPLIED:
        for place, part in enumerate(form.parts(kind) or []):
            part.numbers(("amount",), places=_PLACES)
            identity = part.given.get(name)
            if complaint := _complaint(company, kind, part, form.given.get("client_id")):
                part.refuse(name, complaint)
            if any(identity == other[name] for other in found[kind]):
                part.refuse(name, f"The {kind}.{place}.{name} field has a duplicate value.")
            found[kind].append({name: identity, "amount": part.fields.get("amount", Decimal(0))})
            form.adopt(part, f"{kind}.{place}")
    return found


def _complaint(company: Company, kind: str, part: Form, client_id: object) -> str:
    """What is wrong with one invoice or credit that is named."""
    name = dict(_APPLIED)[kind]
    row = company.shelves[kind].get(part.given.get(name))
    if row is None or row.get("is_deleted") or row["client_id"] != client_id:
        return f"The selected {kind} are not of this client."
    is_draft = row["status_id"] == invoices.Status.DRAFT
    owed = row["amount"] if is_draft else row["balance"]
    if part.fields.get("amount", Decimal(0)) > owed:
        return "The amount is greater than the invoice balance, you cannot overpay an invoice."
    return ""


def _paymentables(company: Company, applied: Mapping[str, list[Row]]) -> list[Row]:
    now = int(company.now().timestamp())
    return [
        {
            "id": company.next_part(),
            "invoice_id": "",
            "credit_id": "",
            **part,
            "refunded": Decimal(0),
            "created_at": now,
            "updated_at": now,
            "archived_at": 0,
        }
        for kind, _ in _APPLIED
        for part in applied[kind]
    ]


def _apply(company: Company, payment: Row, sign: int) -> None:
    """Move the balances of invoices, credits and client."""
    for part in payment["paymentables"]:
        amount = sign * part["amount"]
        if part["invoice_id"]:
            invoices.pay(company, company.one("invoices", part["invoice_id"]), amount)
        else:
            credit = company.one("credits", part["credit_id"])
            company.keep("credits", {**credit, "balance": credit["balance"] - amount})
    clients.owe(company, payment["client_id"], balance=Decimal(0), paid=sign * payment["amount"])
