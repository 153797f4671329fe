"""The overview of a business of some months, for its pictures and for the browser's tests."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth import get_user_model
from playwright.sync_api import Browser

from tallystick.accounts.models import Membership, Website
from tallystick.accounts.standing import Role
from tallystick.billing.emails import Email
from tallystick.billing.tests import business, samples

Shoot = Callable[..., None]
KEEPER = "keeper"


def pages(browser: Browser, origin: str, shoot: Shoot) -> None:
    """Call `shoot` for the overview with nothing in it, then full."""
    website = samples.studio(
        domain="overview.northwind.example", name="Northwind Overview", is_default=False
    )
    keeper(website)
    shoot(browser, origin, "staff-overview-empty", "/staff/", KEEPER)
    filled(website)
    shoot(browser, origin, "staff-overview", "/staff/", KEEPER)
    shoot(browser, origin, "staff-overview-month", "/staff/?period=month", KEEPER)


def keeper(website: Website) -> None:
    """Who keeps the books of `website`."""
    user = get_user_model().objects.create_user(KEEPER, password=samples.PASSWORD)
    Membership.objects.create(user=user, website=website, role=Role.ADMIN)


def filled(website: Website) -> None:
    account = samples.client(website, "overview")
    business.months(account)
    for title in ("Prints", "Frames", "Hosting"):
        samples.invoice(account, title=title)
    Email.objects.filter(website=website).update(outcome=Email.Outcome.BOUNCED)
