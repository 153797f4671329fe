from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from tallystick.kit.money import round_to
from tallystick.ports.errors import Refused
from tallystick.ports.records import Invoice, Line, Tax
from tallystick.providers.invoiceninja.lines import elements
from tallystick.providers.invoiceninja.taxes import TaxRates
from tallystick.providers.invoiceninja.tests.answers import VAT, bill, line, ninja

CENT = Decimal("0.01")
REDUCED = Tax("reduced", Decimal(7))


def payload(invoice: Invoice) -> dict[str, Any]:
    client, _ = ninja({})
    return elements(invoice, TaxRates(client._api))


def reckoned(sent: dict[str, Any], tax_places: int) -> Decimal:
    """The total as the server computes it; releases differ in the places of a line's tax."""
    total = Decimal(0)
    taxes: dict[Decimal, Decimal] = {}
    for one in sent["line_items"]:
        price = Decimal(str(one["cost"])) * Decimal(str(one["quantity"]))
        off = price * Decimal(str(one["discount"])) / 100
        if sent["uses_inclusive_taxes"]:
            total += price - round_to(off, 2)
            continue
        amount = round_to(price - off, 2)
        rate = Decimal(str(one["tax_rate1"]))
        tax = round_to(amount * rate / 100, tax_places)
        taxes[rate] = taxes.get(rate, Decimal(0)) + tax
        total += amount
    return (total + sum(taxes.values())).quantize(CENT, ROUND_HALF_UP)


def test_a_line_goes_as_it_is() -> None:
    sent = payload(
        bill(
            line(
                quantity=Decimal("1.5"),
                discount=Decimal(10),
                amount=Decimal("13.50"),
                tax_amount=Decimal("2.57"),
            )
        )
    )
    assert sent["uses_inclusive_taxes"] is False
    assert sent["line_items"] == [
        {
            "product_key": "",
            "notes": "Lesson",
            "quantity": 1.5,
            "cost": 10.0,
            "discount": 10.0,
            "is_amount_discount": False,
            "type_id": "1",
            "tax_name1": "USt",
            "tax_rate1": 19.0,
        }
    ]


def test_what_it_would_round_otherwise_goes_as_one_piece() -> None:
    """A third of ten, thrice: 9.99 by our sums."""
    odd = line(
        quantity=Decimal(3),
        unit_price=Decimal("3.33333333"),
        amount=Decimal("10.00"),
        tax_amount=Decimal("1.90"),
    )
    (sent,) = payload(bill(odd))["line_items"]
    assert (sent["quantity"], sent["cost"], sent["notes"]) == (1.0, 10.0, "3 × Lesson")


def test_tax_that_releases_round_differently_goes_inside() -> None:
    """Three lines of 0.13: a tax of 0.02 each, or of 0.07 together."""
    small = line(unit_price=Decimal("0.13"), amount=Decimal("0.13"), tax_amount=Decimal("0.02"))
    for last in ("0.02", "0.03"):
        other = line(unit_price=Decimal("0.13"), amount=Decimal("0.13"), tax_amount=Decimal(last))
        invoice = bill(small, small, other)
        sent = payload(invoice)
        assert sent["uses_inclusive_taxes"] is True
        assert reckoned(sent, 2) == reckoned(sent, 4) == invoice.total


def test_lines_that_do_not_add_up_are_refused() -> None:
    invoice = bill(line(), line())
    with pytest.raises(Refused, match="add up"):
        payload(replace(invoice, total=invoice.total + CENT))


amounts = st.decimals(Decimal("0.01"), Decimal("9999.99"), places=2)
quantities = st.decimals(Decimal("0.001"), Decimal(50), places=3)
discounts = st.sampled_from([Decimal(0), Decimal(0), Decimal("12.5"), Decimal("33.33")])
rates = st.sampled_from([VAT, REDUCED, None])


@hypothesis.settings(max_examples=300, deadline=None)
@hypothesis.given(
    st.lists(st.tuples(amounts, quantities, discounts, rates), min_size=1, max_size=6),
    st.booleans(),
)
def test_totals_agree_to_the_cent_whatever_the_release(
    parts: list[tuple[Decimal, Decimal, Decimal, Tax | None]], inclusive: bool
) -> None:
    lines = []
    for price, quantity, discount, tax in parts:
        amount = round_to(price * quantity * (100 - discount) / 100, 2)
        percent = tax.percent if tax else Decimal(0)
        of = 100 + percent if inclusive else Decimal(100)
        taxed = round_to(amount * percent / of, 2)
        lines.append(Line("Lesson", quantity, price, amount, taxed, discount, tax))
    invoice = bill(*lines, inclusive=inclusive)
    sent = payload(invoice)
    assert reckoned(sent, 2) == reckoned(sent, 4) == invoice.total
