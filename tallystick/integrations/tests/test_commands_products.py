"""`sync_products_to_invoice_ninja`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from unittest.mock import patch

import pytest
from django.core.management import call_command
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from tallystick.billing.models import Product, TaxRate
from tallystick.integrations import sync
from tallystick.integrations.connections import Connection
from tallystick.integrations.invoice_ninja import catalogue
from tallystick.integrations.invoice_ninja.batch import TAKEN, Batch, Fate
from tallystick.integrations.links import Link
from tallystick.integrations.tests.commanding import Ninja, direct, only_reading, relayed, run
from tallystick.kit.clock import VirtualClock
from tallystick.ports.records import Kind
from tallystick.ports.sandboxing import Fault, FaultKind
from tallystick.queue.rows import State

SYNC = "sync_products_to_invoice_ninja"


@pytest.fixture
def ninja(db: None, now: VirtualClock) -> Iterator[Ninja]:
    with direct(now) as site:
        yield site


@pytest.fixture
def relay(db: None, now: VirtualClock) -> Iterator[Ninja]:
    with relayed(now) as site:
        yield site


def test_ten_are_sent_and_with_all_the_rest(ninja: Ninja) -> None:
    many(ninja, 12)
    ran = run(SYNC)
    assert ran.status == 0
    assert "10 created, 0 updated, 0 unchanged, 0 failed." in ran.out
    assert "2 created" in run(SYNC, "--all").out
    assert sum(ninja.made("products").values()) == 12
    assert set(ninja.made("products").values()) == {1}


def test_count_is_how_many(ninja: Ninja) -> None:
    many(ninja, 3)
    assert "2 created" in run(SYNC, "--count", "2").out
    assert "1 created" in run(SYNC, "--count", "2").out
    assert "0 created, 0 updated, 0 unchanged, 0 failed." in run(SYNC, "--count", "2").out


def test_those_older_than_the_connection_are_new_too(ninja: Ninja) -> None:
    ninja.product()
    Link.objects.all().delete()
    assert "1 created" in run(SYNC).out


def test_what_is_in_step_is_sent_again_only_by_force(ninja: Ninja) -> None:
    product = ninja.product()
    run(SYNC)
    before = len(ninja.writes())
    assert "0 updated" in run(SYNC, "--all").out
    assert len(ninja.writes()) == before
    assert "1 updated" in run(SYNC, "--all", "--force-update").out
    assert len(ninja.writes()) > before
    assert "1 unchanged" in run(SYNC, "--product-id", str(product.pk)).out


def test_a_change_is_an_update(ninja: Ninja) -> None:
    product = ninja.product()
    run(SYNC)
    product.price = Decimal(200)
    product.save()
    assert "0 created, 1 updated" in run(SYNC).out


def test_one_is_meant_whatever_its_state(ninja: Ninja) -> None:
    first, _ = many(ninja, 2)
    assert "1 created" in run(SYNC, "--product-id", str(first.pk)).out
    (link,) = Link.objects.filter(state=State.DONE)
    assert link.local_id == str(first.pk)


def test_one_failure_stops_no_other_and_is_told(ninja: Ninja) -> None:
    bad, good = many(ninja, 2)
    refuse_first(ninja)
    ran = run(SYNC)
    assert ran.status == 1
    assert "1 created, 0 updated, 0 unchanged, 1 failed." in ran.out
    failed = Link.objects.get(state=State.DEAD)
    assert f"product {failed.local_id} ({failed.key}): {failed.last_error}" in ran.out
    assert failed.last_error
    assert {failed.local_id} < {str(bad.pk), str(good.pk)}


def test_what_was_given_up_does_not_take_the_place_of_others(ninja: Ninja) -> None:
    ninja.product("First")
    refuse_first(ninja)
    assert "given up before" not in run(SYNC).out
    ninja.product("Second")
    ran = run(SYNC, "--count", "1")
    assert "1 created" in ran.out
    assert "1 were given up before" in ran.out
    assert ran.status == 0
    assert "1 created" in run(SYNC, "--force-update").out


def test_a_connection_that_rests_is_told_where_nothing_was_due_too(
    ninja: Ninja, now: VirtualClock
) -> None:
    product = ninja.product()
    run(SYNC)
    rests = {"failures": 5, "rests_until": now.now() + timedelta(hours=1), "rest_reason": "Down."}
    Connection.objects.everywhere().update(**rests)
    ran = run(SYNC, "--product-id", str(product.pk))
    assert ran.status == 1
    assert "Rests until 2026-01-01 01:00:00 UTC: Down." in ran.out
    Connection.objects.everywhere().update(rests_until=None, sync_error="Timed out.")
    assert "Ninja, billing.Product: Timed out." in run(SYNC, "--product-id", str(product.pk)).out
    Connection.objects.everywhere().update(failures=0, needs_reconnect=True, sync_error="")
    assert "Reconnect it in the admin" in run(SYNC, "--product-id", str(product.pk)).out


def test_what_another_process_has_in_hand_is_told(ninja: Ninja, now: VirtualClock) -> None:
    product = ninja.product()
    Link.objects.filter(kind=Kind.PRODUCT).update(
        state=State.UNCERTAIN, attempt_key="x", due_at=now.now() + timedelta(minutes=1)
    )
    choice = catalogue.Choice(sync.sync_of("billing.Product"), ninja.connection, 1)
    batch = Batch(choice, lambda count: None)
    entry = catalogue.Entry(product, Link.objects.get(kind=Kind.PRODUCT))
    with patch.object(catalogue.Choice, "pages", lambda choice: iter([[entry]])):
        (told,) = batch.run()
    assert (told.fate, batch.cause) == (Fate.WAITING, TAKEN)


def test_a_dry_run_tells_each_field_and_writes_nothing(ninja: Ninja) -> None:
    product = ninja.product("Crown", "190.00")
    run(SYNC)
    product.price = Decimal("205.50")
    product.save()
    new = ninja.product("Bridge", "80.00")
    writes = len(ninja.writes())
    ran = only_reading(SYNC, "--dry-run")
    assert ran.status == 0
    link = Link.objects.get(local_id=str(product.pk))
    assert f"would update product {product.pk} ({link.key}) as {link.remote_id}" in ran.out
    assert "price: 190.0 -> 205.5" in ran.out
    assert "product_key: crown" not in ran.out
    assert f"would create product {new.pk}" in ran.out
    assert "product_key: (nothing) -> bridge" in ran.out
    assert len(ninja.writes()) == writes


def test_a_dry_run_makes_no_tax_rate(ninja: Ninja) -> None:
    rate = TaxRate.objects.create(
        website=ninja.website, code="vat-13", name="VAT", percent=Decimal(13)
    )
    ninja.product()
    Product.objects.everywhere().update(tax_rate=rate)
    ran = only_reading(SYNC, "--dry-run")
    assert "tax_name1: (nothing) -> vat-13" in ran.out
    assert not ninja.writes()


def test_a_dry_run_by_force_compares_what_is_in_step(ninja: Ninja) -> None:
    product = ninja.product()
    run(SYNC)
    link = ninja.link(Kind.PRODUCT)
    ninja.stand.edit_product(link.remote_id, {"notes": "Edited there"})
    ran = only_reading(SYNC, "--dry-run", "--force-update", "--json")
    (report,) = ran.json()["connections"]
    assert report["products"] == [
        {
            "id": str(product.pk),
            "key": link.key,
            "remote_id": link.remote_id,
            "would": "update",
            "reason": "",
            "changes": [{"field": "notes", "there": "Edited there", "here": ""}],
        }
    ]
    ninja.stand.edit_product(link.remote_id, {"notes": ""})
    assert "no field differs" in run(SYNC, "--dry-run", "--force-update").out


def test_a_dry_run_reads_of_no_more_than_the_count(ninja: Ninja) -> None:
    many(ninja, 4)
    ran = run(SYNC, "--dry-run", "--all", "--count", "1")
    assert ran.out.count("would create product") == 4
    assert ran.out.count("product_key:") == 1


def test_by_relay_it_is_sent_and_awaited(relay: Ninja) -> None:
    relay.product()
    assert "product_key" not in (dry := only_reading(SYNC, "--dry-run").out)
    assert "    price: 190" in dry
    ran = run(SYNC)
    assert ran.status == 0
    assert "1 sent and awaiting their callback" in ran.out
    assert "0 created" in run(SYNC).out
    assert len(relay.writes()) == 1


def test_many_go_in_pages(ninja: Ninja, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "PAGE", 2)
    many(ninja, 5)
    assert "3 created" in run(SYNC, "--count", "3").out
    assert "2 created" in run(SYNC, "--all").out
    assert set(ninja.made("products").values()) == {1}


def test_json_is_one_document(ninja: Ninja) -> None:
    many(ninja, 2)
    refuse_first(ninja)
    ran = run(SYNC, "--json")
    assert ran.status == 1
    (report,) = ran.json()["connections"]
    assert report["model"] == "billing.Product"
    assert report["counts"]["created"] == 1
    assert report["counts"]["failed"] == 1
    assert sorted(product["result"] for product in report["products"]) == ["created", "failed"]


def test_a_second_run_at_once_leaves_it_to_the_first(ninja: Ninja) -> None:
    ninja.product()
    assert ninja.connection.acquire("another", 3600)
    ran = run(SYNC)
    assert ran.status == 0
    assert "A worker is at it already" in ran.out
    assert not ninja.writes()
    assert ninja.link(Kind.PRODUCT).state == State.DUE


def test_it_waits_for_the_turn_of_another(ninja: Ninja) -> None:
    many(ninja, 3)
    assert ninja.connection.acquire("another", 20)
    assert "3 created" in run(SYNC).out


def test_refused_credentials_end_it(ninja: Ninja) -> None:
    many(ninja, 3)
    ninja.connection.credentials = {"api_token": "another"}
    ninja.connection.save()
    ran = run(SYNC)
    assert ran.status == 1
    assert "3 still due" in ran.out
    assert "reconnect" in run(SYNC).out


def test_it_waits_for_a_limit_that_is_used_up(ninja: Ninja) -> None:
    given = {**ninja.connection.custom_data, "calls_per_minute": 3}
    Connection.objects.everywhere().update(custom_data=given)
    many(ninja, 4)
    assert "4 created" in run(SYNC).out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--count", "0"], "whole number"),
        (["--all", "--product-id", "1"], "not allowed with"),
        (["--product-id", "999"], "check_products"),
        (["--product-id", "x"], "no id of a billing.Product"),
        (["--product-id", "9" * 25], "no id of a billing.Product"),
        (["--model", "billing.Invoice"], "billing.Product"),
        (["--connection", "999"], "INVOICE_NINJA_API_URL"),
    ],
)
def test_wrong_options_are_told_with_the_way_out(
    ninja: Ninja, arguments: list[str], words: str
) -> None:
    ran = run(SYNC, *arguments)
    assert words in ran.error
    assert not ran.out


def test_without_a_connection_it_says_what_to_set(db: None) -> None:
    ran = run(SYNC)
    assert ran.status == 2
    assert "INVOICE_NINJA_WEBHOOK_URL" in ran.error
    assert "admin" in ran.error


def test_on_a_terminal_it_shows_how_far_it_is(ninja: Ninja) -> None:
    many(ninja, 2)
    screen = Terminal()
    call_command(SYNC, stdout=StringIO(), stderr=screen)
    assert "2/2" in screen.getvalue()
    assert screen.getvalue().endswith("\r\x1b[K")


def test_queries_do_not_grow_with_the_products(ninja: Ninja) -> None:
    many(ninja, 2)
    run(SYNC, "--all")
    few = queries("--all", "--force-update", "--dry-run", "--count", "1")
    many(ninja, 20, "More")
    run(SYNC, "--all")
    assert queries("--all", "--force-update", "--dry-run", "--count", "1") <= few


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def many(site: Ninja, count: int, name: str = "Crown") -> list[Product]:
    return [site.product(f"{name} {number}") for number in range(count)]


def refuse_first(site: Ninja) -> None:
    fault = Fault(kind=FaultKind.STATUS, status=422, method="POST", path="/products", times=1)
    site.stand.faults.switch_on(fault)


def queries(*arguments: str) -> int:
    with CaptureQueriesContext(database) as captured:
        run(SYNC, *arguments)
    return len(captured)
