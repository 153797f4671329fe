from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks
from pytest_django.fixtures import Settings

from tallystick.integrations import environment
from tallystick.integrations.connections import Connection
from tallystick.integrations.tests.conftest import Site


@pytest.fixture
def values(settings: Settings) -> dict[str, Any]:
    settings.XERO = {
        "client_id": "app",
        "client_secret": "first",
        "tenant_id": "6f6e1d1c-0000-4000-8000-000000000001",
        "account_code": "200",
        "currency_code": "EUR",
        "amount_type": "EXCLUSIVE",
        "base_url": "",
    }
    given: dict[str, Any] = settings.XERO
    return given


def test_the_environment_makes_one_connection(site: Site, values: dict[str, Any]) -> None:
    Connection.objects.of(site.website).update(name="Other")
    environment.connect()
    environment.connect()
    connection = Connection.objects.of(site.website).get(from_environment=True)
    assert connection.credentials["client_secret"] == "first"
    assert "client_secret" not in connection.custom_data


def test_a_changed_secret_mends_a_refused_connection(site: Site, values: dict[str, Any]) -> None:
    Connection.objects.of(site.website).update(name="Other")
    (connection,) = environment.connect()
    connection.refuse("no")
    values["client_secret"] = "second"
    environment.connect()
    connection = Connection.objects.of(site.website).get(from_environment=True)
    assert not connection.needs_reconnect


def test_a_missing_setting_is_one_line_that_names_it(values: dict[str, Any]) -> None:
    del values["tenant_id"]
    (error,) = [message for message in run_checks(databases=[]) if message.id == "tallystick.E101"]
    assert error.msg.startswith("XERO_TENANT_ID: ")


def test_nothing_is_asked_of_who_does_not_use_it(settings: Settings) -> None:
    settings.XERO = {"client_id": ""}
    assert not [message for message in run_checks(databases=[]) if message.id == "tallystick.E101"]
