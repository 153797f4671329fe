from __future__ import annotations

from dataclasses import replace

from tallystick.ports.roles import Push
from tallystick.ports.samples import product
from tallystick.ports.testing import remotes_of
from tallystick.providers.xero.tests.answers import (
    fixture,
    sent,
    xero,
)
from tallystick.providers.xero.tests.case import CASE, ORGANISATION, VAT


def test_codes_are_cut_and_stay_apart() -> None:
    stand = CASE.stand()
    client = CASE.connect(stand)
    guitars = [
        replace(product(n, "EUR", CASE.tax), code="guitar-" + "x" * 60 + str(n)) for n in (1, 2)
    ]
    remotes = remotes_of(client.push_products([Push(g) for g in guitars], attempt="1"))
    assert remotes[0].id != remotes[1].id
    assert client.find_products(guitars) == remotes
    assert {len(item["Code"]) for item in stand.app(ORGANISATION).books.items} == {30}


def test_an_item_of_our_code_that_is_there_becomes_ours() -> None:
    stand = CASE.stand()
    client = CASE.connect(stand)
    drum = product(1, "EUR", CASE.tax)
    (before,) = remotes_of(client.push_products([Push(drum)], attempt="1"))
    (after,) = remotes_of(client.push_products([Push(replace(drum, name="Drum"))], attempt="2"))
    assert before.id == after.id


def test_a_price_in_another_currency_is_left_out() -> None:
    client, network = xero({"POST Items": fixture("items_saved")})
    assert remotes_of(client.push_products([Push(product(0, "USD", VAT))], attempt="1"))
    assert "UnitPrice" not in sent(network, "Items", "POST")[0]["SalesDetails"]
