"""A person of whom everything is known: each value is a canary, to be found again wherever it went."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db import connection as database
from django.test import Client

from tallystick.accounts.idempotency import KeptAnswer
from tallystick.accounts.models import Account, ApiKey, Organisation, OrganisationMember, Website
from tallystick.billing import paylinks, tokens
from tallystick.billing.banking.formats import BankFile
from tallystick.billing.banking.proposals import BankProposal
from tallystick.billing.banking.statements import BankStatement
from tallystick.billing.banking.transactions import BankTransaction
from tallystick.billing.credit_notes import issue_credit_note
from tallystick.billing.emails import Email
from tallystick.billing.lines import LineDraft
from tallystick.billing.mailing import deliver
from tallystick.billing.models import Invoice
from tallystick.integrations.connections import Connection
from tallystick.integrations.inbound import InboundEvent
from tallystick.integrations.links import Link
from tallystick.integrations.logs import SyncLog
from tallystick.kit import clock
from tallystick.people.models import User

ADDRESS = "203.0.113.77"


@dataclass
class World:
    """`told`: the canaries that an export must show."""

    website: Website
    user: User
    account: Account
    staff: User
    told: list[str] = field(default_factory=list)

    def canary(self, name: str) -> str:
        word = f"Canary{name.title().replace('_', '')}"
        self.told.append(word)
        return word


def make() -> World:
    website = Website.objects.create(
        name="Practice", domain="practice.example", iban="GB33BUKB20201555555555", country="GB"
    )
    staff = User.objects.create_superuser("boss", "boss@practice.example", "right")
    user = User.objects.create_user("x", is_staff=False)
    account = Account.open_for_user(user, website)
    world = World(website, user, account, staff)
    _fill_person(world)
    invoice = _documents(world)
    _bank(world, invoice)
    _sign_in(world)
    _outside(world, invoice)
    return world


def _fill_person(world: World) -> None:
    user, account = world.user, world.account
    user.username, user.email = world.canary("login"), f"{world.canary('mailbox')}@client.example"
    user.first_name, user.last_name = world.canary("first"), world.canary("last")
    user.phone_number, user.referral_code = world.canary("phone"), world.canary("referral")
    user.date_of_birth, user.nationality = date(1957, 3, 21), "TR"
    for name in User.SENSITIVE_FIELDS:
        setattr(user, name, "female" if name == "medical_sex" else world.canary(name))
    user.set_password("Canary-of-a-password")
    user.save()
    for name in ("line1", "line2", "city", "region", "tax_number"):
        setattr(account, name, world.canary(name))
    account.postal_code = "CanaryPost"
    account.save()
    club = Organisation.objects.create(website=world.website, name="The Club")
    OrganisationMember.objects.create(organisation=club, user=user)


def _documents(world: World) -> Invoice:
    line = LineDraft(description=world.canary("line"), unit_price=Decimal(100))
    details: dict[str, Any] = {"title": world.canary("title")}
    Invoice.objects.draft(
        account=world.account, lines=[line], description="CanaryOfDraft", **details
    )
    invoice = Invoice.objects.draft(account=world.account, lines=[line], **details)
    invoice.issue()
    deliver(Email.claim(1, "test", 60)[0])
    visitor = Client(REMOTE_ADDR=ADDRESS, HTTP_USER_AGENT=world.canary("browser"))
    assert visitor.get(f"/pay/invoice/{invoice.payment_token}/").status_code == 200
    paylinks.renew(invoice, reason=world.canary("why_renewed"))
    issue_credit_note(
        invoice, by=world.staff, reason=world.canary("credited"), amount=invoice.money(Decimal(10))
    )
    return invoice


def _bank(world: World, invoice: Invoice) -> None:
    statement = BankStatement.objects.create(
        website=world.website, name="may.xml", digest="d" * 64, format="camt", balance="unknown"
    )
    BankFile.objects.create(
        website=world.website, name="x.csv", data=world.user.get_full_name().encode()
    )
    names = {"booked": world.canary("payer"), "set aside": world.user.get_full_name()}
    for position, (identity, name) in enumerate(names.items()):
        line = BankTransaction.objects.create(
            website=world.website,
            statement=statement,
            position=position,
            account="GB33BUKB20201555555555",
            identity=identity,
            booked_on=world.website.today(),
            amount=invoice.amount_due if identity == "booked" else Decimal(7),
            currency="EUR",
            name=name,
            iban="DE02120300000000202051",
            text=world.canary(identity.replace(" ", "_")),
            state="unmatched",
        )
        if identity == "booked":
            line.book([(invoice, line.amount)], by=world.staff)
        else:
            BankProposal.objects.create(
                website=world.website,
                line=line,
                kind="invoices",
                rank=1,
                account=world.account,
                reasons=[{"code": "name", "name": world.canary("reason")}],
            )
            line.ignore(by=world.staff, note=world.canary("note"))


def _sign_in(world: World) -> None:
    client = Client(REMOTE_ADDR=ADDRESS)
    client.force_login(world.user)
    ApiKey.issue(
        website=world.website, user=world.user, name=world.canary("api_key"), scopes=["read"]
    )
    invoice = Invoice.objects.of(world.website).exclude(number="").get()
    holder = f"link:{tokens.digest(invoice.payment_token)}"
    KeptAnswer.objects.create(owner=holder, key=world.canary("by_link"))
    KeptAnswer.objects.create(owner=f"user:{world.user.pk}", key=world.canary("idempotency"))
    addresses = apps.get_model("account.EmailAddress")._default_manager
    addresses.create(user=world.user, email=world.user.email, verified=True)
    apps.get_model("mfa.Authenticator")._default_manager.create(
        user=world.user, type="totp", data={"secret": "CanaryOfASecret"}
    )
    admin = Client(REMOTE_ADDR="198.51.100.9")
    admin.force_login(world.staff)
    page = f"/admin/accounts/account/{world.account.pk}/change/"
    form = admin.get(page).context["adminform"].form
    admin.post(
        page, {**{k: v for k, v in form.initial.items() if v is not None}, "line2": "CanaryLine2"}
    )


def _outside(world: World, invoice: Invoice) -> None:
    connection = Connection.objects.create(
        website=world.website, type="XERO", name="Books", is_active=False
    )
    for kind, row, model, key in (
        ("contacts", world.account, "accounts.Account", world.account.customer_key),
        ("invoices", invoice, "billing.Invoice", f"i-{invoice.uid.hex}"),
    ):
        Link.objects.create(
            connection=connection,
            kind=kind,
            model=model,
            local_id=str(row.pk),
            key=key,
            touched=row.uid,
            remote_id=f"remote-{kind}",
            state="done",
            last_error="CanaryOfALink",
            difference="CanaryOfADifference",
        )
    InboundEvent.objects.create(
        connection=connection,
        event_id="1",
        kind="contacts",
        remote_id="remote-contacts",
        at=clock.now(),
        payload=world.canary("webhook"),
        state="done",
    )
    SyncLog.objects.create(
        connection=connection,
        direction="push",
        sync_type="contacts",
        errors=[f"Customer {world.account.customer_key}: {world.canary('refused')} is no address"],
    )


def dump() -> dict[tuple[str, str], str]:
    """Every column of every table, as text."""
    with database.cursor() as cursor:
        tables = database.introspection.table_names(cursor)
        found: dict[tuple[str, str], str] = {}
        for table in tables:
            cursor.execute(f"SELECT * FROM {database.ops.quote_name(table)}")  # noqa: S608 - our own names
            names = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                for name, value in zip(names, row, strict=True):
                    held = bytes(value) if isinstance(value, memoryview | bytes) else value
                    found[table, name] = found.get((table, name), "") + f"{held!s}\n"
    return found
