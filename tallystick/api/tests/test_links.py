"""Payment links by the API: who holds the token sees and pays one invoice, within the limits."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django import Settings

from tallystick.api.tests.desk import Caller, Desk, anybody
from tallystick.billing import paylinks, payments
from tallystick.billing.link_log import LinkEvent
from tallystick.billing.tests import making
from tallystick.billing.tokens import new_payment_token, new_reference
from tallystick.kit.clock import VirtualClock

pytestmark = pytest.mark.django_db


def path(desk: Desk, what: str = "") -> str:
    return f"invoices/pay/{desk.invoice.payment_token}/{what}"


def test_shows_what_the_pay_page_shows(desk: Desk) -> None:
    body = anybody().get(path(desk)).body
    assert (body["state"], body["amount_due"], body["currency"]) == ("usable", "119.00", "EUR")
    assert body["bank"]["iban"] == "GB33BUKB20201555555555"
    assert "wallet" not in [method["name"] for method in body["methods"]]
    assert desk.client_user.email not in str(body)
    by_query = anybody().get("invoices/payment_link/", token=desk.invoice.payment_token)
    assert by_query.body == body


def test_who_is_billed_pays_from_the_wallet_and_nobody_else(desk: Desk) -> None:
    pay = {"method": "wallet"}
    assert anybody().post(path(desk), pay).code == "not_allowed"
    assert desk.as_admin().post(path(desk), pay).code == "not_allowed"
    assert Caller(making.user()).post(path(desk), pay).code == "not_allowed"
    assert desk.as_client().post(path(desk), pay).body["state"] == "paid"
    assert anybody().get(path(desk)).body["state"] == "paid"
    told = desk.as_client().post(path(desk), pay)
    assert (told.status, told.code) == (409, "already_paid")


def test_one_use_is_one_payment_by_the_link(desk: Desk) -> None:
    desk.invoice.website.allow_part_payments = True
    desk.invoice.website.save()
    payments.pay(desk.invoice, making.eur("1.00"), method="manual", by=None)
    paylinks.make(desk.invoice, one_use=True)
    pay = {"method": "wallet", "amount": "10.00"}
    assert desk.as_client().post(path(desk), pay).body["state"] == "partially_paid"
    told = desk.as_client().post(path(desk), pay)
    assert (told.status, told.code) == (410, "link_used")


def test_each_end_has_its_own_code(now: VirtualClock, desk: Desk) -> None:
    old = path(desk)
    paylinks.renew(desk.invoice)
    assert (anybody().get(old).status, anybody().get(old).code) == (410, "replaced_link")
    now.advance(timedelta(days=200))
    assert anybody().get(path(desk)).code == "link_expired"
    paylinks.revoke(desk.invoice)
    assert anybody().get(path(desk)).code == "link_revoked"
    paylinks.renew(desk.invoice)
    desk.invoice.void(reason="Test.")
    assert anybody().get(path(desk)).code == "link_void"
    assert anybody().post(path(desk), {"method": "wallet"}).status == 410
    assert LinkEvent.objects.of(desk.website).exists()


def test_what_does_not_exist_has_one_answer(desk: Desk) -> None:
    real = desk.invoice.payment_token
    tokens = (
        new_payment_token(new_reference()),
        real[:-1] + ("A" if real[-1] != "A" else "B"),
        desk.draft.payment_token,
        "nonsense",
        "é",
    )
    answers = [anybody().get(f"invoices/pay/{token}/") for token in tokens]
    answers.append(anybody().get("invoices/payment_link/"))
    assert {(told.status, told.code, told.body["detail"]) for told in answers} == {
        (404, "unknown_link", "This payment link does not exist.")
    }


def test_guesses_are_limited_and_then_nothing_is_answered(desk: Desk, now: VirtualClock) -> None:
    for _ in range(20):
        assert anybody().get(f"invoices/pay/{new_payment_token(new_reference())}/").status == 404
    told = anybody().get(f"invoices/pay/{new_payment_token(new_reference())}/")
    assert (told.status, told.code, told.response["Retry-After"]) == (429, "throttled", "60")
    assert anybody().get(path(desk)).status == 429
    spoofed = anybody()
    spoofed.client.defaults["HTTP_X_FORWARDED_FOR"] = "192.0.2.9"
    assert spoofed.get(path(desk)).status == 429
    now.advance(timedelta(seconds=61))
    assert anybody().get(path(desk)).status == 200


def test_a_site_may_ask_to_sign_in_besides(desk: Desk, settings: Settings) -> None:
    settings.PAY_PAGE_REQUIRES_LOGIN = True
    assert anybody().get(path(desk)).code == "not_authenticated"
    assert Caller(making.user()).get(path(desk)).status == 403
    assert desk.as_client().get(path(desk)).status == 200


def test_a_repeat_pays_once(desk: Desk) -> None:
    pay = {"method": "wallet", "amount": "19.00"}
    first = desk.as_client().post(path(desk), pay, Idempotency_Key="a")
    again = desk.as_client().post(path(desk), pay, Idempotency_Key="a")
    assert first.body == again.body
    assert first.body["amount_due"] == "100.00"


def test_is_kept_nowhere_on_the_way(desk: Desk) -> None:
    response = anybody().get(path(desk)).response
    assert "no-store" in response["Cache-Control"]
