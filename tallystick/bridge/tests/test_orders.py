"""What becomes of a delivery: one client or product there, one answer here."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tallystick.bridge import orders
from tallystick.bridge.book import State
from tallystick.bridge.bridge import MOST_TRIES
from tallystick.bridge.carrier import Relayed
from tallystick.bridge.tests import samples
from tallystick.bridge.tests.world import World
from tallystick.kit.clock import VirtualClock
from tallystick.ports.sandboxing import Fault, FaultKind

Sample = Callable[[], dict[str, Any]]


def test_a_user_becomes_a_client(world: World) -> None:
    world.send(samples.user())
    world.settle()
    (client,) = world.clients()
    assert (client["name"], client["id_number"]) == ("Ada Muster 17", samples.user()["key"])
    assert [client[f"custom_value{n}"] for n in (1, 2, 3, 4)] == ["SUN", "Grace", "DE", "17"]
    assert "2026-01-02" in client["private_notes"]
    (contact,) = client["contacts"]
    assert (contact["first_name"], contact["email"]) == ("Ada", "ada17@example.org")
    assert contact["phone"] == "+49 221 000000"
    assert world.site.paths == ["/api/invoice-ninja/client-created/"]
    assert world.site.bodies == [
        {
            "django_user_id": 17,
            "invoice_ninja_client_id": client["id"],
            "success": True,
            "message": "In step with Invoice Ninja.",
            "retry": False,
            "timestamp": "2026-01-01T00:00:00.000+00:00",
            "delivery_id": "delivery-u17",
            "key": samples.user()["key"],
        }
    ]


def test_a_product_becomes_a_product(world: World) -> None:
    world.send(samples.product())
    world.settle()
    (product,) = world.rows("products")
    assert (product["product_key"], product["price"]) == ("lesson-5", 40)
    assert product["custom_value4"] == "Django_ID_5"
    assert world.site.paths == ["/api/invoice-ninja/product-created/"]
    (body,) = world.site.bodies
    assert (body["django_product_id"], body["invoice_ninja_product_id"]) == (5, product["id"])


def test_a_change_leaves_what_people_entered_there(world: World) -> None:
    world.send(samples.user())
    world.settle()
    (client,) = world.clients()
    colleague = {"first_name": "Desk", "email": "desk@example.org"}
    world.client_of_ninja().put(
        f"/api/v1/clients/{client['id']}",
        json={"contacts": [*client["contacts"], colleague], "city": "Köln", "vat_number": "DE1"},
    )
    changed = samples.user(
        event="user.updated", delivery_id="second", invoice_ninja_client_id=client["id"]
    )
    changed["data"]["last_name"] = "Lovelace"
    world.send(changed)
    world.settle()
    (now,) = world.clients()
    assert (now["id"], now["city"], now["vat_number"]) == (client["id"], "Köln", "DE1")
    assert {contact["last_name"] for contact in now["contacts"]} >= {"Lovelace"}
    assert len(now["contacts"]) == 2
    assert world.site.bodies[-1]["success"] is True


def test_health_data_goes_nowhere(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world.send(samples.user())
    kept = b"".join(path.read_bytes() for path in world.file.parent.iterdir())
    assert b"Ada" in kept
    assert b"canary" not in kept
    world.settle()
    assert "canary" not in str(world.clients())
    assert "canary" not in caplog.text
    assert "Ada" not in caplog.text
    assert "ada17@" not in caplog.text


def test_whom_it_was_about_is_forgotten_with_the_answer(world: World) -> None:
    world.send(samples.user())
    world.settle()
    world.bridge.book._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"ada17" not in world.file.read_bytes()


# -- repeats


def test_a_repeat_in_hand_is_one(world: World) -> None:
    for _ in range(3):
        world.send(samples.user())
    world.settle()
    assert (len(world.clients()), len(world.site.bodies)) == (1, 1)


def test_a_repeat_of_what_went_well_is_told_again_and_no_more(world: World) -> None:
    world.send(samples.user())
    world.settle()
    calls = world.calls()
    world.send(samples.user())
    world.settle()
    assert world.calls() == calls
    assert world.site.bodies[0] == world.site.bodies[1]


def test_a_repeat_after_a_failure_tries_again(world: World) -> None:
    bad = samples.user()
    bad["data"]["email"] = "not an address"
    world.send(bad)
    world.settle()
    world.send(samples.user())
    world.settle()
    assert [body["success"] for body in world.site.bodies] == [False, True]
    assert len(world.clients()) == 1
    assert len(set(world.site.identities)) == 2


def test_a_repeat_before_the_failure_was_heard_tries_again_too(world: World) -> None:
    bad = samples.user()
    bad["data"]["email"] = "not an address"
    world.site.status = 503
    world.send(bad)
    world.settle()
    world.site.status = 200
    world.send(samples.user())
    world.settle()
    assert [body["success"] for body in world.site.bodies] == [False, True]
    assert world.owed() == 0


def test_a_new_delivery_of_the_same_user_changes_the_one_there_is(world: World) -> None:
    world.send(samples.user())
    world.send(samples.user(delivery_id="second"))
    world.settle()
    assert len(world.clients()) == 1
    assert len(world.site.bodies) == 2


def test_two_deliveries_of_one_user_wait_for_each_other(world: World) -> None:
    world.send(samples.user())
    world.send(samples.user(delivery_id="second"))
    world.send(samples.user(18))
    book = world.bridge.book
    with book.claimed(State.OWED) as one, book.claimed(State.OWED) as other:
        assert one is not None
        assert other is not None
        assert (one.id, other.id) == ("delivery-u17", "delivery-u18")
        with book.claimed(State.OWED) as none:
            assert none is None


def test_one_user_changed_twenty_times_at_once_is_one_client(world: World) -> None:
    with world.client:
        for number in range(20):
            world.send(samples.user(delivery_id=f"delivery-{number}"))
        for _ in range(20):
            assert world.site.came.acquire(timeout=30)
    assert len(world.clients()) == 1


# -- failures


def test_what_is_refused_is_told_with_the_reason(world: World) -> None:
    bad = samples.user()
    bad["data"]["email"] = "not an address"
    world.send(bad)
    world.settle()
    (body,) = world.site.bodies
    assert (body["success"], body["retry"]) == (False, False)
    assert body["invoice_ninja_client_id"] is None
    assert "email" in body["message"]
    assert world.clients() == []


def test_what_invoice_ninja_is_not_for_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Relayed, "declines", staticmethod(lambda record: "Not for it."))
    world.send(samples.user())
    world.settle()
    (body,) = world.site.bodies
    assert (body["success"], body["retry"], body["message"]) == (False, False, "Not for it.")


def test_an_id_that_is_not_there_is_refused(world: World) -> None:
    world.send(samples.user(invoice_ninja_client_id="Nowhere1"))
    world.settle()
    (body,) = world.site.bodies
    assert (body["success"], body["retry"]) == (False, False)
    assert body["invoice_ninja_client_id"] == "Nowhere1"


@pytest.mark.parametrize("kind", [FaultKind.REFUSED, FaultKind.STATUS, FaultKind.TOO_MANY])
def test_a_short_outage_is_sat_out(world: World, kind: FaultKind) -> None:
    world.stand.faults.switch_on(Fault(kind=kind, times=3))
    world.send(samples.user())
    world.work()
    assert len(world.clients()) == 1
    assert [body["success"] for body in world.site.bodies] == [True]


@pytest.mark.parametrize(
    "kind", [FaultKind.LOST_ANSWER, FaultKind.RESET, FaultKind.TRUNCATED, FaultKind.HTML]
)
@pytest.mark.parametrize("sample", [samples.user, samples.product])
def test_a_lost_answer_makes_no_second_one(world: World, kind: FaultKind, sample: Sample) -> None:
    world.stand.faults.switch_on(Fault(kind=kind, method="POST", times=1))
    world.send(sample())
    world.work()
    assert len(world.clients()) + len(world.rows("products")) == 1
    assert [body["success"] for body in world.site.bodies] == [True]


def test_a_long_outage_is_told_for_tallystick_to_try_again(
    world: World, time: VirtualClock
) -> None:
    world.stand.faults.switch_on(Fault(kind=FaultKind.REFUSED))
    before = time.now()
    world.send(samples.user())
    world.work()
    (body,) = world.site.bodies
    assert (body["success"], body["retry"]) == (False, True)
    assert body["message"] == "Invoice Ninja cannot be reached."
    assert world.calls() == MOST_TRIES
    assert time.now() - before < timedelta(hours=1)
    world.stand.faults.clear()
    world.send(samples.user())
    world.settle()
    assert world.site.bodies[-1]["success"] is True


def test_a_dead_token_is_no_fault_of_the_user(world: World) -> None:
    world.stand.faults.switch_on(Fault(kind=FaultKind.STATUS, status=401, times=MOST_TRIES))
    world.send(samples.user())
    world.work()
    (body,) = world.site.bodies
    assert (body["success"], body["retry"]) == (False, True)


def test_an_outage_keeps_the_debt_over_a_restart(world: World) -> None:
    world.stand.faults.switch_on(Fault(kind=FaultKind.REFUSED))
    world.send(samples.user())
    world.settle()
    world.restart()
    assert world.bridge.book.counts().owed == 1
    world.stand.faults.clear()
    world.work()
    assert len(world.clients()) == 1


def test_an_odd_order_stops_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def stumble(order: object) -> None:
        raise TypeError("canary")

    with monkeypatch.context() as patched:
        patched.setattr(world.bridge._carrier, "carry", stumble)
        world.send(samples.user())
        world.settle()
    assert "canary" not in caplog.text
    world.work()
    assert len(world.clients()) == 1


# -- what is gone here


def test_what_is_gone_here_is_archived_there(world: World) -> None:
    world.send(samples.user())
    world.settle()
    (client,) = world.clients()
    gone = samples.user(
        event="user.deleted", delivery_id="gone", invoice_ninja_client_id=client["id"]
    )
    gone["data"] = {**dict.fromkeys(gone["data"]), "custom_fields": {}}
    world.send(gone)
    world.settle()
    assert world.clients()[0]["archived_at"] > 0
    assert len(world.site.bodies) == 1
    world.send(gone)
    world.settle()
    assert (len(world.site.bodies), world.owed()) == (1, 0)


def test_archiving_is_tried_for_a_day(world: World, time: VirtualClock) -> None:
    world.stand.faults.switch_on(Fault(kind=FaultKind.REFUSED))
    gone = samples.product(
        event="product.deleted", delivery_id="gone", invoice_ninja_product_id="P1", data={}
    )
    world.send(gone)
    before = time.now()
    world.work()
    assert timedelta(hours=23) < time.now() - before < timedelta(hours=26)
    assert (world.site.bodies, world.owed()) == ([], 0)


# -- what a site's own fields may hold


def test_without_a_key_our_number_of_it_is_the_key(world: World) -> None:
    user, product = samples.user(), samples.product()
    del user["key"], product["key"]
    for order in (user, product, user, product):
        world.send(order)
        world.settle()
    world.send(user | {"delivery_id": "again", "event": "user.updated"})
    world.settle()
    (client,) = world.clients()
    assert client["id_number"] == "user-17"
    assert len(world.rows("products")) == 1
    assert {body["key"] for body in world.site.bodies} == {None}
    subjects = [orders.parse(json.dumps(order)) for order in (user, product)]
    assert [each.subject for each in subjects if each] == ["contacts:user-17", "products:product-5"]


def test_a_product_without_key_and_number_is_refused() -> None:
    order = samples.product()
    del order["key"], order["data"]["django_product_id"]
    with pytest.raises(orders.Malformed, match="Name the product"):
        orders.parse(json.dumps(order))


def test_numbers_are_taken_as_texts(world: World) -> None:
    order = samples.product()
    order["data"] |= {"category": 3, "max_discount_percentage": 12.5, "slug": 2026}
    world.send(order)
    world.settle()
    (product,) = world.rows("products")
    assert product["product_key"] == "2026"
    user = samples.user()
    user["data"] |= {"referral_code": 1234, "referred_by": 5}
    user["data"]["custom_fields"] |= {"referral_code": 1234, "referred_by": 5}
    world.send(user)
    world.settle()
    (client,) = world.clients()
    assert [client["custom_value1"], client["custom_value2"]] == ["1234", "5"]


def test_what_is_too_long_is_cut() -> None:
    order = samples.product()
    order["data"] |= {"description": "x" * 20_000}
    parsed = orders.parse(json.dumps(order))
    assert isinstance(parsed, orders.ProductChange)
    assert parsed.record().description == "x" * orders.MOST_CHARACTERS
