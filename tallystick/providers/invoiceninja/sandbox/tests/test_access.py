"""Tokens, shapes of errors, the throttle."""

from __future__ import annotations

import pytest

from tallystick.kit.clock import VirtualClock
from tallystick.ports.sandboxing import BadAction, Fault, Request
from tallystick.providers.invoiceninja.sandbox import InvoiceNinjaStand, Limits
from tallystick.providers.invoiceninja.sandbox.tests.api import ROOT, Api


@pytest.mark.parametrize(
    "named", [{}, {"x-api-token": "wrong"}, {"authorization": "Bearer {token}"}]
)
def test_only_the_token_in_its_own_header_counts(api: Api, named: dict[str, str]) -> None:
    headers = {name: text.format(token=api.stand.token) for name, text in named.items()}
    answer = api.client.get(f"{ROOT}/ping", headers=headers)
    assert (answer.status_code, answer.json()) == (403, {"message": "Invalid token"})


def test_ping_and_company(api: Api) -> None:
    answer = api.send("GET", "/ping")
    assert answer.json() == {"company_name": "Demo Company", "user_name": "Sandbox User"}
    assert answer.headers["x-app-version"].startswith("5.")
    company = api.post("/companies/current")
    assert company["settings"]["currency_id"] == "3"
    statics = api.send("GET", "/statics").json()
    assert {"id": "3", "code": "EUR"}.items() <= statics["currencies"][2].items()


def test_the_token_is_the_same_at_each_start_until_renewed(stand: InvoiceNinjaStand) -> None:
    before = stand.token
    assert InvoiceNinjaStand().token == before
    assert stand.act("renew_token", {}) == stand.describe()
    assert stand.token != before
    stand.reset()
    assert stand.token == before


def test_plan_and_rights(api: Api, stand: InvoiceNinjaStand) -> None:
    stand.act("set_rights", {"write": False})
    assert api.send("GET", "/clients").status_code == 200
    assert api.send("POST", "/clients", {"name": "Ada"}).status_code == 401
    assert stand.ledger.counts("clients") == {}
    stand.act("set_rights", {"plan": False})
    answer = api.send("GET", "/ping")
    assert (answer.status_code, list(answer.json())) == (403, ["message"])
    stand.act("set_rights", {})
    assert api.send("POST", "/clients", {"name": "Ada"}).status_code == 200


def test_errors_are_pages_for_who_does_not_ask_for_json(api: Api) -> None:
    headers = {"x-api-token": api.stand.token}
    missing = api.client.get(f"{ROOT}/clients/none", headers=headers)
    assert missing.status_code == 400
    assert missing.headers["content-type"].startswith("text/html")
    invalid = api.client.post(f"{ROOT}/tax_rates", headers=headers)
    assert (invalid.status_code, invalid.headers["location"]) == (302, "/")
    headers["accept"] = "application/json"
    assert api.client.get(f"{ROOT}/clients/none", headers=headers).json()["message"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/clients/none", 400),
        ("PUT", "/clients/none", 400),
        ("GET", "/nothing", 404),
        ("PATCH", "/clients", 404),
        ("POST", "/credits", 404),
        ("GET", "/", 404),
    ],
)
def test_a_missing_record_is_400_a_missing_route_404(
    api: Api, method: str, path: str, status: int
) -> None:
    answer = api.send(method, path)
    assert answer.status_code == status
    assert list(answer.json()) == ["message"]


def test_what_may_not_be_included_is_refused(api: Api) -> None:
    assert api.send("GET", "/clients", include="contacts,nonsense").status_code == 400
    assert api.send("GET", "/clients", include="contacts").status_code == 200
    assert api.send("POST", "/clients", {}, include="nonsense").status_code == 400
    assert api.stand.ledger.counts("clients") == {}


def test_what_is_no_object_counts_as_nothing(api: Api) -> None:
    for body in (b"{", b"[1]", b"null"):
        answer = api.client.post(f"{ROOT}/clients", content=body, headers=api.headers)
        assert answer.status_code == 200
        assert answer.json()["data"]["name"] == ""


def test_no_throttle_where_people_host_it_themselves(api: Api) -> None:
    assert {api.send("GET", "/ping").status_code for _ in range(1100)} == {200}
    assert "x-ratelimit-limit" not in api.send("GET", "/ping").headers


def test_the_throttle_where_it_is_hosted(clock: VirtualClock) -> None:
    stand = InvoiceNinjaStand(clock, limits=Limits.hosted())
    request = Request("GET", "/api/v1/ping", {}, {"x-api-token": stand.token})
    answers = [stand.handle(request) for _ in range(1001)]
    assert [answer.status for answer in answers] == [200] * 1000 + [429]
    assert answers[0].headers["x-ratelimit-remaining"] == "999"
    assert answers[-1].headers["retry-after"] == "60"
    assert answers[-1].headers["x-ratelimit-limit"] == "1000"
    assert answers[-1].body == b'{"message":"Too Many Attempts."}'
    clock.sleep(60)
    assert stand.handle(request).status == 200


def test_limits_are_set_and_lifted(api: Api, stand: InvoiceNinjaStand) -> None:
    assert stand.act("set_limits", {"minute": 1}) == {"minute": 1}
    assert [api.send("GET", "/ping").status_code for _ in range(2)] == [200, 429]
    stand.act("lift_limits", {})
    assert api.send("GET", "/ping").status_code == 200
    with pytest.raises(BadAction, match="minute"):
        stand.act("set_limits", {"minute": 0})


def test_a_fault_answers_in_their_shape(api: Api, stand: InvoiceNinjaStand) -> None:
    stand.faults.switch_on(Fault.model_validate({"kind": "too many", "retry_after": 7}))
    answer = api.send("GET", "/ping")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.json() == {"message": "Too Many Attempts."}
