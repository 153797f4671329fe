"""What an organisation says of itself."""

from __future__ import annotations

from collections.abc import Callable

from tallystick.providers.xero.sandbox.answers import Element
from tallystick.providers.xero.sandbox.books import Books

_CURRENCY_NAMES = {
    "AUD": "Australian Dollar",
    "CHF": "Swiss Franc",
    "EUR": "Euro",
    "GBP": "British Pound",
    "JPY": "Japanese Yen",
    "NZD": "New Zealand Dollar",
    "USD": "United States Dollar",
}


def organisation(books: Books) -> list[Element]:
    country = books.country
    element: Element = {
        "OrganisationID": books.id,
        "Name": books.name,
        "LegalName": books.name,
        "PaysTax": True,
        "Version": country.version,
        "OrganisationType": "COMPANY",
        "OrganisationEntityType": "COMPANY",
        "BaseCurrency": books.base_currency,
        "CountryCode": country.code,
        "IsDemoCompany": True,
        "OrganisationStatus": "ACTIVE",
        "FinancialYearEndDay": 31,
        "FinancialYearEndMonth": 12,
        "DefaultSalesTax": "Tax Exclusive",
        "DefaultPurchasesTax": "Tax Exclusive",
        "CreatedDateUTC": books.created_at,
        "Timezone": country.zone,
        "ShortCode": f"!{books.id[:5]}",
        "Edition": "BUSINESS",
        "Class": "DEMO",
        "Addresses": [],
        "Phones": [],
        "ExternalLinks": [],
        "PaymentTerms": {},
    }
    if books.lock_date:
        element["PeriodLockDate"] = books.lock_date
    return [element]


def currencies(books: Books) -> list[Element]:
    return [
        {"Code": code, "Description": _CURRENCY_NAMES.get(code, code)} for code in books.currencies
    ]


LISTS: dict[str, tuple[str, Callable[[Books], list[Element]]]] = {
    "organisation": ("Organisations", organisation),
    "organisations": ("Organisations", organisation),
    "currencies": ("Currencies", currencies),
}
"""Name in the path -> the name of the list, and the list."""
