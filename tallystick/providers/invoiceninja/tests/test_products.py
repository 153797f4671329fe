from __future__ import annotations

import json
import unicodedata
from dataclasses import replace
from decimal import Decimal

import hypothesis
import pytest
from hypothesis import strategies as st

from tallystick.ports.errors import Refused
from tallystick.ports.records import Product, Remote, Tax
from tallystick.ports.roles import Push
from tallystick.ports.samples import product
from tallystick.ports.testing import remotes_of
from tallystick.providers.invoiceninja.products import product_key
from tallystick.providers.invoiceninja.tests.answers import (
    VAT,
    Answers,
    bodies,
    called,
    fixture,
    ninja,
    refusal,
)
from tallystick.providers.invoiceninja.tests.case import CASE
from tallystick.providers.invoiceninja.wording import cut, fitted

THERE = Remote("eP01NkQz7R", "1768471200")
DETAILS = (
    ("django_product_id", 7),
    ("category", "Tuition"),
    ("country_of_origin", "DE"),
    ("max_discount_percentage", "15.00"),
    ("image_url", "https://shop.example.org/lesson.png"),
    ("slug", "lesson"),
)
NEW: Answers = {"GET products": fixture("nobody"), "POST products": fixture("product")}


def lesson(**changes: object) -> Product:
    return replace(product(1, "EUR", VAT), **changes)  # type: ignore[arg-type]


def test_a_product_says_only_what_it_should() -> None:
    client, network = ninja(NEW)
    assert remotes_of(client.push_products([Push(lesson(details=DETAILS))], attempt="1"))
    assert bodies(network, "POST products") == [
        {
            "product_key": "lesson",
            "notes": "One hour, with instruments\nTuition\nDE",
            "price": 40.0,
            "cost": 40.0,
            "custom_value1": "Tuition",
            "custom_value2": "DE",
            "custom_value3": "15.00",
            "custom_value4": "Django_ID_7",
            "tax_name1": "USt",
            "tax_rate1": 19.0,
            "product_image": "https://shop.example.org/lesson.png",
        }
    ]


def test_the_purchase_price_is_left_alone_where_it_is_not_wanted() -> None:
    client, network = ninja(NEW, set_cost=False)
    assert remotes_of(client.push_products([Push(lesson())], attempt="1"))
    assert "cost" not in bodies(network, "POST products")[0]


def test_a_price_in_another_currency_than_the_companys_is_left_out() -> None:
    client, network = ninja(NEW)
    (remote,) = remotes_of(client.push_products([Push(lesson(currency="USD"))], attempt="1"))
    assert not {"price", "cost"} & set(bodies(network, "POST products")[0])
    assert "it is in USD" in remote.remark
    assert "the company's currency, EUR" in remote.remark
    client, _ = ninja(NEW)
    (remote,) = remotes_of(client.push_products([Push(lesson())], attempt="1"))
    assert not remote.remark


def test_notes_are_at_most_a_thousand_characters() -> None:
    client, network = ninja(NEW)
    assert remotes_of(client.push_products([Push(lesson(description="ä" * 5000))], attempt="1"))
    assert bodies(network, "POST products")[0]["notes"] == "ä" * 999 + "…"


def test_a_product_of_others_is_left_alone() -> None:
    client, network = ninja(
        {
            "GET products": [fixture("products_of_others"), fixture("nobody")],
            "POST products": fixture("product"),
        }
    )
    assert remotes_of(client.push_products([Push(lesson())], attempt="1"))
    (sent,) = bodies(network, "POST products")
    assert sent["product_key"].startswith("lesson-1-")
    assert len(sent["product_key"]) <= 50
    calls = [called(r) for r in network.requests() if "products" in called(r)]
    assert calls == ["GET products", "GET products", "POST products"]


def test_a_product_that_bears_the_mark_of_another_of_ours_is_left_alone() -> None:
    there = json.loads(fixture("product"))
    there["data"]["custom_value4"] = "Django_ID_8"
    client, network = ninja({"GET products/eP01NkQz7R": json.dumps(there).encode()})
    (why,) = client.push_products([Push(lesson(details=DETAILS), THERE)], attempt="1")
    assert isinstance(why, Refused)
    assert "Django_ID_8" in str(why)
    assert [called(each) for each in network.requests()] == ["GET products/eP01NkQz7R"]


