"""Made-up requests, as each role: never a mistake of ours, never an answer that is not described.

`SCHEMATHESIS_EXAMPLES` says how many for each call: 170 make 20,000 cases."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
import yaml
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from pytest_django import Settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tallystick.accounts.apikeys import Scope
from tallystick.accounts.limits import Limit
from tallystick.accounts.models import ApiKey
from tallystick.api.pages import written
from tallystick.api.tests.desk import Desk
from tallystick.people.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "3"))
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ROLES = ("admin", "client", "superadmin", "nobody")
DESCRIPTION = yaml.safe_load(written())
CALLS = [(path, method) for path, calls in DESCRIPTION["paths"].items() for method in calls]


@pytest.fixture(scope="module")
def schema() -> Any:  # noqa: ANN401 - not typed there
    found = schemathesis.openapi.from_dict(DESCRIPTION)
    found.app = get_wsgi_application()
    found.location = "/api/v1/schema/"
    return found


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """A request does not end the connection that the test's transaction is of."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def keys(desk: Desk, settings: Settings) -> dict[str, str]:
    settings.API_REQUESTS_PER_MINUTE = settings.API_PUBLIC_REQUESTS_PER_MINUTE = 10**9
    root = User.objects.create_superuser("root")
    people = {"admin": desk.admin, "client": desk.client_user, "superadmin": root}
    return {
        role: ApiKey.issue(website=desk.website, user=user, name=role, scopes=list(Scope))[1]
        for role, user in people.items()
    }


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_made_up_requests(
    call: tuple[str, str],
    role: str,
    schema: Any,  # noqa: ANN401 - not typed there
    desk: Desk,
    keys: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path, method = call
    operation = schema[path][method.upper()]
    headers = {"Authorization": f"Bearer {keys[role]}"} if role in keys else {}
    # Tokens that do not exist soon get no answer but 429, which is tested elsewhere.
    monkeypatch.setattr("tallystick.billing.link_doors.MISSES", Limit("fuzz", 10**9, 60))

    def ask(case: Any) -> None:  # noqa: ANN401 - not typed there
        case.headers = {**(case.headers or {}), **headers}
        case.call_and_validate(checks=CHECKS)

    known = _known(path, desk)
    made_up = operation.as_strategy()
    real = made_up.map(_with(known)) if known else made_up
    _run(ask, st.one_of(real, made_up))


def _run(ask: Callable[[Any], None], cases: st.SearchStrategy[Any]) -> None:
    from hypothesis import given

    unhurried = settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    unhurried(given(case=cases)(lambda case: ask(case)))()


def _known(path: str, desk: Desk) -> dict[str, str]:
    """What stands in the address of a thing that there is."""
    things: dict[str, Any] = {
        "payments": desk.payment,
        "credit-notes": desk.note,
        "wallets": desk.wallet,
        "clients": desk.account,
        "invoices": desk.invoice,
    }
    if "{token}" in path:
        return {"token": desk.invoice.payment_token}
    noun = path.split("/")[4]
    return {"id": str(things[noun].uid)} if "{id}" in path else {}


def _with(known: dict[str, str]) -> Callable[[Any], Any]:
    def put(case: Any) -> Any:  # noqa: ANN401 - not typed there
        case.path_parameters = {**(case.path_parameters or {}), **known}
        return case

    return put
