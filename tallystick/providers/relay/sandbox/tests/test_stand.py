"""The relay's stand: what it takes, makes, and tells."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest

from tallystick.kit import signing
from tallystick.kit.clock import VirtualClock
from tallystick.ports.sandboxing import BadAction
from tallystick.providers.relay.sandbox import RelayStand
from tallystick.providers.relay.sandbox.tests.site import FIXTURES, Site

BASE64 = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
USER_KEY = "c-00000000000000000000000000000007"


def test_a_user_is_made_and_told_of(site: Site) -> None:
    answer = site.tell("user_created")
    assert (answer.status_code, answer.json()) == (200, {"message": "Workflow was started"})
    (sent,) = site.stand.outgoing()
    assert sent.url == "https://site.example.org/api/invoice-ninja/client-created/"
    assert sent.headers["x-webhook-secret"] == site.stand.secret
    assert json.loads(sent.body) == {
        "django_user_id": 7,
        "invoice_ninja_client_id": site.stand.entry("user", USER_KEY).id,
        "delivery_id": "attempt-1",
        "key": USER_KEY,
        "success": True,
        "message": "",
        "retry": False,
        "timestamp": "2026-01-01T00:00:00Z",
    }
    assert site.stand.outgoing() == []


def test_a_product_is_made_and_told_of(site: Site) -> None:
    site.tell("product_created")
    (sent,) = site.stand.outgoing()
    assert sent.url.endswith("/api/invoice-ninja/product-created/")
    told = json.loads(sent.body)
    assert told["django_product_id"] == 12
    assert told["invoice_ninja_product_id"] == site.stand.entry("product", "12").id


def test_a_repeat_makes_no_second_and_is_told_of_again(site: Site) -> None:
    site.tell("user_created")
    site.tell("user_created")
    site.tell("user_created", "attempt-2")
    assert site.stand.ledger.counts("customers") == {USER_KEY: 1}
    assert len({told["invoice_ninja_client_id"] for told in site.heard()}) == 1


def test_a_repeat_of_an_old_delivery_changes_nothing_back(site: Site) -> None:
    site.tell("user_created", "attempt-1")
    document = json.loads((FIXTURES / "sent_user_created.json").read_bytes())
    renamed = {**document["data"], "full_name": "Ada Byron"}
    site.tell("user_created", "attempt-2", event="user.updated", data=renamed)
    site.tell("user_created", "attempt-1")
    assert site.stand.entry("user", "7").name == "Ada Byron"


def test_what_is_gone_is_put_away_without_a_word(site: Site) -> None:
    site.tell("user_created")
    site.heard()
    assert site.tell("user_deleted", "attempt-2", key=USER_KEY).status_code == 200
    assert site.stand.entry("user", USER_KEY).is_archived
    assert site.tell("user_deleted", "attempt-3", key="c-unknown").status_code == 200
    assert site.heard() == []


def test_a_ping_does_nothing(site: Site) -> None:
    ping = {"event": "ping", "timestamp": "2026-01-01T00:00:00Z", "delivery_id": "p"}
    assert site.post(ping).status_code == 200
    assert site.heard() == []
    assert site.stand.ledger.dump() == {}


# -- being let in


def test_the_secret_must_be_right(site: Site) -> None:
    assert site.post({}, x_webhook_secret="wrong").status_code == 403
    assert site.post({}, x_webhook_secret="").status_code == 403
    site.stand.secret = ""
    assert site.tell("user_created").status_code == 200


@pytest.mark.parametrize("secret", ["plain text", BASE64])
def test_a_signature_must_be_right_where_there_is_one(site: Site, secret: str) -> None:
    site.stand.secret = secret
    body = (FIXTURES / "sent_user_created.json").read_bytes()
    stamp = str(int(site.stand.now().timestamp()))
    key = base64.b64decode(secret[6:]) if secret is BASE64 else secret.encode()
    right = "v1," + signing.hmac_sha256_base64(key, f"id.{stamp}.".encode() + body)
    signed = {"webhook_id": "id", "webhook_timestamp": stamp, "webhook_signature": right}
    assert site.post(body, **signed).status_code == 200
    assert site.post(body, **{**signed, "webhook_id": "other"}).status_code == 403
    assert site.post(body + b" ", **signed).status_code == 403
    assert site.post(body, **{**signed, "webhook_timestamp": "1"}).status_code == 403
    assert site.post(body, **{**signed, "webhook_signature": f"v1,AAAA {right}"}).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"event": "user.renamed"},
        {"event": "invoice.created"},
        {"delivery_id": ""},
        {"timestamp": None},
        {"key": None},
        {"data": None},
        {"data": {"django_user_id": 7}},
    ],
    ids=str,
)
def test_what_is_not_as_specified_is_refused(site: Site, changes: dict[str, object]) -> None:
    document = json.loads((FIXTURES / "sent_user_created.json").read_bytes())
    answer = site.post({**document, **changes})
    assert answer.status_code == 400
    assert answer.json()["message"]
    assert site.heard() == []


def test_a_key_that_lacks_is_named(site: Site) -> None:
    document = json.loads((FIXTURES / "sent_user_created.json").read_bytes())
    del document["data"]["username"], document["data"]["custom_fields"]["signup_date"]
    message = site.post(document).json()["message"]
    assert "signup_date, username" in message


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b"[" * 100_000, b'{"event": "\xff"}'])
def test_what_is_no_document_is_refused(site: Site, body: bytes) -> None:
    assert site.post(body).status_code == 400


def test_there_is_one_address(site: Site) -> None:
    root = site.stand.public_url
    assert site.client.post(f"{root}/webhook/another").status_code == 404
    answer = site.client.get(site.stand.webhook_url)
    assert answer.status_code == 404
    assert "not registered" in answer.json()["message"]


# -- what goes wrong


def test_works_fail_as_ordered(site: Site) -> None:
    site.stand.act("fail_next", {"count": 1, "message": "The e-mail is wrong.", "retry": False})
    site.tell("user_created", "attempt-1")
    site.tell("user_created", "attempt-2")
    failed, done = site.heard()
    assert (failed["success"], failed["invoice_ninja_client_id"]) == (False, None)
    assert (failed["message"], failed["retry"]) == ("The e-mail is wrong.", False)
    assert (done["success"], done["message"]) == (True, "")
    assert site.stand.ledger.counts("customers") == {USER_KEY: 1}


def test_a_failed_delivery_is_tried_again_when_it_is_repeated(site: Site) -> None:
    site.stand.act("fail_next", {})
    site.tell("user_created", "attempt-1")
    site.tell("user_created", "attempt-1")
    assert [told["success"] for told in site.heard()] == [False, True]


def test_a_silent_one_does_the_work(site: Site) -> None:
    site.stand.act("silence", {})
    site.tell("user_created")
    assert site.heard() == []
    site.stand.act("silence", {"on": False})
    site.tell("user_created")
    assert [told["success"] for told in site.heard()] == [True]
    assert site.stand.ledger.doubled() == []


def test_a_lost_one_was_accepted_and_nothing_else(site: Site) -> None:
    site.stand.act("lose_next", {"count": 1})
    assert site.tell("user_created").status_code == 200
    assert site.heard() == []
    assert site.stand.ledger.counts("customers") == {}
    site.tell("user_created")
    assert site.stand.ledger.counts("customers") == {USER_KEY: 1}


def test_a_callback_comes_late(site: Site, clock: VirtualClock) -> None:
    site.stand.act("delay", {"seconds": 3600})
    site.tell("user_created")
    clock.advance(timedelta(seconds=3599))
    assert site.stand.outgoing() == []
    clock.advance(timedelta(seconds=1))
    assert len(site.stand.outgoing()) == 1


def test_a_callback_is_repeated_letter_by_letter(site: Site) -> None:
    site.tell("user_created")
    (first,) = site.answer(200)
    site.stand.act("repeat_callback", {"name": "7"})
    (again,) = site.answer(200)
    assert (again.body, again.url) == (first.body, first.url)
    assert again.id != first.id
    with pytest.raises(BadAction, match="Nothing was said"):
        site.stand.act("repeat_callback", {"name": "8"})


def test_anything_can_be_said(site: Site) -> None:
    site.tell("user_created")
    site.heard()
    site.stand.act("call_back", {"name": "7", "remote_id": "Another", "delivery": "d"})
    site.stand.act("call_back", {"name": "999", "message": "No.", "retry": True})
    contradiction, unknown = site.heard()
    assert (contradiction["django_user_id"], contradiction["key"]) == (7, USER_KEY)
    assert (contradiction["invoice_ninja_client_id"], contradiction["success"]) == ("Another", True)
    assert contradiction["delivery_id"] == "d"
    assert "delivery_id" not in unknown
    assert (unknown["django_user_id"], unknown["success"], unknown["retry"]) == (999, False, True)


# -- callbacks on their way


@pytest.mark.parametrize("status", [None, 500, 503, 429, 403])
def test_what_is_not_heard_is_said_five_times(
    site: Site, clock: VirtualClock, status: int | None
) -> None:
    site.tell("user_created")
    pauses, last = [], clock.now()
    for _ in range(100):
        if site.answer(status):
            pauses.append((clock.now() - last).total_seconds())
            last = clock.now()
        clock.advance(timedelta(seconds=10))
    assert len(pauses) == 5
    assert pauses[1:] == sorted(pauses[1:])
    assert len(site.stand.callbacks.given_up) == 1


@pytest.mark.parametrize("status", [200, 400, 404, 409, 422])
def test_what_is_heard_is_said_once(site: Site, clock: VirtualClock, status: int) -> None:
    site.tell("user_created")
    assert len(site.answer(status)) == 1
    clock.advance(timedelta(days=1))
    assert site.stand.outgoing() == []


def test_callbacks_wait_for_an_address(clock: VirtualClock) -> None:
    stand = RelayStand(clock)
    stand.act("call_back", {"name": "7", "remote_id": "VolejRejNm"})
    assert stand.outgoing() == []
    stand.act("configure", {"callback_url": "http://127.0.0.1:8000", "secret": "new"})
    (sent,) = stand.outgoing()
    assert sent.url == "http://127.0.0.1:8000/api/invoice-ninja/client-created/"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("fail_next", {"count": -1}),
        ("lose_next", {"count": 10**9}),
        ("delay", {"seconds": -1}),
        ("repeat_callback", {"name": "7", "noun": "invoice"}),
    ],
)
def test_orders_that_make_no_sense(
    stand: RelayStand, name: str, arguments: dict[str, object]
) -> None:
    with pytest.raises(BadAction):
        stand.act(name, arguments)


# -- the console


def test_the_console_shows_what_there_is(site: Site) -> None:
    (sheet,) = site.stand.state()
    assert sheet.is_sheet
    assert ("Webhook address", site.stand.webhook_url) in sheet.rows
    site.tell("user_created_with_health")
    site.tell("product_created", "attempt-2")
    tables = {table.title: table for table in site.stand.state()}
    assert [row[1] for row in tables["Clients"].rows] == ["Ada Muster 7"]
    assert [row[1] for row in tables["Products"].rows] == ["Lesson 7"]
    assert tables["Callbacks to come"].total == 2
    shown = repr(site.stand.state())
    assert "asthma" not in shown
    ((deed,),) = tables["Clients"].deeds
    site.stand.act(deed.action, deed.arguments)
    assert len(site.heard()) == 3


def test_reset_is_as_new(site: Site) -> None:
    site.tell("user_created")
    site.stand.act("silence", {})
    site.stand.reset()
    assert site.heard() == []
    assert site.stand.callback_url == ""
    assert not site.stand.is_silent
    with pytest.raises(BadAction):
        site.stand.entry("user", "7")
