"""A real browser at the desk: writes an invoice and sends it, finds and marks many, opens one and acts
on it; with keys, with axe, on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from tallystick.accounts.models import Account, Membership
from tallystick.accounts.standing import Role
from tallystick.billing import payments
from tallystick.billing.invoices import Invoice
from tallystick.billing.products import Product
from tallystick.billing.states import InvoiceStatus
from tallystick.billing.tests import samples
from tallystick.kit.money import Money
from tests.browser import staff_scene
from tests.browser.chromium import watch
from tests.browser.sessions import sign_in

pytestmark = pytest.mark.browser

AXE = Path(settings.BASE_DIR) / "frontend/node_modules/axe-core/axe.min.js"


@pytest.fixture
def desk(browser: Browser, live_server: LiveServer, account: Account) -> Iterator[Page]:
    """A page on which who manages the website of `account` is signed in."""
    user = get_user_model().objects.create_user("berlin", password=samples.PASSWORD)
    Membership.objects.create(user=user, website=account.website, role=Role.ADMIN)
    samples.lines(account.website)  # makes the tax rates
    context = browser.new_context(base_url=live_server.url)
    sign_in(context, live_server.url, "berlin")
    page = context.new_page()
    wrongs = watch(page, live_server.url)
    yield page
    refused = "status of 422"  # what the browser says of a form that comes back
    assert [wrong for wrong in wrongs if refused not in wrong] == []
    context.close()


def test_writes_an_invoice_and_sends_it(desk: Page, account: Account) -> None:
    Product.objects.create(
        website=account.website, name="Consulting", price=Decimal(90), currency="EUR"
    )
    desk.goto("/staff/invoices/")
    _start_for_ismail(desk)
    desk.get_by_label("Description of line 1").press_sequentially("Consu")
    desk.get_by_role("option", name=re.compile("Consulting")).click()
    expect(desk.get_by_label("Unit price of line 1")).to_have_value("90.00")
    desk.get_by_label("Quantity of line 1").fill("2.5")
    expect(desk.locator("#totals")).to_contain_text("225.00")
    desk.get_by_role("button", name="Add a line").click()
    expect(desk.get_by_label("Description of line 2")).to_be_focused()
    desk.get_by_label("Description of line 2").fill("Travel")
    desk.get_by_label("Unit price of line 2").fill("1,040.50")
    desk.get_by_label("Tax of line 2").select_option("standard")
    expect(desk.locator("#totals")).to_contain_text("1,473.60")
    desk.get_by_role("button", name="Issue and send").click()
    expect(desk.get_by_role("heading", name=re.compile("1,473.60 EUR is due on"))).to_be_visible()
    invoice = Invoice.objects.of(account.website).get()
    assert invoice.number
    assert invoice.emails.count() == 1


def _start_for_ismail(desk: Page) -> None:
    """A new invoice, by keys alone."""
    desk.keyboard.press("n")
    expect(desk.get_by_role("heading", name="New invoice")).to_be_visible()
    desk.wait_for_load_state()  # scripts come last, and what is typed before them finds nobody
    desk.get_by_label("Client", exact=True).press_sequentially("isma")
    expect(desk.get_by_role("option", name=re.compile("İsmail"))).to_be_visible()
    desk.keyboard.press("ArrowDown")
    desk.keyboard.press("Enter")
    expect(desk.get_by_label("Client", exact=True)).to_have_value("İsmail Şahin")


def test_says_which_line_and_field_is_wrong(desk: Page, account: Account) -> None:
    desk.goto(f"/staff/invoices/new/?client={account.uid}")
    desk.get_by_label("Description of line 1").fill("Work")
    desk.get_by_label("Unit price of line 1").fill("ten")
    with desk.expect_response("**/totals/"):
        desk.get_by_label("Quantity of line 1").fill("2")
    with desk.expect_navigation():
        desk.get_by_role("button", name="Save as a draft").click()
    desk.get_by_role("link", name="Line 1: Write it in figures, such as 1,234.5.").click()
    expect(desk.get_by_label("Unit price of line 1")).to_have_value("ten")
    assert not Invoice.objects.of(account.website).exists()


def test_finds_and_marks_many_paid(desk: Page, account: Account) -> None:
    for n in range(3):
        samples.invoice(account, title=f"Late {n}", due_in=-5)
    samples.invoice(account, title="Early")
    desk.goto("/staff/invoices/")
    desk.locator(".tabs label", has_text="Overdue").click()
    expect(desk.locator("[data-row]")).to_have_count(3)
    assert "status=overdue" in desk.url
    desk.keyboard.press("j")
    desk.keyboard.press("x")
    expect(desk.locator("[data-picked]")).to_have_text("1")
    desk.get_by_label("Select all on this page").check()
    desk.get_by_role("button", name="Mark paid").click()
    expect(desk.get_by_role("heading", name="Done for 3 of 3 invoices")).to_be_visible()
    expect(desk.get_by_role("heading", name="Nothing is overdue")).to_be_visible()
    paid = Invoice.objects.of(account.website).filter(status=InvoiceStatus.PAID)
    assert paid.count() == 3


def test_marks_one_paid_in_part_and_credits_the_rest(desk: Page, account: Account) -> None:
    invoice = samples.invoice(account)
    desk.goto(f"/staff/invoices/{invoice.uid}/")
    desk.get_by_role("link", name="Mark paid").click()
    desk.get_by_label("Amount", exact=True).fill("9,999.00")
    desk.get_by_role("button", name="Mark paid").click()
    expect(desk.get_by_text("That is more than is due.")).to_be_visible()
    desk.get_by_label("Amount", exact=True).fill("1,255.73")
    desk.get_by_label("Reference").fill("FT 7")
    desk.get_by_role("button", name="Mark paid").click()
    expect(desk.get_by_role("status")).to_contain_text("4,000.00 EUR is still due")
    desk.get_by_role("link", name="Credit note", exact=True).click()
    desk.get_by_label("An amount").check()
    desk.get_by_label("Amount", exact=True).fill("4,000.00")
    desk.get_by_label("Reason").fill("Cancelled half-way")
    desk.get_by_role("button", name="Credit note").click()
    expect(desk.get_by_role("heading", name=re.compile("was settled on"))).to_be_visible()
    expect(desk.locator(".timeline")).to_contain_text("Credit note CN-")
    invoice.refresh_from_db()
    assert invoice.is_paid


def test_works_without_scripts(browser: Browser, live_server: LiveServer, desk: Page) -> None:
    account = Account.objects.everywhere().get(user__username="ismail")
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    sign_in(context, live_server.url, "berlin")
    page = context.new_page()
    page.goto("/staff/invoices/new/")
    page.get_by_label("Client", exact=True).fill("ismail")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("radio", name=re.compile("İsmail")).check()
    page.get_by_label("Description of line 1").fill("Work")
    page.get_by_label("Unit price of line 1").fill("100")
    page.get_by_role("button", name="Add a line").click()
    page.get_by_label("Description of line 2").fill("More work")
    page.get_by_label("Unit price of line 2").fill("50")
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.get_by_role("heading", name="A draft of 150.00 EUR")).to_be_visible()
    assert Invoice.objects.of(account.website).get().client == account
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_is_accessible(
    browser: Browser, live_server: LiveServer, account: Account, scheme: Literal["light", "dark"]
) -> None:
    if not AXE.exists():
        pytest.skip("needs axe-core: npm install --no-save, in the folder frontend")
    website = samples.studio(name="Scene", domain="scene.example")
    scene = staff_scene.filled(website, client="scene")
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    sign_in(context, live_server.url, "berlin")
    page = context.new_page()
    for path in staff_scene.paths(scene).values():
        page.goto(live_server.url + path)
        page.add_script_tag(path=AXE)
        found = page.evaluate("axe.run()")["violations"]
        wrong = [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found]
        assert (path, wrong) == (path, [])
    context.close()


def test_fits_a_phone(browser: Browser, live_server: LiveServer, account: Account) -> None:
    website = samples.studio(name="Scene", domain="scene.example")
    scene = staff_scene.filled(website, client="scene")
    context = browser.new_context(viewport={"width": 390, "height": 844})
    sign_in(context, live_server.url, "berlin")
    page = context.new_page()
    for path in staff_scene.paths(scene).values():
        page.goto(live_server.url + path)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert (path, width) == (path, 390)
    context.close()


def test_a_statement_is_whole_on_a_phone(desk: Page, account: Account) -> None:
    """Numbers and balances, in the notation that is widest of those that most read."""
    invoice = samples.invoice(account)
    payments.pay(invoice, Money.parse("1255.73", "EUR"), method="manual", by=None)
    desk.set_viewport_size({"width": 390, "height": 844})
    desk.goto(f"/staff/clients/{account.uid}/statement/")
    expect(desk.get_by_text(invoice.number)).to_be_visible()
    expect(desk.get_by_role("group", name="Movements")).to_contain_text("4,000.00")
    cut = desk.evaluate(
        """() => [...document.querySelectorAll('main table, main .scroll, main td')]
            .filter(each => each.scrollWidth > each.clientWidth)
            .map(each => each.textContent.trim())"""
    )
    assert cut == []
