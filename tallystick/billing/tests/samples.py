"""A small studio, a client and invoices: what tests of pages and documents look at."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model

from tallystick.accounts.models import Account, Website
from tallystick.billing.invoices import Invoice
from tallystick.billing.lines import LineDraft
from tallystick.billing.taxes import TaxRate
from tallystick.billing.wallets import Wallet, WalletEntry
from tallystick.kit.money import Money

PASSWORD = "stock-and-foil"


def studio(**changes: Any) -> Website:
    """A website with everything filled in."""
    return Website.objects.create(
        **{
            "name": "Northwind Studio",
            "legal_name": "Northwind Studio Ltd",
            "domain": "billing.northwind.example",
            "sender_email": "billing@northwind.example",
            "currency": "EUR",
            "country": "GB",
            "line1": "12 Harbour Street",
            "city": "Bristol",
            "postal_code": "BS1 4QA",
            "tax_number": "GB 123 4567 89",
            "bank_name": "Harbour Bank",
            "iban": "GB33BUKB20201555555555",
            "bic": "BUKBGB22",
            "is_default": not Website.objects.exists(),
            **changes,
        }
    )


def client(website: Website, username: str = "ismail", **changes: Any) -> Account:
    """A client who can sign in, with an address in Germany."""
    user = get_user_model().objects.create_user(
        username,
        email=f"{username}@sahin.example",
        password=PASSWORD,
        first_name="İsmail",
        last_name="Şahin",
    )
    account = Account.open_for_user(user, website)
    account.website = website  # it was opened at the default one when the user was made
    address = {"line1": "Straße der Einheit 4", "postal_code": "10117", "city": "Berlin"}
    for name, value in {**address, "country": "DE", **changes}.items():
        setattr(account, name, value)
    account.save()
    return account


def fill_wallet(account: Account, amount: str, currency: str = "EUR") -> None:
    Wallet.of(account, currency).credit(Money.parse(amount, currency), WalletEntry.Reason.CREDIT)


def lines(website: Website) -> list[LineDraft]:
    """Three lines at two rates, with a discount and figures of unequal fineness."""
    standard = _rate(website, "standard", "VAT", "20")
    reduced = _rate(website, "reduced", "VAT, books", "5")
    return [
        LineDraft(
            "Annual maintenance of the booking site", unit_price=Decimal(2400), tax_rate=standard
        ),
        LineDraft(
            "Consulting on site, travel included",
            quantity=Decimal("2.25"),
            unit_price=Decimal(840),
            tax_rate=standard,
        ),
        LineDraft(
            "Handbook, printed",
            quantity=Decimal(12),
            unit_price=Decimal("9.50"),
            discount_percent=Decimal(10),
            tax_rate=reduced,
        ),
    ]


def invoice(account: Account, **details: Any) -> Invoice:
    """An issued invoice of 5,255.73 EUR, unless told otherwise; `due_in` are days from today."""
    website = account.website
    due_in = details.pop("due_in", 14)
    details.setdefault("lines", lines(website))
    details.setdefault("title", "Annual maintenance")
    details.setdefault("description", "Service level gold, for twelve months from April.")
    today = website.today()
    if due_in < 0:
        details.setdefault("issue_date", today + timedelta(days=due_in - 14))
    made = Invoice.objects.draft(
        account=account, due_date=today + timedelta(days=due_in), **details
    )
    made.issue()
    return made


def _rate(website: Website, code: str, name: str, percent: str) -> TaxRate:
    return TaxRate.objects.of(website).get_or_create(
        code=code, defaults={"website": website, "name": name, "percent": Decimal(percent)}
    )[0]
