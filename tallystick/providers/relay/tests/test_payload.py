"""What the go-between is told: all keys, always, and nothing that is nobody's business."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from tallystick.kit import clock
from tallystick.ports.errors import ProviderError
from tallystick.ports.records import Customer, Kind, Product, Remote
from tallystick.ports.roles import Gone, Push
from tallystick.providers.relay import Relay
from tallystick.providers.relay.tests.answers import ada, fixture, lesson, relay, sent
from tallystick.providers.relay.tests.case import SENSITIVE

REMOTE = Remote("VolejRejNm")

pytestmark = pytest.mark.usefixtures("virtual_time")


@pytest.mark.parametrize(
    ("name", "allowed"), [("user_created", False), ("user_created_with_health", True)]
)
def test_a_person_of_whom_everything_is_known(name: str, allowed: bool) -> None:
    client, network = relay(send_sensitive_fields=allowed)
    client.push_customers([Push(ada())], attempt="attempt-1")
    assert network.requests()[-1].content == fixture(f"sent_{name}")


def test_a_product_of_which_everything_is_known() -> None:
    client, network = relay()
    client.push_products([Push(lesson())], attempt="attempt-1")
    assert network.requests()[-1].content == fixture("sent_product_created")


def test_what_is_gone() -> None:
    client, network = relay()
    outcomes = client.archive(Kind.CUSTOMER, [Gone("c-7", REMOTE)], attempt="attempt-1")
    assert outcomes == [REMOTE]
    assert network.requests()[-1].content == fixture("sent_user_deleted")
    client.archive(Kind.PRODUCT, [Gone("p-7", REMOTE)], attempt="attempt-2")
    told = sent(network)
    assert (told["event"], told["invoice_ninja_product_id"]) == ("product.deleted", REMOTE.id)
    assert set(told["data"].values()) == {None}
    assert set(told["data"]) == set(json.loads(fixture("sent_product_created"))["data"])


def test_what_is_unknown_is_there_as_null() -> None:
    client, network = relay()
    client.push_customers([Push(Customer(key="c-1", name=""))], attempt="1")
    data = sent(network)["data"]
    full = json.loads(fixture("sent_user_created"))["data"]
    assert list(data) == list(full)
    assert list(data["custom_fields"]) == list(full["custom_fields"])
    assert set(data.pop("custom_fields").values()) == {None}
    known = {name: value for name, value in data.items() if value is not None}
    assert set(known) == {"is_active", "sync_timestamp"}
    plain = Product(key="p-1", code="", name="", price=Decimal("0.10"), currency="")
    client.push_products([Push(plain)], attempt="1")
    data = sent(network)["data"]
    assert list(data) == list(json.loads(fixture("sent_product_created"))["data"])
    known = {name: value for name, value in data.items() if value is not None}
    assert set(known) == {"price", "is_active", "sync_timestamp"}


def test_a_change_names_the_one_that_is_there() -> None:
    client, network = relay()
    client.push_customers([Push(ada(), REMOTE)], attempt="2")
    told = sent(network)
    assert (told["event"], told["invoice_ninja_client_id"]) == ("user.updated", REMOTE.id)
    client.push_products([Push(lesson(), REMOTE)], attempt="3")
    told = sent(network)
    assert (told["event"], told["invoice_ninja_product_id"]) == ("product.updated", REMOTE.id)
    assert told["key"] == lesson().key


def test_times_are_utc(virtual_time: clock.VirtualClock) -> None:
    client, network = relay()
    client.push_customers([Push(ada())], attempt="1")
    told = sent(network)
    assert told["timestamp"] == told["data"]["sync_timestamp"] == "2026-01-01T00:00:00.000Z"


def with_details(record: Any, **changes: object) -> Any:  # noqa: ANN401 - a customer or a product
    told = {**dict(record.details), **changes}
    return replace(record, details=tuple(told.items()))


@pytest.mark.parametrize(
    ("changes", "name", "value"),
    [
        ({"django_user_id": "42"}, "django_user_id", 42),
        ({"django_user_id": "0d6c-uuid"}, "django_user_id", "0d6c-uuid"),
        ({"phone_number": None}, "phone_number", "+49 221 000000"),
        ({"is_active": False}, "is_active", False),
        ({"is_active": None}, "is_active", True),
        ({"django_user_id": "007"}, "django_user_id", "007"),
        ({"referred_by": ""}, "referred_by", None),
        ({"referral_code": 1234}, "referral_code", "1234"),
        ({"referred_by": 0}, "referred_by", "0"),
    ],
    ids=str,
)
def test_details_and_what_stands_in_for_them(
    changes: dict[str, object], name: str, value: object
) -> None:
    client, network = relay()
    client.push_customers([Push(with_details(ada(), **changes))], attempt="1")
    assert sent(network)["data"][name] == value


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("max_discount_percentage", 20, "20"),
        ("category", 3, "3"),
        ("django_product_id", 7, 7),
        ("django_product_id", "a-7", "a-7"),
    ],
)
def test_what_a_product_is_told_by_is_text(name: str, value: object, told: object) -> None:
    client, network = relay()
    client.push_products([Push(with_details(lesson(), **{name: value}))], attempt="1")
    assert sent(network)["data"][name] == told


def test_a_number_of_a_user_is_a_text_among_the_custom_fields() -> None:
    client, network = relay()
    client.push_customers([Push(ada())], attempt="1")
    data = sent(network)["data"]
    assert (data["django_user_id"], data["custom_fields"]["django_user_id"]) == (7, "7")


def test_a_product_without_a_slug_has_its_code() -> None:
    client, network = relay()
    client.push_products([Push(with_details(lesson(), slug=None))], attempt="1")
    assert sent(network)["data"]["slug"] == "lesson-7"


def test_any_text_can_be_sent() -> None:
    client, network = relay()
    name = "Zoë \u0000 \ud800 \U0001f3b8 </script>"
    client.push_customers([Push(replace(ada(), name=name))], attempt="1")
    assert sent(network)["data"]["full_name"] == name


def test_it_reads_all_that_it_sends() -> None:
    for record in (ada(), lesson()):
        assert record.told(Relay.reads) == record


def test_organisations_are_declined() -> None:
    assert "organisation" in Relay.declines(replace(ada(), details=()))
    assert Relay.declines(ada()) == ""
    assert Relay.declines(lesson()) == ""


TROUBLE: list[httpx2.Response | Exception | None] = [
    None,
    httpx2.Response(400, json={"message": "No."}),
    httpx2.Response(500, text="<html>"),
    httpx2.ConnectError("refused"),
]


@pytest.mark.parametrize("answer", TROUBLE, ids=["200", "400", "500", "refused"])
@pytest.mark.parametrize("allowed", [True, False])
def test_nothing_of_a_person_is_in_a_log_or_an_error(
    answer: httpx2.Response | Exception | None,
    allowed: bool,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logging.root, "level", logging.DEBUG)
    told = ""
    with caplog.at_level(logging.DEBUG):
        client, _ = relay(answer, debug=True, send_sensitive_fields=allowed)
        try:
            client.push_customers([Push(ada())], attempt="1")
        except ProviderError as error:
            told = f"{error!r} {error.__cause__!r} {error.__context__!r}"
    assert "n8n.example.org" in caplog.text
    person = [str(value) for name, value in ada().details if len(str(value)) > 3]
    person += [str(value) for _, value in SENSITIVE] + [ada().name, ada().email, ada().phone]
    assert not [value for value in person if value in caplog.text or value in told]
    assert "a secret" not in caplog.text + told
