"""A real browser pays an invoice: by mouse, by keyboard, on a phone, in the light and in the dark."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from tallystick.accounts.models import Account
from tallystick.billing.invoices import Invoice
from tallystick.billing.tests import samples
from tests.browser.chromium import watch

pytestmark = pytest.mark.browser

AXE = Path(settings.BASE_DIR) / "frontend/node_modules/axe-core/axe.min.js"


def pay_page(live_server: LiveServer, invoice: Invoice) -> str:
    return f"{live_server.url}/pay/invoice/{invoice.payment_token}/"


def sign_in(page: Page) -> None:
    page.get_by_label("User name").fill("ismail")
    page.get_by_label("Password").fill(samples.PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_signs_in_and_pays_from_the_wallet(
    browser: Browser, live_server: LiveServer, account: Account
) -> None:
    samples.fill_wallet(account, "6000.00")
    invoice = samples.invoice(account)
    page = browser.new_page()
    wrongs = watch(page, live_server.url)
    page.goto(pay_page(live_server, invoice))
    page.get_by_role("link", name="Sign in to pay from your wallet").click()
    sign_in(page)
    page.get_by_role("button", name="Pay 5,255.73 EUR").click()
    expect(page.locator(".state", has_text="Paid on")).to_be_visible()
    assert page.url == pay_page(live_server, invoice)
    page.reload()
    expect(page.locator(".state", has_text="Paid on")).to_be_visible()
    invoice.refresh_from_db()
    assert invoice.is_paid
    assert wrongs == []
    page.close()


def test_pays_by_keyboard_alone(
    browser: Browser, live_server: LiveServer, account: Account
) -> None:
    samples.fill_wallet(account, "6000.00")
    invoice = samples.invoice(account)
    page = browser.new_page()
    page.goto(f"{live_server.url}/accounts/login/?next=/pay/invoice/{invoice.payment_token}/")
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type("ismail")
    page.keyboard.press("Tab")
    page.keyboard.type(samples.PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="5,255.73 EUR")).to_be_visible()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.pay .btn')"):
            break
    page.keyboard.press("Enter")
    expect(page.locator(".state", has_text="Paid on")).to_be_visible()
    page.close()


def test_asks_within_the_first_screen_of_a_phone(
    browser: Browser, live_server: LiveServer, account: Account
) -> None:
    samples.fill_wallet(account, "6000.00")
    page = browser.new_page(viewport={"width": 390, "height": 664})
    page.goto(
        f"{live_server.url}/accounts/login/?next=/pay/invoice/{samples.invoice(account).payment_token}/"
    )
    sign_in(page)
    button = page.get_by_role("button", name=re.compile("^Pay"))
    box = button.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 664
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_is_accessible(
    browser: Browser, live_server: LiveServer, account: Account, scheme: Literal["light", "dark"]
) -> None:
    if not AXE.exists():
        pytest.skip("needs axe-core: npm install --no-save, in the folder frontend")
    invoice = samples.invoice(account, due_in=-20)
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    for path in (f"/pay/invoice/{invoice.payment_token}/", "/accounts/login/", "/", "/nothing/"):
        page.goto(live_server.url + path)
        page.add_script_tag(path=AXE)
        found = page.evaluate("axe.run()")["violations"]
        assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found] == []
    context.close()


def test_changes_the_language_and_stays(
    browser: Browser, live_server: LiveServer, account: Account
) -> None:
    invoice = samples.invoice(account)
    context = browser.new_context()
    page = context.new_page()
    page.goto(pay_page(live_server, invoice))
    page.get_by_role("button", name="Türkçe").click()
    assert page.url == pay_page(live_server, invoice)
    expect(page.get_by_text("5.255,73").first).to_be_visible()
    context.close()
