# ruff: noqa: E402 - Django is set up before anything of ours is imported
"""Makes the pictures of all pages: `python -m tests.browser.screens` into `docs/screens/`.

Each page at 1440 and at 390 pixels, in the light and in the dark; documents and mails besides.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Literal

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.db import connections
from django.test.testcases import LiveServerThread
from django.test.utils import (
    setup_databases,
    setup_test_environment,
    teardown_databases,
    teardown_test_environment,
)
from playwright.sync_api import Browser

from tallystick.accounts.models import Account, Tries
from tallystick.billing import documents, paylinks, payments
from tallystick.billing.credit_notes import issue_credit_note
from tallystick.billing.tests import samples
from tallystick.kit.money import Money
from tests.browser import (
    admin_scene,
    bank_scene,
    mail_scene,
    overview_scene,
    portal_scene,
    staff_scene,
)
from tests.browser.chromium import chromium

OUT = Path(settings.BASE_DIR) / "docs" / "screens"
_SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    with _served() as origin, chromium() as browser:
        website = samples.studio(domain=origin.partition("//")[2])
        account = samples.client(website)
        _pages(browser, origin, account)
        _part_payment(browser, origin)
        _documents(account)
        portal_scene.pages(browser, origin, _shoot)
        staff_scene.pages(browser, origin, _shoot)
        bank_scene.pages(browser, origin, _shoot)
        mail_scene.pages(browser, origin, _shoot)
        mail_scene.mails(browser, OUT)
        overview_scene.pages(browser, origin, _shoot)
        admin_scene.pages(browser, origin, _shoot)


def _pages(browser: Browser, origin: str, account: Account) -> None:
    samples.fill_wallet(account, "9100.00")
    asked = samples.invoice(account)
    late = samples.invoice(account, due_in=-20, title="Workshop on accessibility")
    paid = samples.invoice(account, title="Design of the booking site")
    payments.mark_paid(paid, by=None)
    gone = samples.invoice(account)
    paylinks.revoke(gone)
    _shoot(browser, origin, "pay", f"/pay/invoice/{asked.payment_token}/")
    _shoot(browser, origin, "pay-wallet", f"/pay/invoice/{asked.payment_token}/", "ismail")
    _shoot(browser, origin, "pay-overdue", f"/pay/invoice/{late.payment_token}/")
    _shoot(browser, origin, "pay-paid", f"/pay/invoice/{paid.payment_token}/")
    _shoot(browser, origin, "pay-withdrawn", f"/pay/invoice/{gone.payment_token}/")
    _shoot(browser, origin, "pay-unknown", "/pay/invoice/unknown/")
    _shoot(browser, origin, "home", "/")
    _shoot(browser, origin, "log-in", "/accounts/login/")
    _shoot(browser, origin, "not-found", "/nothing/")
    get_user_model().objects.create_superuser("staff", password=samples.PASSWORD)
    _shoot(browser, origin, "admin", "/admin/", "staff")
    _shoot(browser, origin, "admin-invoices", "/admin/billing/invoice/", "staff")


def _part_payment(browser: Browser, origin: str) -> None:
    """A website of another language, with a part paid and the rest open."""
    other = samples.studio(
        name="Atölye Işık",
        legal_name="Işık Tasarım Ltd. Şti.",
        domain="odeme.isik.example",
        language="tr",
        country="TR",
        allow_part_payments=True,
    )
    account = samples.client(other, "gul")
    invoice = samples.invoice(account)
    samples.fill_wallet(account, "6000.00")
    payments.pay(invoice, Money.parse("1255.73", "EUR"), method="manual", by=None)
    path = f"/pay/invoice/{invoice.payment_token}/"
    _shoot(browser, origin, "pay-part-turkish", path, "gul", language="tr")


def _documents(account: Account) -> None:
    """The invoice, a long one and a receipt, as pictures of their pages."""
    invoice = samples.invoice(account)
    many = samples.lines(account.website) * 14
    long = samples.invoice(account, lines=many, title="Many lines")
    _picture("invoice", documents.invoice_pdf(invoice))
    _picture("invoice-long", documents.invoice_pdf(long))
    credited = samples.invoice(account)
    note = issue_credit_note(
        credited,
        reason="One day was not needed.",
        by=None,
        quantities={credited.lines.all()[1]: Decimal("0.25")},
    )
    _picture("credit-note", documents.credit_note_pdf(note))
    _picture("receipt", documents.receipt_pdf(payments.mark_paid(invoice, by=None)))


def _shoot(
    browser: Browser, origin: str, name: str, path: str, user: str = "", *, language: str = "en"
) -> None:
    for size, (width, height) in _SIZES.items():
        for scheme in _SCHEMES:
            Tries.objects.all().delete()  # the pictures are taken faster than the limits allow
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=scheme,
                locale=language,
            )
            page = context.new_page()
            if user:
                page.goto(f"{origin}/accounts/login/?next={path}")
                page.fill("#id_username", user)
                page.fill("#id_password", samples.PASSWORD)
                page.click("main .btn")
            else:
                page.goto(origin + path)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=OUT / f"{name}-{size}-{scheme}.png", full_page=True)
            context.close()


def _picture(name: str, pdf: bytes) -> None:
    command = ["/usr/bin/pdftoppm", "-r", "90", "-png", "-", str(OUT / f"document-{name}")]
    subprocess.run(command, input=pdf, check=True)


@contextmanager
def _served() -> Iterator[str]:
    """The site on a test database, as `http://localhost:port`."""
    setup_test_environment(debug=False)
    databases = setup_databases(verbosity=0, interactive=False)
    thread = LiveServerThread("localhost", StaticFilesHandler, {}, port=0)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    if thread.error:
        raise thread.error
    try:
        yield f"http://localhost:{thread.port}"
    finally:
        thread.terminate()
        connections.close_all()
        teardown_databases(databases, verbosity=0)
        teardown_test_environment()


if __name__ == "__main__":
    main()
