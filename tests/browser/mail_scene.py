"""The pages about mail, and the mails themselves, for their pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from django.contrib.auth import get_user_model
from django.utils.translation import override
from playwright.sync_api import Browser

from tallystick.accounts.models import Membership, Website
from tallystick.accounts.standing import Role
from tallystick.billing import email_samples
from tallystick.billing.email_kinds import INVOICE_GENERATED, LABELS, PAYMENT_OVERDUE
from tallystick.billing.email_looks import look_of
from tallystick.billing.email_templates import EmailTemplate
from tallystick.billing.email_writing import compose
from tallystick.billing.emails import Email, EmailAttempt, Outcome
from tallystick.billing.tests import samples
from tallystick.kit import clock

Shoot = Callable[..., None]
_SIZES = {"desktop": 640, "phone": 390}
_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_WORDS = (
    "Dear {{ client_name }},\n\nplease find your invoice for **{{ description }}** below."
    "{% if due_date %} It is due on {{ due_date }}.{% endif %}\n\nWith best wishes\nBerlin Okafor"
)


def pages(browser: Browser, origin: str, shoot: Shoot) -> None:
    """Call `shoot` for each page, as `postmaster`, who manages one website."""
    website = samples.studio(name="Harbour Press", domain="post.harbour.example")
    failed = _filled(website)
    templates = "/staff/mail/templates/"
    own = f"{templates}{website.uid}/{INVOICE_GENERATED}/"
    for name, path in {
        "mail": "/staff/mail/",
        "mail-nothing": "/staff/mail/?q=nobody@nowhere.example",
        "mail-one": f"/staff/mail/{failed.uid}/",
        "mail-templates": templates,
        "mail-template": own,
        "mail-template-new": f"{templates}{website.uid}/{PAYMENT_OVERDUE}/?language=de",
    }.items():
        shoot(browser, origin, f"staff-{name}", path, "postmaster")


def mails(browser: Browser, out: Path) -> None:
    """Each kind of mail as a client shows it, in the light and in the dark."""
    website = samples.studio(name="Northwind Mail", domain="mail.northwind.example")
    for key in LABELS:
        overdue = "yes" if key == PAYMENT_OVERDUE else ""
        values = email_samples.sample(website.name, is_overdue=overdue)
        with override("en"):
            letter = compose(key, values, look_of(website))
        for size, width in _SIZES.items():
            for scheme in _SCHEMES:
                page = browser.new_page(
                    viewport={"width": width, "height": 800}, color_scheme=scheme
                )
                page.set_content(letter.html)
                name = f"mail-{key.partition('.')[2]}-{size}-{scheme}.png"
                page.screenshot(path=out / name, full_page=True)
                page.close()


def _filled(website: Website) -> Email:
    user = get_user_model().objects.create_user(
        "postmaster", email="post@harbour.example", password=samples.PASSWORD
    )
    Membership.objects.create(user=user, website=website, role=Role.ADMIN)
    account = samples.client(website, "marta")
    invoices = [samples.invoice(account, due_in=10 - 7 * n) for n in range(6)]
    told = [
        (Outcome.SENT, ""),
        (Outcome.FAILED, "554 5.7.1 Message rejected for policy reasons"),
        (Outcome.BOUNCED, "550 5.1.1 no such user"),
        (Outcome.SUPPRESSED, "The invoice is void."),
        (Outcome.ROUTED, ""),
    ]
    for invoice, (outcome, words) in zip(invoices, told, strict=False):
        _settle(Email.objects.get(invoice=invoice), outcome, words)
    EmailTemplate.write(
        website,
        INVOICE_GENERATED,
        "",
        subject="Your invoice {{ invoice.number }}",
        body="",
        by=user,
    )
    EmailTemplate.write(
        website, INVOICE_GENERATED, "",
        subject="Your invoice {{ invoice.number }}", body=_WORDS, by=user,
    )  # fmt: skip
    return Email.objects.get(invoice=invoices[2])


def _settle(email: Email, outcome: Outcome, words: str) -> None:
    dead = outcome in (Outcome.FAILED, Outcome.BOUNCED)
    Email.objects.filter(pk=email.pk).update(
        state="dead" if dead else "done",
        outcome=outcome,
        last_error=words if dead else "",
        note="" if dead else words,
        sent_at=clock.now() if outcome == Outcome.SENT else None,
    )
    if dead:
        EmailAttempt.note(email, "later", "451 4.7.1 Greylisted, come back in five minutes")
    EmailAttempt.note(email, outcome, words)