def test_a_product_that_is_there_is_not_made_again() -> None:
    client, network = ninja(
        {"GET products": fixture("products"), "PUT products/eP01NkQz7R": fixture("product")}
    )
    (remote,) = remotes_of(client.push_products([Push(lesson())], attempt="1"))
    assert remote.id == THERE.id
    assert client.find_products([lesson()]) == [remote]
    assert "POST products" not in [called(r) for r in network.requests()]


@pytest.mark.parametrize(("code", "key"), [("lesson-1", "lesson-1"), ("lesson-2", "lesson-2")])
def test_a_product_by_another_name_gets_its_key(code: str, key: str) -> None:
    client, network = ninja(
        {
            "GET products/eP01NkQz7R": fixture("product"),
            "GET products": fixture("nobody"),
            "PUT products/eP01NkQz7R": fixture("product"),
        }
    )
    assert remotes_of(client.push_products([Push(lesson(code=code), THERE)], attempt="1"))
    assert bodies(network, "PUT products/eP01NkQz7R")[0]["product_key"] == key


def test_an_inactive_product_is_archived_and_comes_back() -> None:
    stand = CASE.stand()
    client = CASE.connect(stand)
    record = product(1, "EUR", CASE.tax)
    (remote,) = remotes_of(client.push_products([Push(record)], attempt="1"))
    for is_active in (False, True):
        push = Push(replace(record, is_active=is_active), remote)
        assert remotes_of(client.push_products([push], attempt="2"))
        (there,) = client.pull_products(since=None).items
        assert (there.code, there.is_active, there.price) == ("lesson-1", is_active, record.price)
        assert there.key == record.key


def test_a_rate_that_is_not_there_is_made_once() -> None:
    client, network = ninja({**NEW, "POST tax_rates": fixture("client")})
    reduced = lesson(tax=Tax("books", Decimal("5.5")))
    for _ in range(2):
        assert remotes_of(client.push_products([Push(reduced)], attempt="1"))
    assert bodies(network, "POST tax_rates") == [{"name": "books", "rate": 5.5}]
    sent = bodies(network, "POST products")
    assert {(one["tax_name1"], one["tax_rate1"]) for one in sent} == {("books", 5.5)}


@pytest.mark.parametrize(
    ("code", "name"), [("USt", "USt 16%"), ("old", "old 16%"), ("", "Tax"), ("x", "Tax x")]
)
def test_the_name_of_a_new_rate_is_nobody_elses(code: str, name: str) -> None:
    client, network = ninja({**NEW, "POST tax_rates": fixture("client")})
    record = lesson(tax=Tax(code, Decimal("16.00")))
    assert remotes_of(client.push_products([Push(record)], attempt="1"))
    assert bodies(network, "POST tax_rates")[0]["name"] == name


def test_who_may_make_no_rates_may_still_use_the_name() -> None:
    client, network = ninja({**NEW, "POST tax_rates": refusal(403, "invalid_token")})
    record = lesson(tax=Tax("books", Decimal(5)))
    assert remotes_of(client.push_products([Push(record)], attempt="1"))
    assert bodies(network, "POST products")[0]["tax_name1"] == "books"


@pytest.mark.parametrize("price", ["1e14", "0.0000001"])
def test_a_price_that_it_cannot_hold_is_refused(price: str) -> None:
    client, _ = ninja(NEW)
    (outcome,) = client.push_products([Push(lesson(price=Decimal(price)))], attempt="1")
    assert isinstance(outcome, Refused)


def test_two_long_names_do_not_become_one() -> None:
    first, second = (product_key("Piano " * 20 + end) for end in ("A", "B"))
    assert first != second
    assert len(first) == len(second) == 50


@pytest.mark.parametrize("character", ["e\u0301", "👩‍👩‍👧", "👍🏽", "🇩🇪", "नि", "❤️"], ids=ascii)
@pytest.mark.parametrize("most", range(1, 12))
def test_no_character_is_cut_in_two(character: str, most: int) -> None:
    kept = cut(character * 8, most)
    assert len(kept) <= most
    assert kept == character * (len(kept) // len(character))


@hypothesis.given(st.text(max_size=120))
def test_keys_are_short_and_as_different_as_what_they_are_made_of(text: str) -> None:
    key = product_key(text)
    assert len(key) <= 50
    assert not any(unicodedata.category(c) == "Cs" for c in key)
    assert len(fitted(text, 20, "A text")) <= 20
    assert product_key(text + "x" * 60) != product_key(text + "x" * 61)
