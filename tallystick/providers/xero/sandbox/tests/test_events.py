"""Webhooks: what is told, signed, and repeated."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

from tallystick.kit.clock import VirtualClock
from tallystick.ports.sandboxing import Outgoing, Receipt
from tallystick.providers.xero.sandbox import XeroStand
from tallystick.providers.xero.sandbox.tests.api import Api, draft

URL = "https://site.example/hook"


def events(sent: Outgoing) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(sent.body)["events"]
    return found


def signature(stand: XeroStand, sent: Outgoing) -> str:
    key = str(stand.organisations()[0]["webhook_key"])
    return base64.b64encode(hmac.new(key.encode(), sent.body, hashlib.sha256).digest()).decode()


def report(stand: XeroStand, sent: Outgoing, status: int | None, complaint: str = "") -> None:
    stand.reported(Receipt(sent, stand.now(), status, complaint))


def health(stand: XeroStand) -> object:
    return stand.organisations()[0]["webhook_health"]


def subscribed(stand: XeroStand) -> None:
    stand.set_webhook(URL)
    for sent in stand.outgoing():
        report(stand, sent, sent.expects)
    assert health(stand) == "ok"


def test_changes_are_told_in_one_signed_batch(api: Api, stand: XeroStand) -> None:
    made = api.invoice("T-1")
    api.put("Items", {"Code": "a"})
    api.payment(made, 20)
    (sent,) = stand.pending_deliveries()
    told = [(e["eventCategory"], e["eventType"]) for e in events(sent)]
    assert told == [("CONTACT", "CREATE"), ("INVOICE", "CREATE"), ("INVOICE", "UPDATE")]
    assert events(sent)[1]["resourceId"] == made["InvoiceID"]
    assert events(sent)[1]["tenantId"] == api.app.books.id
    assert sent.headers["x-xero-signature"] == signature(stand, sent)
    assert stand.pending_deliveries() == []


def test_sequences_go_on(api: Api, stand: XeroStand) -> None:
    api.app.webhooks.batch = 2
    api.put("Contacts", *({"Name": f"n{i}"} for i in range(3)))
    sequences = [json.loads(sent.body) for sent in stand.pending_deliveries()]
    found = [(s["firstEventSequence"], s["lastEventSequence"]) for s in sequences]
    assert found == [(1, 2), (3, 3)]


def test_intent_to_receive(api: Api, stand: XeroStand) -> None:
    stand.set_webhook(URL)
    api.contact("Ada")
    sent = stand.outgoing()
    right = [s.headers["x-xero-signature"] == signature(stand, s) for s in sent]
    assert right == [True, False, True, False]
    assert [s.expects for s in sent] == [200, 401, 200, 401]
    assert stand.outgoing() == []
    for each in sent:
        report(stand, each, each.expects)
    assert health(stand) == "ok"
    assert len(stand.outgoing()) == 1


def test_a_receiver_that_takes_any_signature_is_found_out(stand: XeroStand) -> None:
    stand.set_webhook(URL)
    for sent in stand.outgoing():
        report(stand, sent, 200, "" if sent.expects == 200 else "401 was expected")
    assert health(stand) == "intent to receive failed"
    assert stand.outgoing() == []


def test_a_body_or_a_cookie_fails_it_too(stand: XeroStand) -> None:
    stand.set_webhook(URL)
    report(stand, stand.outgoing()[0], 200, "the body is not empty")
    assert health(stand) == "intent to receive failed"
    stand.set_webhook("")
    assert health(stand) == "no address"


def test_a_failed_delivery_is_repeated_ever_more_rarely(
    api: Api, stand: XeroStand, clock: VirtualClock
) -> None:
    subscribed(stand)
    api.contact("Ada")
    (sent,) = stand.outgoing()
    waits = []
    for _ in range(4):
        report(stand, sent, 500, "200 was expected")
        waited = 0
        while not (again := stand.outgoing()):
            clock.advance(timedelta(seconds=1))
            waited += 1
        (sent,) = again
        waits.append(waited)
    assert waits == sorted(waits)
    assert (sent.attempt, waits[0] < waits[-1]) == (5, True)
    report(stand, sent, 200)
    clock.advance(timedelta(days=2))
    assert stand.outgoing() == []
    assert health(stand) == "ok"


def test_after_a_day_it_is_switched_off(api: Api, stand: XeroStand, clock: VirtualClock) -> None:
    subscribed(stand)
    api.contact("Ada")
    sent = stand.outgoing()
    while sent:
        report(stand, sent[0], None, "no answer")
        clock.advance(timedelta(hours=3))
        sent = stand.outgoing()
    assert health(stand) == "switched off after 24 h of failures"
    subscribed(stand)


def test_a_pause_holds_events_back(api: Api, stand: XeroStand) -> None:
    subscribed(stand)
    stand.pause_webhooks(True)
    api.put("Invoices", draft("T-1"))
    assert stand.outgoing() == []
    stand.pause_webhooks(False)
    assert len(events(stand.outgoing()[0])) == 2


def test_an_accepted_delivery_can_come_again(api: Api, stand: XeroStand) -> None:
    subscribed(stand)
    stand.receipts.clear()
    api.contact("Ada")
    (sent,) = stand.outgoing()
    report(stand, sent, 200)
    assert stand.repeat_webhooks() == {"repeated": 1}
    assert stand.outgoing() == [sent]
    assert stand.outgoing() == []


def test_each_organisation_has_its_own(api: Api, stand: XeroStand) -> None:
    api.contact("Ada")
    assert stand.pending_deliveries("Demo Company (Global)") == []
    assert len(stand.pending_deliveries()) == 1
