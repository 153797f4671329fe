"""The nouns of the API: where each is kept, how it is read, made, changed and shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tallystick.providers.xero.sandbox import contacts, invoices, items, payments
from tallystick.providers.xero.sandbox.answers import Element
from tallystick.providers.xero.sandbox.books import Books
from tallystick.providers.xero.sandbox.store import Shelf


class Show(Protocol):
    def __call__(self, books: Books, element: Element, /, *, whole: bool = True) -> Element: ...


class Write(Protocol):
    def __call__(self, books: Books, given: Element, /, *, places: int = 2) -> Element: ...


@dataclass(frozen=True, slots=True)
class Noun:
    """`fields` may stand in `where` and `order`; `filters`: query parameter -> path of the value;
    `flagged` names the member that says an element has errors; empty: none does."""

    name: str
    scopes: tuple[str, ...]
    shelf: Callable[[Books], Shelf]
    show: Show
    fields: frozenset[str]
    one: Callable[[Books, str], Element | None] | None = None
    create: Write | None = None
    upsert: Write | None = None
    join: Callable[[Books, Element], Element] = lambda _books, element: element
    filters: tuple[tuple[str, str], ...] = ()
    searched: tuple[str, ...] = ()
    is_paged: bool = False
    flagged: str = "HasValidationErrors"


def _plainly(books: Books, element: Element, *, whole: bool = True) -> Element:
    del books, whole
    return element


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _with_contact(books: Books, invoice: Element) -> Element:
    contact = books.contacts.get(invoice["Contact"]["ContactID"])
    return {**invoice, "Contact": contact}


def _with_invoice(books: Books, payment: Element) -> Element:
    invoice = books.invoices.get(payment["Invoice"]["InvoiceID"])
    return {**payment, "Invoice": invoice}


_SETTINGS = ("accounting.settings",)

CONTACTS = Noun(
    "Contacts",
    ("accounting.contacts",),
    lambda books: books.contacts,
    contacts.shown,
    _names(
        "ContactID ContactNumber AccountNumber ContactStatus Name FirstName LastName EmailAddress "
        "CompanyNumber TaxNumber UpdatedDateUTC DefaultCurrency"
    ),
    one=lambda books, key: contacts.by_id_or_number(books.contacts, key),
    create=contacts.create,
    upsert=contacts.upsert,
    filters=(("IDs", "ContactID"),),
    searched=("Name", "FirstName", "LastName", "ContactNumber", "CompanyNumber", "EmailAddress"),
    is_paged=True,
)
ITEMS = Noun(
    "Items",
    ("accounting.settings", "accounting.invoices"),
    lambda books: books.items,
    items.shown,
    _names("ItemID Code Name Description IsSold IsPurchased UpdatedDateUTC"),
    one=items.by_id_or_code,
    flagged="",
    create=items.create,
    upsert=items.upsert,
)
INVOICES = Noun(
    "Invoices",
    ("accounting.invoices",),
    lambda books: books.invoices,
    invoices.shown,
    _names(
        "InvoiceID InvoiceNumber Type Status Contact Date DueDate Reference CurrencyCode SubTotal "
        "TotalTax Total AmountDue AmountPaid AmountCredited UpdatedDateUTC FullyPaidOnDate "
        "SentToContact LineAmountTypes ExpectedPaymentDate"
    ),
    one=invoices.by_id_or_number,
    create=invoices.create,
    upsert=invoices.upsert,
    join=_with_contact,
    filters=(
        ("IDs", "InvoiceID"),
        ("InvoiceNumbers", "InvoiceNumber"),
        ("ContactIDs", "Contact.ContactID"),
        ("Statuses", "Status"),
    ),
    searched=("InvoiceNumber", "Reference"),
    is_paged=True,
    flagged="HasErrors",
)
PAYMENTS = Noun(
    "Payments",
    ("accounting.payments",),
    lambda books: books.payments,
    payments.shown,
    _names("PaymentID Status Date Amount Reference PaymentType Invoice Account UpdatedDateUTC"),
    one=lambda books, key: books.payments.get(key),
    create=payments.create,
    upsert=payments.create,
    join=_with_invoice,
    is_paged=True,
)
ACCOUNTS = Noun(
    "Accounts",
    _SETTINGS,
    lambda books: books.accounts,
    _plainly,
    _names("AccountID Code Name Type Status Class TaxType EnablePaymentsToAccount"),
    one=lambda books, key: books.accounts.get(key),
)
TAX_RATES = Noun(
    "TaxRates",
    _SETTINGS,
    lambda books: books.tax_rates,
    _plainly,
    _names("Name TaxType Status EffectiveRate DisplayTaxRate CanApplyToRevenue"),
    one=lambda books, key: books.tax_rates.get(key),
)

NOUNS = {
    noun.name.lower(): noun for noun in (CONTACTS, ITEMS, INVOICES, PAYMENTS, ACCOUNTS, TAX_RATES)
}
