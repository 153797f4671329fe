"""The overview in a real browser: nothing that axe objects to, nothing that the policy blocks."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from tallystick.accounts.models import Account
from tests.browser import overview_scene
from tests.browser.chromium import watch
from tests.browser.sessions import sign_in

pytestmark = pytest.mark.browser

AXE = Path(settings.BASE_DIR) / "frontend/node_modules/axe-core/axe.min.js"


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_overview_is_for_everybody(
    browser: Browser, live_server: LiveServer, account: Account, scheme: str, width: int
) -> None:
    overview_scene.keeper(account.website)
    overview_scene.filled(account.website)
    context = browser.new_context(
        base_url=live_server.url,
        viewport={"width": width, "height": 844},
        color_scheme=scheme,  # type: ignore[arg-type] # one of the two above
    )
    sign_in(context, live_server.url, overview_scene.KEEPER)
    page = context.new_page()
    wrongs = watch(page, live_server.url)
    page.goto("/staff/")
    expect(page.get_by_role("img", name="What came in is")).to_be_visible()
    page.get_by_text("The figures").first.press("Enter")
    expect(page.get_by_role("columnheader", name="Invoiced")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if AXE.exists():
        context.add_init_script(path=AXE)
        page.reload()
        found = page.evaluate("axe.run().then(run => run.violations.map(each => each.id))")
        assert found == []
    page.get_by_role("link", name="This month").press("Enter")
    expect(page.get_by_role("link", name="This month")).to_have_attribute("aria-current", "true")
    assert wrongs == []
    context.close()
