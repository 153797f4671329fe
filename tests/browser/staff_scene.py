"""The staff pages with something on them, for their pictures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from playwright.sync_api import Browser

from tallystick.accounts.models import Account, Membership, Organisation, Website
from tallystick.accounts.standing import Role
from tallystick.billing import payments
from tallystick.billing.credit_notes import issue_credit_note
from tallystick.billing.invoices import Invoice
from tallystick.billing.lines import LineDraft
from tallystick.billing.tests import samples
from tallystick.events import Actor, ActorKind, acting
from tallystick.kit.money import Money

_CLUBS = [
    ("Harbourside Smiles LLP", "accounts@harbourside.example"),
    ("Clarke & Daughters Dental Ltd", "post@clarke.example"),
    ("Ege Ağız ve Diş Sağlığı A.Ş.", "muhasebe@ege.example"),
    ("Praxis am Dom GmbH", "rechnung@praxis-am-dom.example"),
]
_TITLES = [
    "Annual maintenance", "Workshop on accessibility", "Design of the booking site",
    "Hosting, second quarter", "Photographs of the studio", "Translation into Turkish",
]  # fmt: skip

Shoot = Callable[..., None]


def pages(browser: Browser, origin: str, shoot: Shoot) -> None:
    """Call `shoot` for each page, as `berlin`, who manages two websites."""
    empty_handed()
    shoot(browser, origin, "staff-invoices-empty", "/staff/invoices/", "newcomer")
    website = samples.studio(name="Studio Vogel", domain="vogel.example", is_default=False)
    for name, path in paths(filled(website, client="sahin")).items():
        shoot(browser, origin, f"staff-{name}", path, "berlin")


def empty_handed() -> None:
    """A member of staff of a website where nothing has happened yet."""
    quiet = samples.studio(name="Quiet Press", domain="quiet.example")
    _staff("newcomer", quiet)


def filled(website: Website, client: str = "ismail") -> dict[str, Any]:
    """Invoices in every state, at two websites, in currencies of unequal fineness."""
    berlin = _staff("berlin", website)
    other = samples.studio(name="Lindenhof", domain="lindenhof.example", currency="EUR")
    Membership.objects.create(user=berlin, website=other, role=Role.ADMIN)
    with acting(Actor(ActorKind.USER, id=str(berlin.pk), label="staff", address="192.0.2.7")):
        return _played(website, other, client)


def paths(scene: dict[str, Any]) -> dict[str, str]:
    account = scene["account"]
    return {
        "invoices": "/staff/invoices/",
        "invoices-filtered": "/staff/invoices/?status=overdue&least=100&q=a",
        "invoices-nothing": "/staff/invoices/?q=zzz",
        "invoice-new": f"/staff/invoices/new/?client={account.uid}",
        "invoice-edit": f"/staff/invoices/{scene['draft'].uid}/edit/",
        "invoice-draft": f"/staff/invoices/{scene['draft'].uid}/",
        "invoice-part-paid": f"/staff/invoices/{scene['part'].uid}/",
        "invoice-overdue": f"/staff/invoices/{scene['late'].uid}/",
        "invoice-mark-paid": f"/staff/invoices/{scene['late'].uid}/paid/",
        "invoice-credit": f"/staff/invoices/{scene['part'].uid}/credit/",
        "invoice-void": f"/staff/invoices/{scene['late'].uid}/void/",
        "payments": "/staff/payments/",
        "payment": f"/staff/payments/{scene['payment'].uid}/",
        "payment-refund": f"/staff/payments/{scene['payment'].uid}/refund/",
        "credit-notes": "/staff/credit-notes/",
        "credit-note": f"/staff/credit-notes/{scene['note'].uid}/",
        "clients": "/staff/clients/",
        "client": f"/staff/clients/{account.uid}/",
        "client-pay": f"/staff/clients/{account.uid}/pay/",
        "client-statement": f"/staff/clients/{account.uid}/statement/",
    }


def _played(website: Website, other: Website, client: str) -> dict[str, Any]:
    account = samples.client(website, client)
    clubs = [_club(website, name, email) for name, email in _CLUBS]
    for n, club in enumerate(clubs * 2):
        samples.invoice(club, due_in=14 - 9 * n, title=_TITLES[n % len(_TITLES)])
    _yen(clubs[0])
    _dinar(clubs[1])
    samples.invoice(samples.client(other, "lenore"), title="Prints on cotton paper")
    late = samples.invoice(account, due_in=-20, title="Workshop on accessibility")
    paid = samples.invoice(account, title="Design of the booking site")
    payments.mark_paid(paid, by=None, reference="FT 2026-0417")
    void = samples.invoice(clubs[2], title="Entered twice")
    void.void(reason="Entered twice")
    gone = samples.invoice(clubs[3], due_in=-80, title="Pop-up shop")
    gone.write_off(reason="The company was dissolved.")
    samples.fill_wallet(account, "420.00")
    part = samples.invoice(account, title="Annual maintenance")
    money = Money.parse("1255.73", "EUR")
    payment = payments.pay(part, money, method="manual", by=None, reference="FT 2026-0398")
    payments.refund(payment, Money.parse("55.73", "EUR"), by=None, reason="Charged twice")
    part.refresh_from_db()
    note = issue_credit_note(part, reason="Handbook not delivered", by=None, amount=_eur("107.73"))
    draft = Invoice.objects.draft(
        account=account, lines=samples.lines(website), title="Relaunch, first instalment"
    )
    return {
        "account": account, "late": late, "part": part, "payment": payment, "note": note,
        "draft": draft,
    }  # fmt: skip


def _staff(username: str, website: Website) -> Any:  # noqa: ANN401 - a User
    user = get_user_model().objects.create_user(
        username, password=samples.PASSWORD, first_name=username.title(), last_name="Vogel"
    )
    Membership.objects.create(user=user, website=website, role=Role.ADMIN)
    return user


def _club(website: Website, name: str, email: str) -> Account:
    club = Organisation.objects.create(website=website, name=name, email=email)
    return Account.open_for_organisation(club)


def _yen(account: Account) -> None:
    line = LineDraft("Licence of the typeface", unit_price=Decimal(128_000))
    _issued(account, "JPY", line)


def _dinar(account: Account) -> None:
    line = LineDraft("Freight", unit_price=Decimal("1204.755"))
    _issued(account, "KWD", line)


def _issued(account: Account, currency: str, line: LineDraft) -> None:
    due = account.website.today() + timedelta(days=30)
    made = Invoice.objects.draft(account=account, lines=[line], currency=currency, due_date=due)
    made.issue()


def _eur(amount: str) -> Money:
    return Money.parse(amount, "EUR")
