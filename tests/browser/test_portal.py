"""A client in a real browser: pays from the wallet, signs in with a second factor, without a mouse,
without scripts, on a phone, in the dark."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.conf import settings
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from tallystick.accounts.models import Account, Website
from tallystick.billing import payments
from tallystick.billing.credit_notes import issue_credit_note
from tallystick.billing.invoices import Invoice
from tallystick.billing.tests import samples
from tallystick.kit.money import Money
from tallystick.people.models import User
from tests.browser.chromium import watch
from tests.browser.sessions import sign_in

pytestmark = pytest.mark.browser

AXE = Path(settings.BASE_DIR) / "frontend/node_modules/axe-core/axe.min.js"


def code_of(secret: str) -> str:
    _before, now, _after = yield_hotp_counters_from_time()
    return str(format_hotp_value(hotp_value(secret, now)))


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until what `selector` names has the focus."""
    for _ in range(40):
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"No {selector} within forty tabs.")


def past(account: Account) -> Invoice:
    """Something of everything; returns an invoice that is paid in part."""
    samples.fill_wallet(account, "12000.00")
    part = samples.invoice(account, due_in=-3, title="Hosting")
    payments.pay(part, Money.parse("1255.73", "EUR"), method="manual", by=None)
    issue_credit_note(part, reason="Late", by=None, amount=Money.parse("400", "EUR"))
    samples.invoice(account)
    return part


def test_pays_several_from_the_wallet(
    browser: Browser, live_server: LiveServer, account: Account
) -> None:
    past(account)
    context = browser.new_context(base_url=live_server.url)
    sign_in(context, live_server.url, "ismail")
    page = context.new_page()
    wrongs = watch(page, live_server.url)
    page.goto("/portal/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("1 invoice is overdue")
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Pay the selected from the wallet").click()
    page.get_by_role("button", name="Pay 8,855.73 EUR").click()
    expect(page.get_by_role("status")).to_contain_text("2 invoices are paid.")
    expect(page.get_by_role("heading", level=1)).to_contain_text("You owe nothing.")
    assert wrongs == []
    context.close()


def test_signs_in_with_a_second_factor_by_keyboard_alone(
    browser: Browser, live_server: LiveServer, account: Account
) -> None:
    secret = generate_totp_secret()
    TOTP.activate(User.objects.get(username="ismail"), secret)
    samples.fill_wallet(account, "6000.00")
    invoice = samples.invoice(account)
    context = browser.new_context(base_url=live_server.url)
    page = context.new_page()
    wrongs = watch(page, live_server.url)
    page.goto(f"/portal/invoices/{invoice.uid}/")
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type("ismail")
    page.keyboard.press("Tab")
    page.keyboard.type(samples.PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Code")).to_be_focused()
    page.keyboard.type(code_of(secret))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="5,255.73 EUR")).to_be_visible()
    tab_to(page, ".pay .btn")
    page.keyboard.press("Enter")
    expect(page.locator(".state", has_text="Paid on")).to_be_visible()
    assert wrongs == []
    context.close()


def test_the_second_factor_is_set_up(
    browser: Browser, live_server: LiveServer, account: Account
) -> None:
    context = browser.new_context(base_url=live_server.url)
    sign_in(context, live_server.url, "ismail")
    page = context.new_page()
    wrongs = watch(page, live_server.url)
    page.goto("/portal/profile/")
    page.get_by_role("link", name="Switch it on").click()
    page.get_by_role("link", name="Switch it on").click()
    page.get_by_label("Password").fill(samples.PASSWORD)
    page.get_by_role("button", name="Go on").click()
    secret = page.locator(".details .copy").inner_text()
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Switch it on").click()
    expect(page.locator(".codes li")).to_have_count(10)
    assert wrongs == []
    context.close()


def test_the_pay_page_needs_no_scripts(
    browser: Browser, live_server: LiveServer, account: Account
) -> None:
    samples.fill_wallet(account, "6000.00")
    invoice = samples.invoice(account)
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    sign_in(context, live_server.url, "ismail")
    page = context.new_page()
    page.goto(f"/pay/invoice/{invoice.payment_token}/")
    page.get_by_role("button", name=re.compile("^Pay")).click()
    expect(page.locator(".state", has_text="Paid on")).to_be_visible()
    context.close()


def test_the_websites_colour_passes_the_policy(
    browser: Browser, live_server: LiveServer, account: Account
) -> None:
    Website.objects.update(accent_colour="#1d4ed8")
    invoice = samples.invoice(account)
    context = browser.new_context(base_url=live_server.url, color_scheme="light")
    page = context.new_page()
    wrongs = watch(page, live_server.url)
    page.goto(f"/pay/invoice/{invoice.payment_token}/")
    colour = page.locator(".pay .btn").evaluate("e => getComputedStyle(e).backgroundColor")
    assert colour == "rgb(29, 78, 216)"
    code = page.locator(".qr img")
    code.scroll_into_view_if_needed()
    expect(code).to_have_js_property("complete", value=True)
    assert code.evaluate("e => e.naturalWidth") > 0
    assert wrongs == []
    context.close()


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_portal_is_for_everybody(
    browser: Browser,
    live_server: LiveServer,
    account: Account,
    scheme: Literal["light", "dark"],
    width: int,
) -> None:
    if not AXE.exists():
        pytest.skip("needs axe-core: npm install --no-save, in the folder frontend")
    part = past(account)
    Website.objects.update(accent_colour="#7f1d1d")
    soon = Invoice.objects.everywhere().exclude(pk=part.pk).get()
    context = browser.new_context(
        base_url=live_server.url,
        viewport={"width": width, "height": 844},
        color_scheme=scheme,
        bypass_csp=True,
    )
    sign_in(context, live_server.url, "ismail")
    page = context.new_page()
    for path in (
        "/portal/",
        "/portal/invoices/",
        f"/portal/invoices/{part.uid}/",
        f"/portal/pay/?invoice={part.uid}&invoice={soon.uid}",
        "/portal/payments/",
        "/portal/credit-notes/",
        "/portal/wallet/",
        "/portal/profile/",
        "/accounts/email/",
        "/accounts/password/change/",
        "/accounts/2fa/",
        "/accounts/reauthenticate/",
        f"/pay/invoice/{part.payment_token}/",
    ):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        page.add_script_tag(path=AXE)
        found = page.evaluate("axe.run()")["violations"]
        wrong = [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found]
        assert (path, wrong) == (path, [])
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_way_in_is_for_everybody(
    browser: Browser, live_server: LiveServer, account: Account, scheme: Literal["light", "dark"]
) -> None:
    if not AXE.exists():
        pytest.skip("needs axe-core: npm install --no-save, in the folder frontend")
    context = browser.new_context(base_url=live_server.url, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    for path in (
        "/accounts/login/",
        "/accounts/password/reset/",
        "/accounts/password/reset/done/",
        "/accounts/signup/",
    ):
        page.goto(path)
        page.add_script_tag(path=AXE)
        found = page.evaluate("axe.run()")["violations"]
        assert [(path, rule["id"]) for rule in found] == []
    context.close()
