from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from tallystick.accounts.models import ApiKey
from tallystick.api.bodies import read_json
from tallystick.api.pages import written
from tallystick.api.problem_kinds import KINDS, named, refusals_of_billing
from tallystick.api.tests.desk import ROOT, Caller, Desk, anybody
from tallystick.kit.clock import VirtualClock
from tallystick.kit.signing import token

pytestmark = pytest.mark.django_db
DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed_json"),
        (b"\xff", 400, "malformed_json"),
        (b"[" * 100_000, 400, "malformed_json"),
        (b'{"a":' * 30 + b"1" + b"}" * 30, 400, "malformed_json"),
        (b'{"title": ' + b"9" * 5000 + b"}", 400, "malformed_json"),
        (b'{"title": 1e999999999}', 400, "malformed_json"),
        (b'{"title": NaN}', 400, "malformed_json"),
        (b'{"title": "a", "title": "b"}', 400, "malformed_json"),
        (b'{"title": "\\ud800"}', 422, "invalid"),
        (b'{"title": "\\u0000"}', 422, "invalid"),
        (b'{"\\u0000": 1}', 400, "malformed_json"),
        (b'"text"', 422, "invalid"),
        (b"[]", 422, "invalid"),
        (b"null", 422, "invalid"),
        (b'{"client": {"id": 1}, "lines": [1, "a", null, [], {}]}', 422, "invalid"),
        (b'{"client": ["x"], "lines": {"0": 1}}', 422, "invalid"),
        (b" " * 1_048_577, 413, "too_large"),
    ],
)
def test_hostile_bodies(desk: Desk, body: bytes, status: int, code: str) -> None:
    told = desk.as_admin().post("invoices/", body)
    assert (told.status, told.code) == (status, code)
    assert told.body["type"].endswith(f"/api/problems/{code}/")
    assert told.body["instance"] == f"{ROOT}/invoices/"


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", "text/xml", ""])
def test_only_json_is_read(desk: Desk, kind: str) -> None:
    told = desk.as_admin().client.post(f"{ROOT}/invoices/", b"{}", content_type=kind)
    assert told.status_code == 415
    assert told["Content-Type"] == "application/problem+json"


def test_numbers_are_read_exactly() -> None:
    assert str(read_json(b"[0.1]")[0]) == "0.1"


@pytest.mark.parametrize("path", ["", "nothing/", "invoices", "invoices/1/", "invoices/x/void/"])
def test_what_is_not_there(desk: Desk, path: str) -> None:
    told = desk.as_admin().get(f"{ROOT}/{path}")
    assert (told.status, told.code) == (404, "not_found")


def test_what_is_not_done_here(desk: Desk) -> None:
    for method in ("DELETE", "PUT", "OPTIONS", "TRACE", "PROPFIND"):
        told = desk.as_admin().send(method, "invoices/")
        assert (told.status, told.code) == (405, "method_not_allowed")
        assert "GET" in told.response["Allow"]


def test_a_key_is_wrong_in_one_way(desk: Desk, now: VirtualClock) -> None:
    key, text = ApiKey.issue(website=desk.website, user=desk.admin, name="a", scopes=["read"])
    assert Caller(key=text).get("invoices/").status == 200
    key.revoke()
    unlike = f"tally_{'0' * 12}_{token(256)}"
    answers = [Caller(key=each).get("invoices/") for each in (text, unlike, "x", "tally_")]
    assert {(told.status, told.body["detail"], told.body["code"]) for told in answers} == {
        (401, KINDS["key_refused"].help, "key_refused")
    }
    assert answers[0].response["WWW-Authenticate"] == 'Bearer realm="api"'
    assert anybody().get("invoices/").code == "not_authenticated"


def test_guesses_of_keys_are_limited(desk: Desk, now: VirtualClock) -> None:
    good = desk.as_key()
    for _ in range(20):
        assert Caller(key=f"tally_{'0' * 12}_{token(256)}").get("invoices/").status == 401
    told = Caller(key=f"tally_{'0' * 12}_{token(256)}").get("invoices/")
    assert (told.status, told.code) == (429, "throttled")
    # Else a guess that hits would be known by its answer.
    assert good.get("invoices/").status == 429
    now.advance(timedelta(seconds=61))
    assert good.get("invoices/").status == 200


def test_requests_are_limited_by_key_and_person(desk: Desk, settings: Settings) -> None:
    settings.API_REQUESTS_PER_MINUTE = 2
    first, second = desk.as_key(), desk.as_key()
    told = first.get("invoices/")
    assert told.response["RateLimit"] == '"requests";r=1;t=60'
    assert told.response["RateLimit-Policy"] == '"requests";q=2;w=60'
    assert [first.get("invoices/").status for _ in range(2)] == [200, 429]
    assert first.get("invoices/").response["Retry-After"] == "60"
    assert second.get("invoices/").status == 200
    assert desk.as_admin().get("invoices/").status == 200


def test_every_problem_has_its_page(client: Client) -> None:
    codes = [*KINDS, *(code for code, _ in refusals_of_billing())]
    assert len(codes) > 40
    for code in codes:
        kind = named(code)
        assert kind is not None
        page = client.get(f"/api/problems/{code}/")
        assert page.status_code == 200
        assert "unsafe" not in page["Content-Security-Policy"]
    assert client.get("/api/problems/none-such/").status_code == 404


def test_the_guide_names_every_problem() -> None:
    guide = (DOCS / "api.md").read_text()
    assert [code for code in KINDS if f"`{code}`" not in guide] == []


def test_the_description_changes_only_on_purpose() -> None:
    """After a change: manage.py spectacular --file docs/openapi.yaml"""
    assert (DOCS / "openapi.yaml").read_bytes() == written()


def test_the_description_is_served_and_shown_without_inline_scripts(client: Client) -> None:
    assert b"openapi: 3.1" in client.get("/api/v1/schema/").content
    page = client.get("/api/v1/docs/")
    text = page.content.decode()
    assert "unsafe" not in page["Content-Security-Policy"]
    assert "style=" not in text
    assert all("src=" in each.split(">")[0] for each in text.split("<script")[1:])
