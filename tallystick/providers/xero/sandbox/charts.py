"""What a new organisation starts with: its country's accounts, tax rates and zone."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid5

from tallystick.providers.xero.sandbox.answers import Element


@dataclass(frozen=True, slots=True)
class Country:
    """`rates`: (tax type, name, percent, for income, for expenses)."""

    code: str
    version: str
    currency: str
    zone: str
    sales_tax: str
    purchase_tax: str
    rates: tuple[tuple[str, str, str, bool, bool], ...]


_NONE = ("NONE", "No Tax", "0", True, True)

countries = {
    country.code: country
    for country in (
        Country(
            "GB", "UK", "GBP", "GMTSTANDARDTIME", "OUTPUT2", "INPUT2",
            (
                ("OUTPUT2", "20% (VAT on Income)", "20", True, False),
                ("RROUTPUT", "5% (VAT on Income)", "5", True, False),
                ("ZERORATEDOUTPUT", "Zero Rated Income", "0", True, False),
                ("EXEMPTOUTPUT", "Exempt Income", "0", True, False),
                ("INPUT2", "20% (VAT on Expenses)", "20", False, True),
                _NONE,
            ),
        ),
        Country(
            "NZ", "NZ", "NZD", "NEWZEALANDSTANDARDTIME", "OUTPUT2", "INPUT2",
            (
                ("OUTPUT2", "15% GST on Income", "15", True, False),
                ("ZERORATED", "Zero Rated", "0", True, False),
                ("INPUT2", "15% GST on Expenses", "15", False, True),
                _NONE,
            ),
        ),
        Country(
            "AU", "AU", "AUD", "AUSEASTERNSTANDARDTIME", "OUTPUT", "INPUT",
            (
                ("OUTPUT", "GST on Income", "10", True, False),
                ("EXEMPTOUTPUT", "GST Free Income", "0", True, False),
                ("INPUT", "GST on Expenses", "10", False, True),
                ("BASEXCLUDED", "BAS Excluded", "0", True, True),
                _NONE,
            ),
        ),
        Country(
            "US", "US", "USD", "EASTERNSTANDARDTIME", "OUTPUT", "INPUT",
            (
                ("OUTPUT", "Tax on Sales", "0", True, False),
                ("TAX001", "State Sales Tax", "8.875", True, False),
                ("INPUT", "Tax on Purchases", "0", False, True),
                _NONE,
            ),
        ),
        # A custom connection does not exist here; the sandbox offers one for sites that bill in
        # euros.
        Country(
            "DE", "GLOBAL", "EUR", "WEUROPESTANDARDTIME", "OUTPUT", "INPUT",
            (
                ("OUTPUT", "Tax on Sales", "19", True, False),
                ("TAX001", "Reduced rate", "7", True, False),
                ("INPUT", "Tax on Purchases", "19", False, True),
                _NONE,
            ),
        ),
    )
}  # fmt: skip

_ACCOUNTS = (
    # code, name, type, class, takes payments
    ("090", "Business Bank Account", "BANK", "ASSET", False),
    ("091", "Business Savings Account", "BANK", "ASSET", False),
    ("200", "Sales", "REVENUE", "REVENUE", False),
    ("260", "Other Revenue", "REVENUE", "REVENUE", False),
    ("400", "Advertising", "EXPENSE", "EXPENSE", False),
    ("610", "Accounts Receivable", "CURRENT", "ASSET", False),
    ("850", "Undeposited Funds", "CURRENT", "ASSET", True),
    ("970", "Owner's Drawings", "EQUITY", "EQUITY", True),
)


def accounts(country: Country) -> list[Element]:
    made = []
    for code, name, kind, kind_class, takes_payments in _ACCOUNTS:
        account: Element = {
            "AccountID": str(uuid5(NAMESPACE_URL, f"xero:account:{country.code}:{code}")),
            "Code": code,
            "Name": name,
            "Status": "ACTIVE",
            "Type": kind,
            "TaxType": country.sales_tax if kind == "REVENUE" else "NONE",
            "Class": kind_class,
            "EnablePaymentsToAccount": takes_payments,
            "ShowInExpenseClaims": False,
            "HasAttachments": False,
            "AddToWatchlist": False,
        }
        if kind == "BANK":
            account |= {"BankAccountType": "BANK", "BankAccountNumber": f"0209087654321{code}"}
            account["CurrencyCode"] = country.currency
        made.append(account)
    return made


def tax_rates(country: Country) -> list[Element]:
    return [
        {
            "Name": name,
            "TaxType": tax_type,
            "ReportTaxType": tax_type if tax_type in _REPORTED else "NONE",
            "CanApplyToAssets": True,
            "CanApplyToEquity": True,
            "CanApplyToExpenses": expenses,
            "CanApplyToLiabilities": True,
            "CanApplyToRevenue": income,
            "DisplayTaxRate": Decimal(percent),
            "EffectiveRate": Decimal(percent),
            "Status": "ACTIVE",
            "TaxComponents": [
                {
                    "Name": name,
                    "Rate": Decimal(percent),
                    "IsCompound": False,
                    "IsNonRecoverable": False,
                }
            ],
        }
        for tax_type, name, percent, income, expenses in country.rates
    ]


_REPORTED = {"OUTPUT", "INPUT", "EXEMPTOUTPUT", "BASEXCLUDED", "NONE"}
