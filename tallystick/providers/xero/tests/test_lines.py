from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tallystick.kit import clock
from tallystick.ports.errors import Refused
from tallystick.ports.records import (
    Invoice,
    Line,
    Tax,
)
from tallystick.ports.roles import Push
from tallystick.ports.testing import remotes_of
from tallystick.providers.xero.tests.answers import (
    Answers,
    bill,
    fixture,
    line,
    sent,
    xero,
)


def pushed_lines(record: Invoice) -> list[dict[str, Any]]:
    client, network = xero({"PUT Invoices": fixture("invoices_created")})
    assert remotes_of(client.push_invoices([Push(record)], attempt="1"))
    lines: list[dict[str, Any]] = sent(network, "Invoices")[0]["LineItems"]
    return lines


def test_a_plain_line_keeps_its_factors() -> None:
    (element,) = pushed_lines(
        bill(line(quantity=Decimal(3), unit_price=Decimal("3.3333"), discount=Decimal("12.5"),
                  amount=Decimal("8.75"), tax_amount=Decimal("1.75")))
    )  # fmt: skip
    assert element == {
        "Description": "Lesson",
        "LineAmount": 8.75,
        "AccountCode": "200",
        "TaxType": "OUTPUT2",
        "TaxAmount": 1.75,
        "Quantity": 3.0,
        "UnitAmount": 3.3333,
        "DiscountRate": 12.5,
    }


@pytest.mark.parametrize(
    "awkward",
    [
        line(quantity=Decimal("0.33333"), unit_price=Decimal("30.00")),
        line(quantity=Decimal(3), unit_price=Decimal("3.33333")),
        line(discount=Decimal("3.333"), unit_price=Decimal("10.34")),
        line(quantity=Decimal(7), unit_price=Decimal("1.50"), amount=Decimal("10.49")),
    ],
)
def test_a_line_whose_amount_xero_would_not_arrive_at_goes_in_one_piece(awkward: Line) -> None:
    (element,) = pushed_lines(bill(awkward))
    assert (element["Quantity"], element["UnitAmount"]) == (1.0, float(awkward.amount))
    assert element["LineAmount"] == float(awkward.amount)
    assert "DiscountRate" not in element
    if awkward.quantity != 1:
        assert element["Description"] == f"{awkward.quantity} × Lesson"


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (bill(line()), "Exclusive"),
        (bill(line(), inclusive=True), "Inclusive"),
        (bill(line(tax=None, tax_amount=Decimal(0))), "NoTax"),
        (bill(line(tax=None, tax_amount=Decimal(0)), inclusive=True), "NoTax"),
    ],
)
def test_what_the_amounts_hold_is_said(record: Invoice, said: str) -> None:
    client, network = xero({"PUT Invoices": fixture("invoices_created")})
    assert remotes_of(client.push_invoices([Push(record)], attempt="1"))
    element = sent(network, "Invoices")[0]
    assert element["LineAmountTypes"] == said
    assert element["Url"] == record.url
    assert element["Reference"] == "Order 4711"


@pytest.mark.parametrize(
    "record",
    [
        replace(bill(line()), total=Decimal("12.01")),
        replace(bill(line()), tax=Decimal("2.01")),
        bill(line(amount=Decimal("10.001"))),
        bill(line(amount=Decimal("12345678901234567.00"))),
        replace(bill(line()), is_void=True),
        replace(bill(line()), number="9" * 256),
    ],
    ids=["total", "tax", "a third decimal", "too many digits", "void", "number"],
)
def test_what_xero_cannot_hold_is_refused_without_asking(record: Invoice) -> None:
    client, network = xero(
        {"PUT Invoices": fixture("invoices_created"), "GET Invoices": b'{"Invoices":[]}'}
    )
    (outcome,) = client.push_invoices([Push(record)], attempt="1")
    assert type(outcome) is Refused
    assert not [r for r in network.requests() if r.method == "PUT"]


@pytest.mark.parametrize(
    ("tax", "tax_type"),
    [
        (None, "NONE"),
        (Tax("standard", Decimal("20.00")), "OUTPUT2"),
        (Tax("reduced", Decimal(5)), "RROUTPUT"),
        (Tax("zero", Decimal(0)), "ZERORATEDOUTPUT"),
        (Tax("Abroad", Decimal(0)), "ECZROUTPUT"),
        (Tax("other", Decimal("7.70")), "TAX007"),
    ],
)
def test_the_tax_type_is_found(tax: Tax | None, tax_type: str) -> None:
    answers: Answers = {
        "PUT Invoices": fixture("invoices_created"),
        "GET TaxRates": fixture("tax_rates"),
    }
    client, network = xero(answers, tax_types={"abroad": "ECZROUTPUT", "7.7": "TAX007"})
    record = bill(line(tax=tax, tax_amount=Decimal(0)), line())
    assert remotes_of(client.push_invoices([Push(record)], attempt="1"))
    assert sent(network, "Invoices")[0]["LineItems"][0]["TaxType"] == tax_type


def test_tax_rates_are_read_once_an_hour_and_again_for_an_unknown_one() -> None:
    answers: Answers = {
        "PUT Invoices": fixture("invoices_created"),
        "GET Invoices": b'{"Invoices":[]}',
        "GET TaxRates": fixture("tax_rates"),
    }
    with clock.use(clock.VirtualClock()) as time:
        client, network = xero(answers, tax_types={})
        odd = bill(line(tax=Tax("odd", Decimal(3))))

        def asked() -> int:
            return sum("TaxRates" in r.url.path for r in network.requests())

        for record in (bill(line()), bill(line())):
            client.push_invoices([Push(record)], attempt="1")
        (outcome,) = client.push_invoices([Push(odd)], attempt="1")
        assert asked() == 1
        assert "add one there" in str(outcome)
        time.sleep(61)
        client.push_invoices([Push(odd)], attempt="2")
        client.push_invoices([Push(bill(line()))], attempt="3")
        assert asked() == 2
        time.sleep(3601)
        client.push_invoices([Push(bill(line()))], attempt="4")
        assert asked() == 3
