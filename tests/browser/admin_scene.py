"""The admin's pages of what goes to outside systems, for their pictures: every state, long errors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from playwright.sync_api import Browser

from tallystick.accounts.models import Account, Membership, Website
from tallystick.accounts.standing import Role
from tallystick.billing.models import Product
from tallystick.billing.tests import samples
from tallystick.integrations import landing
from tallystick.integrations.connections import Connection
from tallystick.integrations.links import Link, links_of
from tallystick.integrations.logs import SyncLog
from tallystick.integrations.retrying import retry
from tallystick.kit import clock
from tallystick.ports.records import Kind
from tallystick.queue.rows import State

Shoot = Callable[..., None]
LONG = (
    "email: The e-mail address must be a valid one. contacts.0.phone: The phone number may not be "
    "greater than 255 characters. custom_value3: averyverylongwordwithoutanyspaceinitthatmustwrap"
    "somewhereifthepageisnottobecomewiderthanitswindowwhichisthepointofthispicture. Look at "
    "https://invoicing.example/documentation/clients/validation/rules/of/each/field/in/detail."
)

_PANEL = "%23outside-heading"  # as it is written within another address, that of the log-in


def pages(browser: Browser, origin: str, shoot: Shoot) -> None:
    """Call `shoot` for each page, as `warden`, who manages one website."""
    for name, path in paths(filled()).items():
        shoot(browser, origin, f"admin-{name}", path, "warden")


def filled() -> dict[str, Any]:
    website = samples.studio(name="Lindenhof", domain="admin.example", is_default=False)
    warden = get_user_model().objects.create_user(
        "warden", password=samples.PASSWORD, is_staff=True
    )
    Membership.objects.create(user=warden, website=website, role=Role.ADMIN)
    relay = _connection(website, "INVOICE_NINJA_RELAY", "n8n in Frankfurt")
    _connection(website, "XERO", "Xero of the studio")
    direct = _direct(website)
    people = [samples.client(website, name) for name in ("amara", "bela", "chidi", "dilek", "emre")]
    goods = [_product(website, name) for name in ("Zirconia crown", "Night guard", "Whitening")]
    now = clock.now()
    _put(people[0], relay, remote_id="Wpmbk5ezJn", state=State.DONE, attempts=1, synced_at=now)
    _put(people[1], relay, state=State.DEAD, attempts=3, last_error=LONG)
    _put(people[2], relay, attempts=2, last_error="The relay answered 502.", due_at=_soon())
    _put(people[3], relay, state=State.UNCERTAIN, attempts=1, attempt_key="d", due_at=_soon())
    _put(goods[0], relay, remote_id="VolejRejNm", state=State.DONE, attempts=1, synced_at=now)
    _put(goods[1], relay, state=State.DEAD, attempts=3, last_error=_unheard(3))
    failed = links_of(people[1]).get(connection=relay)
    _runs(relay, failed)
    retry(Link.objects.filter(pk=failed.pk))
    _put(people[1], relay, state=State.DEAD, attempts=3, last_error=LONG)
    return {"person": people[1], "product": goods[0], "link": failed, "direct": direct}


def paths(scene: dict[str, Any]) -> dict[str, str]:
    """On a wide window the admin scrolls within: the pages are opened where the panel is."""
    return {
        "users": "/admin/people/user/",
        "user": f"/admin/people/user/{scene['person'].user_id}/change/{_PANEL}",
        "account": f"/admin/accounts/account/{scene['person'].pk}/change/{_PANEL}",
        "products": "/admin/billing/product/",
        "product": f"/admin/billing/product/{scene['product'].pk}/change/{_PANEL}",
        "links": "/admin/integrations/link/",
        "link": f"/admin/integrations/link/{scene['link'].pk}/change/",
        "connection": f"/admin/integrations/connection/{scene['direct'].pk}/change/%23into-heading",
        "fields": f"/admin/integrations/connection/{scene['direct'].pk}/fields/",
    }


def _connection(website: Website, kind: str, name: str) -> Connection:
    return Connection.objects.create(
        website=website,
        type=kind,
        name=name,
        custom_data={"webhook_url": "https://n8n.example/webhook/invoice-ninja-sync"},
    )


def _direct(website: Website) -> Connection:
    """Directly to Invoice Ninja, which is switched off while the relay is on."""
    connection = Connection.objects.create(
        website=website,
        type="INVOICE_NINJA",
        name="Invoice Ninja",
        is_active=False,
        credentials={"api_token": "a-token-for-pictures"},
        custom_data={
            "api_url": "https://invoicing.example",
            "client_fields": {"custom_value2": "signup_date", "address2": "", "phone": "phone"},
            "product_fields": {"custom_value3": "slug"},
        },
    )
    labels = {"custom_value1": "Referral Code", "custom_value2": "Patient since"}
    connection.keep_labels({Kind.CUSTOMER: labels, Kind.PRODUCT: {"custom_value1": "Group"}})
    return connection


def _product(website: Website, name: str) -> Product:
    return Product.objects.create(
        website=website, name=name, price=Decimal("190.00"), currency="EUR", category="Dental"
    )


def _put(obj: Account | Product, connection: Connection, **values: Any) -> None:
    links: models.QuerySet[Link] = links_of(obj).filter(connection=connection)
    if values.get("remote_id"):
        values["remote_url"] = f"https://invoicing.example/#/clients/{values['remote_id']}"
    links.update(attempted_at=clock.now(), **values)


def _unheard(times: int) -> str:
    return landing.given_up(Link(attempts=times), clock.now()).last_error


def _soon() -> Any:  # noqa: ANN401 - a time
    return clock.now() + timedelta(minutes=40)


def _runs(connection: Connection, link: Link) -> None:
    for hours in (2, 3, 5):
        SyncLog.objects.create(
            connection=connection,
            direction="push",
            sync_type=link.kind,
            status=SyncLog.Status.PARTIAL,
            errors=[f"Customer {link.key}: {LONG}"],
            created_at=clock.now() - timedelta(hours=hours),
            duration_ms=900,
        )
