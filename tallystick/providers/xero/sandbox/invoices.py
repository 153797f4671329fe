"""Sales invoices: their numbers, their states, what may still be changed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tallystick.kit.money import round_to
from tallystick.providers.xero.sandbox import contacts, lines, reading
from tallystick.providers.xero.sandbox.answers import Element, Invalid, date_string
from tallystick.providers.xero.sandbox.books import Books, new_id

_ZERO = Decimal("0.00")
_TYPES = frozenset({"ACCREC"})
_STATUSES = frozenset({"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED", "VOIDED", "PAID"})
_AT_CREATION = frozenset({"DRAFT", "SUBMITTED", "AUTHORISED"})
_AMOUNT_TYPES = frozenset({"Exclusive", "Inclusive", "NoTax"})
_MOVES = {
    "DRAFT": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "SUBMITTED": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "AUTHORISED": {"AUTHORISED", "VOIDED"},
    "PAID": {"PAID", "AUTHORISED"},
}
"""From one status to the next, by the API. PAID results from payments; a PAID invoice that is sent
as AUTHORISED stays PAID."""
_APPROVED = frozenset({"AUTHORISED", "PAID"})
_FROZEN_BY_PAYMENT = ("LineAmountTypes", "CurrencyCode", "Contact", "Date", "Total")
_LISTS = ("CreditNotes", "Prepayments", "Overpayments")


def create(books: Books, given: Element, *, places: int = 2) -> Element:
    """PUT: a new one; a number that is taken is an error."""
    if reading.text(given, "InvoiceID"):
        raise Invalid("An InvoiceID cannot be given for a new invoice")
    invoice: Element = {
        "InvoiceID": new_id(),
        "Type": reading.choice(given, "Type", _TYPES) or "",
        "InvoiceNumber": _number(books, given),
        "Reference": "",
        "Status": reading.choice(given, "Status", _AT_CREATION) or "DRAFT",
        "Date": books.today(),
        "LineAmountTypes": "Exclusive",
        "CurrencyCode": books.base_currency,
        "SentToContact": False,
        "AmountPaid": _ZERO,
        "AmountCredited": _ZERO,
    }
    if not invoice["Type"]:
        raise Invalid("Type must be specified")
    if not given.get("LineItems"):
        raise Invalid("One or more line items must be specified")
    invoice = _with_fields(books, invoice, given, places=places)
    return _keep(books, invoice, made=invoice["InvoiceNumber"])


def upsert(books: Books, given: Element, *, places: int = 2) -> Element:
    """POST: the one with this InvoiceID, else with this InvoiceNumber; a new one otherwise."""
    invoice = _identify(books, given)
    if invoice is None:
        return create(books, given, places=places)
    return change(books, invoice, given, places=places)


def change(books: Books, invoice: Element, given: Element, *, places: int = 2) -> Element:
    before = invoice["Status"]
    status = reading.choice(given, "Status", _STATUSES) or before
    if status not in _MOVES.get(before, ()):
        raise Invalid("Invoice not of valid status for modification")
    if status in {"VOIDED", "DELETED"}:
        return _end(books, invoice, status)
    _check_lock(books, invoice)
    changed = {**invoice, "Status": before if before == "PAID" else status}
    number = reading.text(given, "InvoiceNumber", most=255)
    if number and number != invoice["InvoiceNumber"]:
        changed["InvoiceNumber"] = _number(books, given)
    changed = _with_fields(books, changed, given, places=places)
    if has_payments(books, invoice) and _essence(changed) != _essence(invoice):
        raise Invalid(
            "This document cannot be edited as it has a payment or credit note allocated to it."
        )
    return _keep(books, changed)


def _essence(invoice: Element) -> object:
    """What a payment freezes."""
    held = [(line["LineAmount"], line["TaxAmount"]) for line in invoice["LineItems"]]
    return [invoice[name] for name in _FROZEN_BY_PAYMENT], held


def _end(books: Books, invoice: Element, status: str) -> Element:
    if has_payments(books, invoice):
        raise Invalid(
            "This document cannot be voided as it has a payment or credit note allocated to it."
        )
    _check_lock(books, invoice)
    ended = {**invoice, "Status": status, "AmountDue": _ZERO}
    return books.keep(books.invoices, ended, category="INVOICE")


def settle(books: Books, invoice: Element) -> Element:
    """Work out again what is paid and due, after a payment was made or deleted."""
    live = live_payments(books, invoice)
    paid = sum((payment["Amount"] for payment in live), _ZERO)
    due = invoice["Total"] - paid - invoice["AmountCredited"]
    settled = {
        **invoice,
        "AmountPaid": paid,
        "AmountDue": due,
        "Status": "AUTHORISED" if due else "PAID",
    }
    settled.pop("FullyPaidOnDate", None)
    if not due and live:
        settled["FullyPaidOnDate"] = max(payment["Date"] for payment in live)
    return books.keep(books.invoices, settled, category="INVOICE")


def live_payments(books: Books, invoice: Element) -> list[Element]:
    made = books.payments.find("Invoice.InvoiceID", invoice["InvoiceID"])
    return [payment for payment in made if payment["Status"] == "AUTHORISED"]


def has_payments(books: Books, invoice: Element) -> bool:
    return bool(live_payments(books, invoice))


def by_id_or_number(books: Books, key: str) -> Element | None:
    found = books.invoices.get(key)
    if found is None and (numbered := books.invoices.find("InvoiceNumber", key)):
        return numbered[-1]
    return found


def shown(books: Books, invoice: Element, *, whole: bool = True) -> Element:
    """As in an answer; a list without pages is not whole: no lines, no payments."""
    contact = books.contacts.get(invoice["Contact"]["ContactID"]) or {}
    element: Element = {
        **invoice,
        "Contact": contacts.shown(books, contact) if whole else contacts.brief(contact),
        "LineItems": [lines.shown(line) for line in invoice["LineItems"]] if whole else [],
        "DateString": date_string(invoice["Date"]),
        "UpdatedDateUTCString": invoice["UpdatedDateUTC"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "HasAttachments": False,
        "HasErrors": False,
        **dict.fromkeys(_LISTS, ()),
    }
    if "DueDate" in invoice:
        element["DueDateString"] = date_string(invoice["DueDate"])
    if "ExpectedPaymentDate" in invoice:
        element["ExpectedPaymentDateString"] = date_string(invoice["ExpectedPaymentDate"])
    paid_by = live_payments(books, invoice) if whole else ()
    element["Payments"] = [_payment_inside(payment) for payment in paid_by]
    return element


def _payment_inside(payment: Element) -> Element:
    names = ("PaymentID", "Date", "Amount", "Reference", "CurrencyRate")
    kept = {name: payment[name] for name in names if name in payment}
    return {**kept, "HasAccount": False, "HasValidationErrors": False}


def _identify(books: Books, given: Element) -> Element | None:
    if identity := reading.text(given, "InvoiceID"):
        found = books.invoices.get(identity)
        if found is None:
            raise Invalid("The Invoice with the specified InvoiceID could not be found")
        return found
    numbered = books.invoices.find("InvoiceNumber", reading.text(given, "InvoiceNumber") or "")
    return numbered[-1] if numbered else None


def _number(books: Books, given: Element) -> str:
    number = reading.text(given, "InvoiceNumber", most=255)
    if not number:
        return books.next_number()
    if books.invoices.find("InvoiceNumber", number):
        raise Invalid("Invoice # must be unique.")
    return number


def _with_fields(books: Books, invoice: Element, given: Element, *, places: int) -> Element:
    """`invoice` with what is given, checked as a whole."""
    changed = {**invoice, **_plain_fields(books, given)}
    if given.get("Contact") or "Contact" not in changed:
        changed["Contact"] = {"ContactID": _contact(books, given.get("Contact") or {})}
    approved = changed["Status"] in _APPROVED
    terms = lines.Terms(changed["LineAmountTypes"], places)
    if given.get("LineItems"):
        changed["LineItems"] = lines.read(books, given["LineItems"], terms)
    elif changed["LineAmountTypes"] != invoice["LineAmountTypes"]:
        changed["LineItems"] = lines.again(books, changed["LineItems"], terms)
    changed |= lines.totals(changed["LineItems"], terms)
    _check_totals(changed, given)
    if approved:
        lines.check_accounts(changed["LineItems"])
        if "DueDate" not in changed:
            raise Invalid("The DueDate must be specified for an approved invoice")
    return changed


def _plain_fields(books: Books, given: Element) -> dict[str, Any]:
    fields: dict[str, Any] = reading.texts(
        given, {"Reference": 255, "Url": 2000, "BrandingThemeID": 36}
    )
    found = {
        "Date": reading.day(given, "Date"),
        "DueDate": reading.day(given, "DueDate"),
        "ExpectedPaymentDate": reading.day(given, "ExpectedPaymentDate"),
        "LineAmountTypes": reading.choice(given, "LineAmountTypes", _AMOUNT_TYPES),
        "SentToContact": reading.flag(given, "SentToContact"),
        "CurrencyCode": reading.text(given, "CurrencyCode"),
        "CurrencyRate": reading.number(given, "CurrencyRate", places=6),
    }
    fields |= {name: value for name, value in found.items() if value is not None}
    currency = fields.get("CurrencyCode")
    if currency and currency not in books.currencies:
        raise Invalid(f"Organisation is not subscribed to currency {currency}")
    return fields


def _contact(books: Books, given: Element) -> str:
    """The id of the contact; a bare name makes one."""
    if not any(given.get(name) for name in ("ContactID", "ContactNumber", "Name")):
        raise Invalid(
            "The Contact must contain at least 1 of the following elements to identify the "
            "contact: Name, ContactID, ContactNumber"
        )
    found = contacts.identify(books, given)
    if found is None:
        found = contacts.create(books, given)
    if found["ContactStatus"] != "ACTIVE":
        raise Invalid(
            "The contact with the specified contact details has been archived. The contact must "
            "be un-archived before creating new invoices or credit notes."
        )
    return str(found["ContactID"])


def _check_totals(invoice: Element, given: Element) -> None:
    for name in ("SubTotal", "TotalTax", "Total"):
        stated = reading.number(given, name)
        if stated is not None and stated != invoice[name]:
            raise Invalid(f"The document {name} {stated} does not equal the sum of the lines")


def _check_lock(books: Books, invoice: Element) -> None:
    if books.lock_date and invoice["Date"] <= books.lock_date:
        raise Invalid("The document date cannot be before the period lock date.")


def _keep(books: Books, invoice: Element, *, made: str = "") -> Element:
    """Put it, with what is due; an approved invoice of nothing is paid."""
    _check_lock(books, invoice)
    if "CurrencyRate" not in invoice:
        invoice = {**invoice, "CurrencyRate": Decimal("1.000000")}
    due = round_to(invoice["Total"] - invoice["AmountPaid"] - invoice["AmountCredited"], 2)
    invoice = {**invoice, "AmountDue": due}
    if invoice["Status"] == "AUTHORISED" and not due:
        invoice = {**invoice, "Status": "PAID", "FullyPaidOnDate": invoice["Date"]}
    return books.keep(books.invoices, invoice, made=made, category="INVOICE")
