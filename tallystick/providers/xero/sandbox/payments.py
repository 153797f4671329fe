"""Payments of invoices: made, and deleted; never changed."""

from __future__ import annotations

from decimal import Decimal

from tallystick.providers.xero.sandbox import contacts, invoices, reading
from tallystick.providers.xero.sandbox.answers import Element, Invalid, date_string
from tallystick.providers.xero.sandbox.books import Books, new_id


def create(books: Books, given: Element, *, places: int = 2) -> Element:
    del places  # no unit amounts here
    invoice = _invoice(books, given)
    if invoice["Status"] not in {"AUTHORISED", "PAID"}:
        raise Invalid("Payments can only be made against Authorised documents")
    account = _account(books, given, invoice)
    paid_on = reading.day(given, "Date") or books.today()
    if books.lock_date and paid_on <= books.lock_date:
        raise Invalid("The payment date cannot be before the period lock date.")
    payment: Element = {
        "PaymentID": new_id(),
        "Date": paid_on,
        "Amount": _amount(given, invoice),
        "Reference": reading.text(given, "Reference", most=255) or "",
        "CurrencyRate": reading.number(given, "CurrencyRate", places=6) or invoice["CurrencyRate"],
        "PaymentType": "ACCRECPAYMENT",
        "Status": "AUTHORISED",
        "IsReconciled": reading.flag(given, "IsReconciled") or False,
        "Account": {"AccountID": account["AccountID"], "Code": account["Code"]},
        "Invoice": {"InvoiceID": invoice["InvoiceID"]},
    }
    kept = books.keep(books.payments, payment, made=payment["Reference"] or payment["PaymentID"])
    invoices.settle(books, invoice)
    return kept


def delete(books: Books, payment: Element, given: Element) -> Element:
    """POST to one payment: its status is all that can be set, and DELETED all it can be set to."""
    if reading.text(given, "Status") != "DELETED":
        raise Invalid("A payment can only be deleted: the Status must be DELETED")
    if payment["Status"] == "DELETED":
        raise Invalid("The payment has already been deleted")
    if books.lock_date and payment["Date"] <= books.lock_date:
        raise Invalid("The payment date cannot be before the period lock date.")
    kept = books.keep(books.payments, {**payment, "Status": "DELETED"})
    invoice = books.invoices.get(payment["Invoice"]["InvoiceID"])
    if invoice is not None:
        invoices.settle(books, invoice)
    return kept


def shown(books: Books, payment: Element, *, whole: bool = True) -> Element:
    """As in an answer; in a list the invoice is only named."""
    invoice = books.invoices.get(payment["Invoice"]["InvoiceID"]) or {}
    return {
        **payment,
        "UpdatedDateUTCString": payment["UpdatedDateUTC"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "BankAmount": payment["Amount"],
        "HasAccount": True,
        "HasValidationErrors": False,
        "Invoice": invoices.shown(books, invoice) if whole else _named(books, invoice),
        "DateString": date_string(payment["Date"]),
    }


def _named(books: Books, invoice: Element) -> Element:
    contact = books.contacts.get(invoice["Contact"]["ContactID"]) or {}
    return {
        "Type": invoice["Type"],
        "InvoiceID": invoice["InvoiceID"],
        "InvoiceNumber": invoice["InvoiceNumber"],
        "CurrencyCode": invoice["CurrencyCode"],
        "Contact": contacts.brief(contact),
        "Payments": [],
        "LineItems": [],
        "IsDiscounted": invoice["IsDiscounted"],
        "HasErrors": False,
    }


def _invoice(books: Books, given: Element) -> Element:
    named = given.get("Invoice") or {}
    number = reading.text(given, "InvoiceNumber") or reading.text(named, "InvoiceNumber")
    identity = reading.text(named, "InvoiceID")
    if not identity and not number:
        raise Invalid(
            "Payment must have exactly one of Invoice, CreditNote, Prepayment or Overpayment"
        )
    found = invoices.by_id_or_number(books, identity or number or "")
    if found is None:
        raise Invalid("Invoice could not be found")
    return found


def _amount(given: Element, invoice: Element) -> Decimal:
    amount = reading.number(given, "Amount")
    if amount is None or amount <= 0:
        raise Invalid("The payment amount must be greater than zero")
    if amount > invoice["AmountDue"]:
        raise Invalid("Payment amount exceeds the amount outstanding on this document")
    return amount


def _account(books: Books, given: Element, invoice: Element) -> Element:
    named = given.get("Account") or {"Code": given.get("Code")}
    account = books.account(named)
    if account is None or account["Status"] != "ACTIVE":
        raise Invalid("Account could not be found")
    if account["Type"] != "BANK" and not account["EnablePaymentsToAccount"]:
        raise Invalid(
            "Payments can only be made to an account of type BANK or one that has enabled "
            "payments to it"
        )
    currency = account.get("CurrencyCode", books.base_currency)
    if currency not in {books.base_currency, invoice["CurrencyCode"]}:
        raise Invalid("The currency of the account is neither the invoice's nor the base currency")
    return account
