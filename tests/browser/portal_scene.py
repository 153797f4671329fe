"""What the pictures of the portal, of signing in and of the pay page's rarer states show."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from playwright.sync_api import Browser

from tallystick.accounts.models import Account, Website
from tallystick.accounts.roles import Person
from tallystick.billing import methods, payments
from tallystick.billing.credit_notes import issue_credit_note
from tallystick.billing.invoices import Invoice
from tallystick.billing.methods import PaymentMethod
from tallystick.billing.tests import samples
from tallystick.billing.wallets import Wallet
from tallystick.kit.money import Money
from tallystick.people.models import User

Shoot = Callable[..., None]


class Card(PaymentMethod):
    """A method that waits for word from outside."""

    name = "card"
    label = "Card"

    def may_use(self, invoice: Invoice, user: Person) -> bool:
        return True


def pages(browser: Browser, origin: str, shoot: Shoot) -> None:
    website = samples.studio(
        name="Halden & Brook",
        legal_name="Halden & Brook GmbH",
        domain="billing.halden.example",
        country="DE",
        language="de",
        bank_name="Sparkasse Bremen",
        iban="DE89370400440532013000",
        bic="COBADEFFXXX",
        accent_colour="#1d4ed8",
    )
    account = samples.client(website, "lena")
    several = _past(account)
    _of_the_portal(browser, origin, shoot, several)
    _of_paying(browser, origin, shoot, website)
    _of_signing_in(browser, origin, shoot, website)


def _past(account: Account) -> list[Invoice]:
    samples.fill_wallet(account, "12000.00")
    Wallet.of(account, "EUR").hold(Money.parse("250", "EUR"), reason="Deposit", key="scene")
    titles = ("Design of the booking site", "Workshop on accessibility", "Hosting")
    done = [samples.invoice(account, title=title, due_in=-30) for title in titles]
    payments.mark_paid(done[0], by=None)
    payments.pay(done[1], done[1].due, method="wallet", by=None)
    payments.pay(done[2], Money.parse("1255.73", "EUR"), method="manual", by=None)
    issue_credit_note(
        done[2], reason="Three days without service", by=None, amount=Money.parse("400", "EUR")
    )
    done[0].refresh_from_db()
    soon = samples.invoice(account, title="Annual maintenance", due_in=9)
    return [done[2], soon, done[0]]


def _of_the_portal(browser: Browser, origin: str, shoot: Shoot, invoices: list[Invoice]) -> None:
    part, soon, paid = invoices
    for name, path in (
        ("portal", "/portal/"),
        ("portal-invoices", "/portal/invoices/"),
        ("portal-invoice", f"/portal/invoices/{part.uid}/"),
        ("portal-invoice-paid", f"/portal/invoices/{paid.uid}/"),
        ("portal-pay-several", f"/portal/pay/?invoice={part.uid}%26invoice={soon.uid}"),
        ("portal-payments", "/portal/payments/"),
        ("portal-credit-notes", "/portal/credit-notes/"),
        ("portal-wallet", "/portal/wallet/"),
        ("portal-profile", "/portal/profile/"),
    ):
        shoot(browser, origin, name, path, "lena")
    samples.client(invoices[0].website, "new")
    shoot(browser, origin, "portal-empty", "/portal/", "new")


def _of_paying(browser: Browser, origin: str, shoot: Shoot, website: Website) -> None:
    account = samples.client(website, "paul")
    part, waits, credited = (samples.invoice(account) for _ in range(3))
    payments.pay(part, Money.parse("1255.73", "EUR"), method="manual", by=None)
    issue_credit_note(part, reason="Late", by=None, amount=Money(Decimal(400), "EUR"))
    issue_credit_note(credited, reason="Never delivered", by=None)
    shoot(browser, origin, "pay-part-credited", f"/pay/invoice/{part.payment_token}/")
    shoot(browser, origin, "pay-credited", f"/pay/invoice/{credited.payment_token}/")
    methods.register(Card())
    try:
        payments.pay(waits, waits.due, method="card", by=None)
        shoot(browser, origin, "pay-waiting", f"/pay/invoice/{waits.payment_token}/")
    finally:
        del methods._methods["card"]


def _of_signing_in(browser: Browser, origin: str, shoot: Shoot, website: Website) -> None:
    for name, path in (
        ("access", "/accounts/password/reset/"),
        ("access-sent", "/accounts/password/reset/done/"),
        ("sign-up-closed", "/accounts/signup/"),
    ):
        shoot(browser, origin, name, path)
    shoot(browser, origin, "e-mail", "/accounts/email/", "lena")
    shoot(browser, origin, "password", "/accounts/password/change/", "lena")
    shoot(browser, origin, "still-you", "/accounts/2fa/totp/activate/", "lena")
    samples.client(website, "mira")
    mira = User.objects.get(username="mira")
    TOTP.activate(mira, generate_totp_secret())
    RecoveryCodes.activate(mira)
    shoot(browser, origin, "second-factor", "/portal/", "mira")
    Authenticator.objects.filter(user=mira).delete()
