"""`check_products`, `check_sync_status` and `explore_invoice_ninja_schema`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from tallystick.integrations.connections import Connection
from tallystick.integrations.invoice_ninja.exploring import LABELS, mislabelled, shape
from tallystick.integrations.tests.commanding import Ninja, direct, only_reading, relayed, run
from tallystick.kit.clock import VirtualClock
from tallystick.ports.records import Kind
from tallystick.ports.sandboxing import Fault, FaultKind

PRODUCTS, STATUS = "check_products", "check_sync_status"
EXPLORE = "explore_invoice_ninja_schema"


@pytest.fixture
def ninja(db: None, now: VirtualClock) -> Iterator[Ninja]:
    with direct(now) as site:
        yield site


@pytest.fixture
def relay(db: None, now: VirtualClock) -> Iterator[Ninja]:
    with relayed(now) as site:
        yield site


def test_the_catalogue_with_its_links(ninja: Ninja) -> None:
    product = ninja.product("Crown")
    ninja.serve()
    link = ninja.link(Kind.PRODUCT)
    ran = only_reading(PRODUCTS)
    assert ran.status == 0
    assert f"{product.pk} crown Crown: 190.00 EUR\n    Ninja: synced as {link.remote_id}" in ran.out
    (row,) = run(PRODUCTS, "--json").json()["products"]
    assert row["code"] == "crown"
    assert row["links"][0]["remote_id"] == link.remote_id


def test_the_catalogue_without_a_connection(ninja: Ninja) -> None:
    ninja.product()
    Connection.objects.everywhere().update(is_active=False)
    assert "1 of 1 products." in run(PRODUCTS).out


def test_the_catalogue_goes_page_by_page(ninja: Ninja) -> None:
    products = [ninja.product(f"Crown {number}") for number in range(3)]
    first = run(PRODUCTS, "--limit", "2")
    assert "2 of 3 products." in first.out
    assert f"--after {products[1].pk}" in first.out
    second = run(PRODUCTS, "--after", str(products[0].pk), "--limit", "1")
    assert f"--after {products[1].pk}" in second.out
    last = run(PRODUCTS, "--after", str(products[0].pk), "--limit", str(len(products) - 1))
    assert "More" not in last.out
    assert run(PRODUCTS, "--after", "9" * 25).status == 2
    assert run(PRODUCTS, "--after", "x").status == 2
    rest = run(PRODUCTS, "--after", str(products[1].pk), "--json").json()
    assert [row["id"] for row in rest["products"]] == [str(products[2].pk)]
    assert rest["last"] == str(products[2].pk)
    assert len(run(PRODUCTS, "--all", "--json").json()["products"]) == 3


def test_a_failed_product_is_an_exit_status(ninja: Ninja) -> None:
    refused(ninja)
    ran = run(PRODUCTS)
    assert ran.status == 1
    assert "Ninja: failed: " in ran.out


@pytest.mark.parametrize("command", [PRODUCTS, STATUS])
def test_queries_do_not_grow(ninja: Ninja, command: str) -> None:
    counts = []
    for number in range(2):
        for more in range(1 + 20 * number):
            ninja.product(f"Crown {number} {more}")
        ninja.serve()
        with CaptureQueriesContext(database) as captured:
            run(command, "--all", "--json")
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_the_status_of_each_what_failed_first(ninja: Ninja) -> None:
    good = ninja.product("Good")
    ninja.serve()
    there = ninja.link(Kind.PRODUCT).remote_id
    refused(ninja)
    ran = only_reading(STATUS)
    assert ran.status == 1
    head, first, second = ran.out.splitlines()
    assert head == "0 pending, 1 synced, 1 failed, 0 retry"
    assert first.startswith("failed: ")
    assert second.startswith(
        f"synced: {good.pk} {good.name} (Ninja) <-> {there}, last try 2026-01-01"
    )
    told = run(STATUS, "--json").json()
    assert told["totals"] == {"pending": 0, "synced": 1, "failed": 1, "retry": 0}
    assert told["links"][0]["last_error"]


def test_the_status_is_cut_unless_all_is_asked_for(ninja: Ninja) -> None:
    for number in range(3):
        ninja.product(f"Crown {number}")
    assert "2 of 3; --all lists every one." in run(STATUS, "--limit", "2").out
    assert "--all" not in run(STATUS, "--all").out
    assert len(run(STATUS, "--status", "synced", "--json").json()["links"]) == 0


def test_the_status_of_customers(ninja: Ninja) -> None:
    ninja.customer()
    ninja.serve()
    assert "1 synced" in run(STATUS, "--kind", "contacts").out
    assert "0 synced" in run(STATUS).out


def test_by_relay_it_tells_what_awaits_its_callback(relay: Ninja) -> None:
    relay.product()
    relay.serve()
    ran = run(STATUS)
    assert ran.status == 0
    assert "pending: " in ran.out
    assert "sent and awaiting its callback" in ran.out


def test_dead_credentials_are_told(ninja: Ninja) -> None:
    Connection.objects.everywhere().update(needs_reconnect=True)
    ran = run(STATUS)
    assert ran.status == 1
    assert "Ninja must be reconnected" in ran.error


def test_the_shape_is_read_and_nothing_is_left_there(ninja: Ninja) -> None:
    ninja.stand.company.custom_fields = labelled()
    ninja.stand.add_client("Anna Becker", "anna@example.org", "c-1")
    ninja.stand.add_product("crown", "190")
    ran = only_reading(EXPLORE, "clients", "products", "tax_rates", "invoices", "payments")
    assert ran.status == 0
    assert not ninja.writes()
    assert "invoices (a create needs: client_id)" in ran.out
    assert "    contacts[].email: string, '***'" in ran.out
    assert "    product_key: string, 'crown'" in ran.out
    assert "    price: number, 190" in ran.out
    assert "Becker" not in ran.out
    assert "anna@" not in ran.out
    assert "anna@example.org" in run(EXPLORE, "clients", "--show-values").out


def test_what_is_not_labelled_is_told_with_where_to_do_it(ninja: Ninja) -> None:
    ninja.stand.company.custom_fields = {**labelled(), "client3": "Birthday|date"}
    ran = run(EXPLORE, "clients", "--json")
    assert ran.status == 1
    (words,) = ran.json()["to_set_up"]
    assert "Settings > Custom Fields" in words
    assert "'Nationality'" in words
    assert "it is 'Birthday' of type date" in words
    assert len(mislabelled({})) == 4


def test_an_entity_that_cannot_be_read_stops_no_other(ninja: Ninja) -> None:
    ninja.stand.company.custom_fields = labelled()
    ran = run(EXPLORE, "quotes", "products", "--json")
    entities = ran.json()["entities"]
    assert "problem" in entities["quotes"]
    assert "fields" in entities["products"]
    assert ran.status == 1


def test_the_shape_can_only_be_read_directly(relay: Ninja) -> None:
    ran = run(EXPLORE)
    assert ran.status == 2
    assert "INVOICE_NINJA_API_TOKEN" in ran.error
    assert "WEBHOOK" not in ran.error


def test_dead_credentials_end_the_look(ninja: Ninja) -> None:
    ninja.connection.credentials = {"api_token": "another"}
    ninja.connection.save()
    ran = run(EXPLORE)
    assert ran.status == 1
    assert "another" not in ran.error


def test_a_wrong_entity_is_told_with_those_there_are(ninja: Ninja) -> None:
    ran = run(EXPLORE, "dragons")
    assert ran.status == 2
    assert "clients" in ran.error


def test_a_shape_joins_what_rows_have() -> None:
    rows: list[dict[str, object]] = [
        {"id": "a", "lines": [], "gone": None},
        {"id": "b", "lines": [{"cost": 1}], "gone": ""},
    ]
    told = {(field.name, field.type, str(field.example)) for field in shape(rows)}
    assert ("lines[].cost", "number", "1") in told
    assert ("gone", "null|string", "") in told


@pytest.mark.parametrize(
    "name",
    ["api_token", "contact_key", "email", "first_name", "phone", "private_notes", "client_hash"],
)
def test_what_may_be_personal_or_secret_is_masked(name: str) -> None:
    (field,) = shape([{name: "said"}])
    assert field.example == "***"


def labelled() -> dict[str, str]:
    return {f"client{place}": f"{label}|single_line_text" for place, label in enumerate(LABELS, 1)}


def refused(site: Ninja) -> None:
    site.product("Bad")
    fault = Fault(kind=FaultKind.STATUS, status=422, method="POST", path="/products", times=1)
    site.stand.faults.switch_on(fault)
    site.serve()
