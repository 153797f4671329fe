"""The scene: Django set up on the demo's settings, its data, and the sandbox made ready for it."""

from __future__ import annotations

import secrets
from io import StringIO
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
    """Two companies in Xero, two websites here, each connected to its own; one of them to Invoice
    Ninja directly, the other by the relay."""
    django.setup()
    from tallystick.demo.data import Outside, fill

    port = built.ports.web
    companies = {
        f"{host}:{port}": _company(sandbox, *company) for host, company in COMPANIES.items()
    }
    xero = {domain: _settings(built, made) for domain, made in companies.items()}
    return fill(port, Outside(xero, _ninja(built, sandbox), _relay(built, sandbox)))


def subscribe(built: Stage, sandbox: Running, cast: Cast) -> None:
    """Paste the webhook addresses at Xero, which asks the running site at once whether it means it,
    and order those of Invoice Ninja."""
    from django.core.management import call_command

    call_command("webhook_url", "invoice_ninja", stdout=StringIO())
    for connection in cast.connections:
        sandbox.xero.act(
            "set_webhook",
            url=f"{built.web}/api/integrations/xero/webhook/{connection.pk}",
            organisation=connection.account,
        )


def _ninja(built: Stage, sandbox: Running) -> dict[str, str]:
    company = sandbox.stand("invoiceninja").act("describe")
    return {
        "api_url": f"{built.sandbox}/invoiceninja",
        "api_token": company["token"],
        "webhook_secret": secrets.token_urlsafe(32),
        "request_delay": "0",
    }


def _relay(built: Stage, sandbox: Running) -> dict[str, str]:
    secret = secrets.token_urlsafe(32)
    told = sandbox.stand("relay").act("configure", callback_url=built.web, secret=secret)
    return {"webhook_url": told["webhook_url"], "webhook_secret": secret}


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
