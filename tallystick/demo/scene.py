"""The scene: Django set up on the demo's settings, its data, and the sandbox made ready for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import django

from tallystick.demo.stage import Stage
from tallystick.sandbox.running import Running

if TYPE_CHECKING:
    from tallystick.demo.data import Cast

COMPANIES = {
    "localhost": ("Lindenhof Dental GmbH", "DE"),
    "127.0.0.1": ("Harbour Lane Clinic Ltd", "GB"),
}


def dress(built: Stage, sandbox: Running) -> Cast:
    """Two companies in Xero, two websites here, each connected to its own."""
    django.setup()
    from tallystick.demo.data import fill

    port = built.ports.web
    companies = {
        f"{host}:{port}": _company(sandbox, *company) for host, company in COMPANIES.items()
    }
    return fill(port, {domain: _settings(built, made) for domain, made in companies.items()})


def subscribe(built: Stage, sandbox: Running, cast: Cast) -> None:
    """Paste the webhook addresses at Xero, which asks the running site at once whether it means it."""
    for connection in cast.connections:
        sandbox.xero.act(
            "set_webhook",
            url=f"{built.web}/api/integrations/xero/webhook/{connection.pk}",
            organisation=connection.account,
        )


def _company(sandbox: Running, name: str, country: str) -> dict[str, str]:
    made: dict[str, str] = sandbox.xero.act("add_organisation", name=name, country=country)
    return made


def _settings(built: Stage, company: dict[str, str]) -> dict[str, str]:
    return {
        **{
            name: company[name]
            for name in ("client_id", "client_secret", "tenant_id", "webhook_key")
        },
        "account_code": "200",
        "payment_account_code": "090",
        "currency_code": company["base_currency"],
        "base_url": f"{built.sandbox}/xero/api.xro/2.0",
        "token_url": f"{built.sandbox}/xero/identity/connect/token",
    }
