"""What the demo site knows before it begins: two websites, the catalogue, a dozen customers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction

from tallystick.accounts import tenancy
from tallystick.accounts.models import (
    Account,
    Membership,
    Organisation,
    OrganisationMember,
    Website,
)
from tallystick.accounts.roles import Role
from tallystick.billing.models import Product, TaxRate, Wallet, WalletEntry
from tallystick.billing.numbering import INVOICES, Series
from tallystick.integrations.connections import Connection
from tallystick.kit.money import Money
from tallystick.people.models import User

PASSWORD = "tally-demo-2026"  # noqa: S105 - printed by the demo, which only listens on loopback
WALLET = Decimal(5000)
"""What each client's wallet holds at the beginning, in their website's currency."""

PRODUCTS = [
    ("BEGO Semados RSX Pro", "Implants", "DE", 350),
    ("IMPLANCE Bone Level", "Implants", "TR", 250),
    ("IVOCLAR IPS e.max", "Crowns", "DE", 190),
    ("Philips Zoom! WhiteSpeed", "Additional Services", "US", 120),
    ("Root Canal & Endodontics", "Dental Procedures", "TR", 90),
    ("Straumann® BLX BLT", "Implants", "CH", 850),
    ("Sinus lifting", "Dental Procedures", "TR", 150),
    ("bone graft", "Dental Procedures", "TR", 150),
    ("Zirconium Crowns with Titanium Bases", "Crowns", "DE", 220),
    ("Straumann® Zygomatic Implants", "Implants", "CH", 2640),
]
"""Name, category, country of origin, price in EUR."""


@dataclass(frozen=True)
class Customer:
    """A person, or with `company` an organisation of which the person is a member."""

    first: str
    last: str
    country: str
    city: str
    company: str = ""

    @property
    def username(self) -> str:
        return self.first.lower()


EUROPEANS = [
    Customer("Anna", "Becker", "DE", "Berlin"),
    Customer("Jonas", "Weber", "DE", "Hamburg"),
    Customer("Lena", "Hoffmann", "DE", "Köln", company="Praxis am Dom GmbH"),
    Customer("Felix", "Krüger", "DE", "Leipzig"),
    Customer("Elif", "Yıldız", "TR", "İstanbul"),
    Customer("Murat", "Şahin", "TR", "İzmir", company="Ege Ağız ve Diş Sağlığı A.Ş."),
    Customer("Zeynep", "Öztürk", "TR", "Ankara"),
]
BRITONS = [
    Customer("Oliver", "Hughes", "GB", "London"),
    Customer("Amelia", "Clarke", "GB", "Leeds", company="Clarke & Daughters Dental Ltd"),
    Customer("Harry", "Evans", "GB", "Cardiff"),
    Customer("Isla", "MacLeod", "GB", "Edinburgh"),
    Customer("George", "Patel", "GB", "Bristol", company="Harbourside Smiles LLP"),
]


@dataclass
class Cast:
    """Who and what the play needs. `connections` are those to Xero."""

    europe: Website
    britain: Website
    connections: list[Connection]
    direct: Connection
    """Of `europe` to Invoice Ninja; `britain` goes by the relay."""


@dataclass(frozen=True)
class Outside:
    """The settings of the connections; of Xero by the website's domain."""

    xero: dict[str, dict[str, str]]
    ninja: dict[str, str]
    relay: dict[str, str]


def fill(web_port: int, outside: Outside) -> Cast:
    """Everything in one transaction."""
    with transaction.atomic():
        europe, britain = _websites(web_port)
        connections = [
            _connection(website, dict(outside.xero[website.domain]))
            for website in (europe, britain)
        ]
        direct = _to_invoice_ninja(europe, "INVOICE_NINJA", "Invoice Ninja", outside.ninja)
        _to_invoice_ninja(britain, "INVOICE_NINJA_RELAY", "Invoice Ninja by relay", outside.relay)
        _staff(europe, britain)
        _catalogue(europe, Decimal(1))
        _catalogue(britain, Decimal("0.85"))
        for website, people in ((europe, EUROPEANS), (britain, BRITONS)):
            for customer in people:
                _customer(website, customer)
    return Cast(europe, britain, connections, direct)


