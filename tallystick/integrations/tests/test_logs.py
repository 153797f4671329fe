"""What the logs must not hold: what a host's own error says of a person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

import pytest
from pytest_django import Settings

from tallystick.integrations import incoming
from tallystick.integrations.logs import SyncLog
from tallystick.integrations.tests import commanding
from tallystick.integrations.tests.commanding import Ninja
from tallystick.integrations.tests.conftest import Site
from tallystick.integrations.translate import InvoiceSync
from tallystick.integrations.turns import Progress
from tallystick.kit.clock import VirtualClock
from tallystick.ports.records import Kind
from tallystick.queue.rows import State

pytestmark = pytest.mark.django_db


def fail(*_: object) -> NoReturn:
    raise ValueError("cannot read anna@example.org")


@pytest.fixture
def relayed(now: VirtualClock) -> Iterator[Ninja]:
    with commanding.relayed(now) as site:
        yield site


def test_a_mapping_that_fails_is_logged_without_its_words(
    relayed: Ninja, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    settings.INVOICE_NINJA_USER_FIELDS = {"nationality": fail}
    relayed.customer()
    relayed.serve()
    assert relayed.link(Kind.CUSTOMER).state == State.DEAD
    assert "the record could not be built: ValueError (" in caplog.text
    assert "anna@" not in caplog.text


def test_what_cannot_be_taken_over_is_logged_without_its_words(
    site: Site, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.invoice()
    monkeypatch.setattr(InvoiceSync, "apply", fail)
    found: Any = type("Found", (), {"remote": type("Remote", (), {"version": ""})})
    log = SyncLog(connection=site.connection)
    incoming.take(site.link(Kind.INVOICE), found, log, Progress("invoices"))
    assert site.link(Kind.INVOICE).difference.endswith("an error of our own: ValueError.")
    assert "could not be taken over: ValueError (" in caplog.text
    assert "anna@" not in caplog.text
