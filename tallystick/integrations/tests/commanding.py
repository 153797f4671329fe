"""Websites that are connected to Invoice Ninja by either route, and how commands are run on them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from typing import Any

from django.core.management import CommandError, call_command
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from tallystick.accounts.models import Website
from tallystick.integrations import clients
from tallystick.integrations.connections import Connection
from tallystick.integrations.tests.conftest import Site
from tallystick.kit.clock import Clock
from tallystick.ports.sandboxing import transport
from tallystick.providers.invoiceninja.sandbox import InvoiceNinjaStand
from tallystick.providers.relay.sandbox import RelayStand

READ_BY_POST = "/api/v1/companies/current"


@dataclass
class Ninja(Site):
    """What would write there is counted."""

    stand: Any

    def writes(self) -> list[str]:
        return [
            f"{call.method} {call.path}"
            for call in list(self.stand.calls)
            if call.method != "GET" and not call.path.startswith(READ_BY_POST)
        ]


@dataclass
class Ran:
    """What a command said, and with what status it ended."""

    status: int
    out: str
    error: str

    def json(self) -> Any:  # noqa: ANN401 - as it comes
        return json.loads(self.out)


def run(*arguments: str) -> Ran:
    out, screen = StringIO(), StringIO()
    try:
        call_command(*arguments, stdout=out, stderr=screen)
    except CommandError as error:
        return Ran(error.returncode, out.getvalue(), str(error))
    assert not screen.getvalue(), "a bar is for a terminal alone"
    return Ran(0, out.getvalue(), "")


def only_reading(*arguments: str) -> Ran:
    """The same, of a command that writes to no table."""
    with CaptureQueriesContext(database) as captured:
        ran = run(*arguments)
    statements = {query["sql"].split()[0].upper() for query in captured.captured_queries}
    assert statements <= {"SELECT", "DECLARE", "SAVEPOINT", "RELEASE"}
    return ran


@contextmanager
def direct(clock: Clock) -> Iterator[Ninja]:
    stand = InvoiceNinjaStand(clock)
    given = {"api_url": "https://invoices.example.com", "request_delay": 0}
    connection = _connection("INVOICE_NINJA", {"api_token": stand.token}, given)
    with clients.using(lambda connection: transport(stand)):
        yield Ninja(connection.website, connection, stand)


@contextmanager
def relayed(clock: Clock) -> Iterator[Ninja]:
    stand = RelayStand(clock)
    given = {"webhook_url": stand.webhook_url}
    connection = _connection("INVOICE_NINJA_RELAY", {"webhook_secret": stand.secret}, given)
    with clients.using(lambda connection: transport(stand)):
        yield Ninja(connection.website, connection, stand)


def _connection(kind: str, secret: dict[str, str], given: dict[str, Any]) -> Connection:
    website = Website.objects.create(
        name="Lindenhof", domain="lindenhof.example", currency="EUR", country="DE", is_default=True
    )
    return Connection.objects.create(
        website=website, type=kind, name="Ninja", credentials=secret, custom_data=given
    )
