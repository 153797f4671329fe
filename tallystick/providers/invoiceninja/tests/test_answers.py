from __future__ import annotations

import json

import httpx2
import pytest

from tallystick.kit import clock
from tallystick.ports.descriptions import Description
from tallystick.ports.errors import Garbled, Missing, Refused, Taken, Unauthorized, Unavailable
from tallystick.ports.records import Kind, Remote
from tallystick.ports.roles import Gone, Push
from tallystick.ports.samples import customer
from tallystick.providers.invoiceninja.looking import ENTITIES, NEEDED, UnknownEntity
from tallystick.providers.invoiceninja.tests.answers import (
    TOKEN,
    called,
    fixture,
    ninja,
    refusal,
)
from tallystick.providers.invoiceninja.tests.case import CASE


def test_a_token_that_does_not_count_asks_to_reconnect() -> None:
    client, _ = ninja({"POST companies/current": refusal(403, "invalid_token")})
    with pytest.raises(Unauthorized, match="reconnect: Invalid token"):
        client.ping()


def test_the_token_and_what_keeps_html_away_go_with_every_call() -> None:
    client, network = ninja({})
    assert client.ping().name
    (request,) = network.requests()
    assert request.headers["x-api-token"] == TOKEN
    assert request.headers["x-requested-with"] == "XMLHttpRequest"


def test_first_companies_of_two_servers_are_two() -> None:
    """Their ids are one where the servers kept the salt they came with."""
    first, second = json.loads(fixture("company")), json.loads(fixture("company"))
    second["data"]["company_key"] = "another"
    found = [
        ninja({"POST companies/current": json.dumps(said).encode()})[0].ping().id
        for said in (first, second, first)
    ]
    assert found[0] == found[2] != found[1]
    assert found[0].startswith("VolejRejNm-")


def test_a_user_without_the_right_is_told() -> None:
    lacking = httpx2.Response(401, json={"message": "Not authorized"})
    client, _ = ninja({"POST companies/current": lacking})
    with pytest.raises(Unauthorized, match=r"token's user.*Not authorized"):
        client.ping()


def test_a_wrong_address_is_no_missing_record() -> None:
    client, _ = ninja(
        {"POST companies/current": httpx2.Response(404, json={"message": "No route"})}
    )
    with pytest.raises(Refused, match="API address") as caught:
        client.ping()
    assert not isinstance(caught.value, Missing)


def test_a_complaint_names_its_field() -> None:
    client, _ = ninja({"POST clients": refusal(422, "email_invalid")})
    (outcome,) = client.push_customers([Push(customer(1))], attempt="1")
    assert isinstance(outcome, Refused)
    assert not isinstance(outcome, Taken)
    assert str(outcome).startswith("contacts.0.email: The contacts.0.email must be a valid")


@pytest.mark.parametrize(
    "body",
    [b"[]", b'{"errors": 7}', b'{"errors": {"name": 7}}', b'{"message": null, "errors": []}', b"{"],
)
def test_a_refusal_of_another_shape_is_a_refusal_all_the_same(body: bytes) -> None:
    client, _ = ninja({"POST clients": httpx2.Response(422, content=body)})
    (outcome,) = client.push_customers([Push(customer(1))], attempt="1")
    assert isinstance(outcome, Refused)
    assert str(outcome)


@pytest.mark.parametrize("body", [b"{}", b'{"data": []}', b'{"data": {"id": ""}}', b"null", b"7"])
def test_an_answer_that_is_not_about_what_was_sent_is_garbled(body: bytes) -> None:
    client, _ = ninja({"POST clients": body})
    with pytest.raises(Garbled):
        client.push_customers([Push(customer(1))], attempt="1")


def test_what_is_taken_for_a_repeat_goes_again_when_that_is_forgotten(
    virtual_time: clock.VirtualClock,
) -> None:
    duplicate = refusal(400, "duplicate_request")
    client, network = ninja({"POST clients/bulk": [duplicate, fixture("clients")]})
    before = virtual_time.now()
    gone = Gone("c-1", Remote("Opnel5aKBz"))
    (outcome,) = client.archive(Kind.CUSTOMER, [gone], attempt="1")
    assert isinstance(outcome, Remote)
    assert (virtual_time.now() - before).total_seconds() == 1
    assert len(network.requests()) == 2


@pytest.mark.usefixtures("virtual_time")
def test_what_is_taken_for_a_repeat_again_is_for_later() -> None:
    client, _ = ninja({"POST clients/bulk": refusal(400, "duplicate_request")})
    with pytest.raises(Unavailable, match="repeat"):
        client.archive(Kind.CUSTOMER, [Gone("c-1", Remote("Opnel5aKBz"))], attempt="1")


def test_a_look_takes_two_rows_as_they_come_and_changes_nothing() -> None:
    client, network = ninja({f"GET {entity}": fixture("clients") for entity in ENTITIES})
    for entity in ENTITIES:
        (row,) = client.peek(entity)
        assert row["display_name"] == "Ada Muster 1"
    assert {request.method for request in network.requests()} == {"GET"}
    assert {request.url.params["per_page"] for request in network.requests()} == {"2"}
    assert {called(request) for request in network.requests()} == {f"GET {e}" for e in ENTITIES}
    assert set(NEEDED) == set(ENTITIES)


def test_only_what_is_known_is_looked_at() -> None:
    client, network = ninja({})
    with pytest.raises(UnknownEntity, match="clients, products"):
        client.peek("../companies")
    assert network.requests() == []


@pytest.fixture(scope="module")
def description() -> Description:
    return CASE.description()


@pytest.mark.parametrize(
    ("name", "method", "path", "status"),
    [
        ("client", "POST", "/api/v1/clients", 200),
        ("clients", "GET", "/api/v1/clients", 200),
        ("client_with_staff_contact", "GET", "/api/v1/clients/x", 200),
        ("nobody", "GET", "/api/v1/clients", 200),
        ("product", "POST", "/api/v1/products", 200),
        ("products", "GET", "/api/v1/products", 200),
        ("products_of_others", "GET", "/api/v1/products", 200),
        ("tax_rates", "GET", "/api/v1/tax_rates", 200),
        ("invoice", "POST", "/api/v1/invoices", 200),
        ("invoices", "GET", "/api/v1/invoices", 200),
        ("invoice_whole", "GET", "/api/v1/invoices/x", 200),
        ("invoice_partly_paid", "GET", "/api/v1/invoices/x", 200),
        ("company", "POST", "/api/v1/companies/current", 200),
        ("invalid_token", "GET", "/api/v1/ping", 403),
        ("not_found", "GET", "/api/v1/clients/x", 400),
        ("id_number_taken", "POST", "/api/v1/clients", 422),
        ("email_invalid", "POST", "/api/v1/clients", 422),
    ],
)
def test_fixtures_are_of_the_described_shape(
    description: Description, name: str, method: str, path: str, status: int
) -> None:
    assert description.answer_complaints(method, path, status, fixture(name)) == []
