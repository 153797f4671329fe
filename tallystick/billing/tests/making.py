"""Things to test with, made the short way."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

from tallystick.accounts.models import Account, Membership, Organisation, Website
from tallystick.accounts.standing import Role
from tallystick.billing.invoices import Invoice
from tallystick.billing.lines import LineDraft
from tallystick.billing.taxes import TaxRate
from tallystick.billing.wallets import Wallet, WalletEntry
from tallystick.kit.money import Money
from tallystick.people.models import User

D = Decimal
_numbers = itertools.count(1)


def eur(amount: str) -> Money:
    return Money(D(amount), "EUR")


def website(**values: Any) -> Website:
    n = next(_numbers)
    defaults: dict[str, Any] = {
        "name": f"Shop {n}",
        "domain": f"shop{n}.example",
        "legal_name": f"Shop {n} Ltd",
        "sender_email": f"billing@shop{n}.example",
        "country": "GB",
    }
    return Website.objects.create(**(defaults | values))


def user(**values: Any) -> User:
    n = next(_numbers)
    defaults = {"username": f"person{n}", "email": f"person{n}@client.example", "first_name": "Ada"}
    return User.objects.create_user(**(defaults | values))


def account(at: Website, **values: Any) -> Account:
    defaults: dict[str, Any] = {"user": user()}
    return Account.objects.create(website=at, **(defaults | values))


def owner(of: Invoice) -> User:
    person = of.client.user
    assert person is not None
    return person


def staff(at: Website) -> User:
    person = user(is_staff=True)
    Membership.objects.create(user=person, website=at, role=Role.ADMIN)
    return person


def organisation(at: Website) -> Organisation:
    n = next(_numbers)
    return Organisation.objects.create(
        website=at, name=f"Club {n}", email=f"club{n}@client.example"
    )


def tax(at: Website, percent: str = "19", code: str = "std") -> TaxRate:
    return TaxRate.objects.of(at).get_or_create(
        code=code, defaults={"website": at, "name": code, "percent": D(percent)}
    )[0]


def line(price: str = "100", **values: Any) -> LineDraft:
    defaults: dict[str, Any] = {"description": "Work", "unit_price": D(price)}
    return LineDraft(**(defaults | values))


def draft(to: Account, *lines: LineDraft, **details: Any) -> Invoice:
    lines = lines or (line(tax_rate=tax(to.website)),)
    return Invoice.objects.draft(account=to, lines=lines, **details)


def issued(to: Account, *lines: LineDraft, **details: Any) -> Invoice:
    invoice = draft(to, *lines, **details)
    invoice.issue()
    return invoice


def funded(to: Account, amount: str, currency: str = "EUR") -> Wallet:
    wallet = Wallet.of(to, currency)
    wallet.credit(Money(D(amount), currency), WalletEntry.Reason.CREDIT)
    return wallet
