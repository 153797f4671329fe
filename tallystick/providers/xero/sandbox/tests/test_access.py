"""Tokens, scopes, tenants, limits, keys: what stands before the books."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tallystick.kit.clock import VirtualClock
from tallystick.ports.sandboxing import Request
from tallystick.providers.xero.sandbox import Limits, XeroStand
from tallystick.providers.xero.sandbox.tests.api import Api, draft, straight


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "authorization_code"}, "unauthorized_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({}, "invalid_request"),
        (
            {"grant_type": "client_credentials", "scope": "accounting.transactions"},
            "invalid_scope",
        ),
    ],
)
def test_a_bad_wish_for_a_token_is_named(api: Api, form: dict[str, str], error: str) -> None:
    answer = api.ask_token(form)
    assert (answer.status_code, answer.json()) == (400, {"error": error})


@pytest.mark.parametrize("auth", [("nobody", "x"), ("", "")])
def test_a_stranger_gets_no_token(api: Api, auth: tuple[str, str]) -> None:
    form = {"grant_type": "client_credentials"}
    assert api.ask_token(form, auth).json() == {"error": "invalid_client"}
    wrong = (api.app.client_id, "wrong")
    assert api.ask_token(form, wrong).json() == {"error": "invalid_client"}


def test_a_token_lasts_thirty_minutes(api: Api, clock: VirtualClock) -> None:
    clock.advance(timedelta(minutes=29, seconds=59))
    assert api.send("GET", "/Organisation").status_code == 200
    clock.advance(timedelta(seconds=1))
    answer = api.send("GET", "/Organisation")
    assert answer.status_code == 401
    assert answer.json()["Status"] == 401


def test_a_scope_is_needed_and_reading_is_less(api: Api) -> None:
    api.headers["authorization"] = f"Bearer {api.token('accounting.contacts.read')}"
    assert api.send("GET", "/Contacts").status_code == 200
    body = {"Contacts": [{"Name": "Ada"}]}
    assert api.send("PUT", "/Contacts", body).status_code == 403
    assert api.send("GET", "/Invoices").status_code == 403
    assert api.send("GET", "/Organisation").status_code == 403


def test_the_tenant_is_named_or_left_empty(api: Api) -> None:
    assert api.send("GET", "/Organisation", xero_tenant_id="").status_code == 200
    other = api.stand.app("Demo Company (Global)").books.id
    assert api.send("GET", "/Organisation", xero_tenant_id=other).status_code == 403
    del api.headers["xero-tenant-id"]
    assert api.send("GET", "/Organisation").status_code == 403


def test_connections_and_disconnecting(api: Api) -> None:
    def connections() -> list[dict[str, str]]:
        answer = api.client.get("https://api.xero.com/Connections", headers=api.headers)
        found: list[dict[str, str]] = answer.json()
        return found

    (connection,) = connections()
    assert connection["tenantId"] == api.app.books.id
    url = f"https://api.xero.com/Connections/{connection['id']}"
    assert api.client.delete(url, headers=api.headers).status_code == 204
    assert connections() == []
    assert api.send("GET", "/Organisation").status_code == 403
    wish = {"grant_type": "client_credentials"}
    assert api.ask_token(wish).json() == {"error": "unauthorized_client"}


def test_xml_unless_json_is_asked_for(api: Api) -> None:
    answer = api.send("GET", "/Organisation", accept="*/*")
    assert answer.headers["content-type"].startswith("text/xml")
    assert answer.text.startswith("<Response>")


def test_the_minute_rolls(api: Api, stand: XeroStand, clock: VirtualClock) -> None:
    stand.limits = Limits(minute=3)
    left = []
    for _ in range(3):
        answer = api.send("GET", "/Organisation")
        left.append(answer.headers["x-minlimit-remaining"])
        clock.advance(timedelta(seconds=10))
    assert left == ["2", "1", "0"]
    over = api.send("GET", "/Organisation")
    assert over.status_code == 429
    assert over.headers["x-rate-limit-problem"] == "minute"
    assert over.headers["retry-after"] == "30"
    clock.advance(timedelta(seconds=30))
    assert api.send("GET", "/Organisation").status_code == 200
    assert api.send("GET", "/Organisation").status_code == 429


def test_the_day_and_the_app_have_limits_too(
    api: Api, stand: XeroStand, clock: VirtualClock
) -> None:
    stand.limits = Limits(day=2)
    for _ in range(2):
        assert api.send("GET", "/Organisation").headers["x-daylimit-remaining"] in "10"
    over = api.send("GET", "/Organisation")
    assert over.headers["x-rate-limit-problem"] == "day"
    assert int(over.headers["retry-after"]) == 86_400
    clock.advance(timedelta(days=1))
    api.headers["authorization"] = f"Bearer {api.token()}"
    stand.limits = Limits(appminute=1)
    assert api.send("GET", "/Organisation").status_code == 200
    assert api.send("GET", "/Organisation").headers["x-rate-limit-problem"] == "appminute"


def test_five_at_once(api: Api, stand: XeroStand) -> None:
    stand.limits = Limits()
    inside = [Request("GET", "/api.xro/2.0/Organisation", {}, api.headers) for _ in range(5)]
    assert [stand.arrive(request) for request in inside] == [None] * 5
    over = straight(stand, api, "GET", "/Organisation")
    assert (over.status, over.headers["x-rate-limit-problem"]) == (429, "concurrent")
    assert "retry-after" not in over.headers
    stand.leave(inside[0])
    assert straight(stand, api, "GET", "/Organisation").status == 200


def test_a_stranger_uses_up_nothing(api: Api, stand: XeroStand) -> None:
    stand.limits = Limits(minute=1)
    for _ in range(3):
        assert api.send("GET", "/Organisation", authorization="Bearer no").status_code == 401
    assert api.send("GET", "/Organisation").status_code == 200


def test_a_key_makes_a_repeat_harmless(api: Api, stand: XeroStand) -> None:
    body = {"Invoices": [draft("")]}
    first = api.send("PUT", "/Invoices", body, idempotency_key="k")
    again = api.send("PUT", "/Invoices", body, idempotency_key="k")
    assert first.status_code == 200
    assert first.content == again.content
    assert len(stand.ledger.counts("invoices")) == 1


def test_a_key_is_for_one_request_only(api: Api) -> None:
    api.send("PUT", "/Contacts", {"Contacts": [{"Name": "Ada"}]}, idempotency_key="k")
    other = api.send("PUT", "/Contacts", {"Contacts": [{"Name": "Bob"}]}, idempotency_key="k")
    assert other.status_code == 400
    assert (
        api.send("PUT", "/Contacts", {"Contacts": []}, idempotency_key="k" * 129).status_code == 400
    )


def test_a_failed_answer_is_replayed_too(api: Api) -> None:
    invoice = {"Invoices": [draft("T-1", Contact={"ContactNumber": "c-1", "Name": "Ada"})]}
    api.invoice("T-1")
    refused = api.send("PUT", "/Invoices", invoice, idempotency_key="k")
    assert refused.status_code == 400
    api.post("Invoices", {"InvoiceNumber": "T-1", "Status": "VOIDED"})
    assert api.send("PUT", "/Invoices", invoice, idempotency_key="k").content == refused.content


def test_a_key_is_forgotten_after_six_minutes(
    api: Api, stand: XeroStand, clock: VirtualClock
) -> None:
    body = {"Invoices": [draft("")]}
    api.send("PUT", "/Invoices", body, idempotency_key="k")
    clock.advance(timedelta(minutes=6))
    api.send("PUT", "/Invoices", body, idempotency_key="k")
    assert len(stand.ledger.counts("invoices")) == 2


def test_keys_can_mean_nothing(api: Api, stand: XeroStand) -> None:
    stand.act("set_idempotency", {"on": False})
    body = {"Invoices": [draft("")]}
    for _ in range(2):
        api.send("PUT", "/Invoices", body, idempotency_key="k")
    assert len(stand.ledger.counts("invoices")) == 2


@pytest.mark.parametrize("path", ["/Nothing", "/Invoices/no-such", "/Items/x/y", "/"])
def test_what_is_not_there(api: Api, path: str) -> None:
    assert api.send("GET", path).status_code == 404


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'{"Contacts": 3}', b"[" * 100_000])
def test_a_body_that_is_no_list(api: Api, body: bytes) -> None:
    answer = api.client.put(
        "https://api.xero.com/api.xro/2.0/Contacts", content=body, headers=api.headers
    )
    assert answer.status_code == 400
    assert answer.json()["Type"] == "PostDataInvalidException"


def test_a_body_has_a_largest_size(api: Api) -> None:
    answer = api.send("PUT", "/Contacts", {"Contacts": [{"Name": "x" * 3_500_000}]})
    assert answer.status_code == 413