def _websites(port: int) -> tuple[Website, Website]:
    europe = Website.objects.create(
        name="Lindenhof Dental", domain=f"localhost:{port}", currency="EUR", country="DE",
        language="en", time_zone="Europe/Berlin", prices_include_tax=False, is_default=True,
        allow_part_payments=True, sender_name="Lindenhof Dental",
        sender_email="billing@lindenhof.example", legal_name="Lindenhof Dental GmbH",
        line1="Lindenstraße 12", city="Berlin", postal_code="10969", tax_number="DE129273398",
        bank_name="Musterbank", iban="DE89370400440532013000", bic="COBADEFFXXX",
    )  # fmt: skip
    britain = Website.objects.create(
        name="Harbour Lane Clinic", domain=f"127.0.0.1:{port}", currency="GBP", country="GB",
        language="en", time_zone="Europe/London", prices_include_tax=True,
        sender_name="Harbour Lane Clinic", sender_email="accounts@harbourlane.example",
        legal_name="Harbour Lane Clinic Ltd", line1="4 Harbour Lane", city="Bristol",
        postal_code="BS1 4DJ", tax_number="GB123456789", bank_name="Example Bank",
        iban="GB29NWBK60161331926819", bic="NWBKGB2L",
    )  # fmt: skip
    Series.objects.create(website=britain, code=INVOICES, prefix="HL")
    return europe, britain


def _connection(website: Website, settings: dict[str, str]) -> Connection:
    secret = {"client_secret", "webhook_key"}
    return Connection.objects.create(
        website=website,
        type="XERO",
        name=f"Xero ({website.name})",
        account=settings["tenant_id"],
        credentials={name: value for name, value in settings.items() if name in secret},
        custom_data={name: value for name, value in settings.items() if name not in secret},
    )


def _to_invoice_ninja(
    website: Website, kind: str, name: str, settings: dict[str, str]
) -> Connection:
    secret = {"api_token", "webhook_secret"}
    return Connection.objects.create(
        website=website,
        type=kind,
        name=name,
        credentials={name: value for name, value in settings.items() if name in secret},
        custom_data={name: value for name, value in settings.items() if name not in secret},
    )


def _staff(europe: Website, britain: Website) -> None:
    User.objects.create_superuser("admin", "admin@tallystick.example", PASSWORD)
    for website, name in ((europe, "berlin"), (britain, "bristol")):
        person = User.objects.create_user(
            name, f"{name}@tallystick.example", PASSWORD, is_staff=True, first_name=name.title()
        )
        Membership.objects.create(user=person, website=website, role=Role.ADMIN)


def _catalogue(website: Website, rate: Decimal) -> None:
    tax = TaxRate.objects.create(
        website=website, code="standard", name="VAT", is_default=True,
        percent=Decimal(19) if website.country == "DE" else Decimal(20),
    )  # fmt: skip
    for name, category, country, price in PRODUCTS:
        Product.objects.create(
            website=website, name=name, category=category, country_of_origin=country,
            price=Money(price * rate, website.currency).rounded().amount,
            currency=website.currency, tax_rate=tax,
            description=f"{category}. Origin: {country}.",
        )  # fmt: skip


def _customer(website: Website, customer: Customer) -> None:
    person = User(
        username=customer.username,
        email=f"{customer.username}@customers.example",
        first_name=customer.first,
        last_name=customer.last,
        nationality=customer.country,
    )
    person.set_password(PASSWORD)
    account = _organisation_of(person, website, customer) if customer.company else None
    if account is None:
        with tenancy.of(website):
            person.save()
        account = Account.objects.of(website).get(user=person)
    account.city, account.country = customer.city, customer.country
    account.save()
    Wallet.of(account, website.currency).credit(
        Money(WALLET, website.currency).rounded(), WalletEntry.Reason.CREDIT
    )


def _organisation_of(person: User, website: Website, customer: Customer) -> Account:
    # In bulk, which sends no signals: who acts for an organisation is not a customer as well.
    User.objects.bulk_create([person])
    organisation = Organisation.objects.create(
        website=website, name=customer.company, email=f"office@{customer.username}.example"
    )
    OrganisationMember.objects.create(user=person, organisation=organisation)
    return Account.open_for_organisation(organisation)
