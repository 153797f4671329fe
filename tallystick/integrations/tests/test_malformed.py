"""Connections whose settings are incomplete: refused in words, and never a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tallystick.integrations.connections import Connection
from tallystick.integrations.links import Link
from tallystick.integrations.tests import commanding
from tallystick.integrations.tests.commanding import Ninja, run
from tallystick.integrations.turns import Turn
from tallystick.integrations.work import serve, serve_one
from tallystick.kit.clock import VirtualClock
from tallystick.queue.rows import State

pytestmark = pytest.mark.django_db
LACKING = "Reconnect: api_token: Field required"


@pytest.fixture
def direct(now: VirtualClock) -> Iterator[Ninja]:
    with commanding.direct(now) as site:
        site.product()
        Connection.objects.everywhere().update(credentials={})
        site.connection.refresh_from_db()
        yield site


def test_a_turn_refuses_them_and_gives_the_lease_back(direct: Ninja) -> None:
    turn = Turn(direct.connection, "worker")
    assert not serve(turn)
    assert turn.ended_by == LACKING
    direct.connection.refresh_from_db()
    assert direct.connection.needs_reconnect
    assert not direct.connection.lease_owner
    assert Link.objects.get().state == State.DUE


def test_a_worker_says_what_is_lacking_and_counts_no_failed_call(direct: Ninja) -> None:
    serve_one(direct.connection, lambda: False)
    direct.connection.refresh_from_db()
    assert direct.connection.sync_error == LACKING
    assert not direct.connection.failures


@pytest.mark.parametrize(
    "arguments",
    [
        ("sync", "invoice_ninja"),
        ("sync_products_to_invoice_ninja",),
        ("retry_invoice_ninja_syncs", "--now"),
        ("explore_invoice_ninja_schema",),
        ("sync", "invoice_ninja", "--dry-run"),
        ("sync_products_to_invoice_ninja", "--dry-run"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_commands_say_what_is_lacking(direct: Ninja, arguments: tuple[str, ...]) -> None:
    ran = run(*arguments)
    assert ran.status
    assert "api_token: Field required" in ran.out + ran.error


def test_an_import_says_what_is_lacking(direct: Ninja) -> None:
    screen = StringIO()
    with pytest.raises(CommandError, match="could be read"):
        call_command("import_from_invoice_ninja", stdout=StringIO(), stderr=screen)
    assert LACKING in screen.getvalue()
