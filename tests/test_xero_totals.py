"""Whatever an invoice adds up to here, it adds up to in Xero: to the cent, line by line."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.billing import totals
from tallystick.ports import records
from tallystick.ports.records import Kind, Ref, Tax
from tallystick.ports.roles import Push
from tallystick.ports.samples import customer, invoice
from tallystick.ports.testing import remotes_of
from tallystick.providers.xero.sandbox import Limits
from tallystick.providers.xero.tests import CASE

STAND = CASE.stand()
STAND.limits = Limits.off()
XERO = CASE.connect(STAND)
BUYER = Ref(
    Kind.CUSTOMER, "c", remotes_of(XERO.push_customers([Push(customer(0))], attempt="1"))[0].id
)
NUMBERS = count()


def decimals(low: str, high: str, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(low, high, places=places, allow_nan=False, allow_infinity=False)


LINES = st.builds(
    totals.Line,
    quantity=st.one_of(
        decimals("1", "20", 0), decimals("0.0001", "99", 4), decimals("0.1", "3", 6)
    ),
    unit_price=st.one_of(
        decimals("0", "999.99", 2), decimals("0", "9.9999", 4), decimals("0", "9", 6)
    ),
    discount=st.one_of(st.just(Decimal(0)), decimals("0", "100", 2), decimals("0", "100", 4)),
    tax_code=st.just("standard"),
    percent=st.sampled_from([Decimal(0), Decimal(7), Decimal(19)]),
)


@settings(max_examples=150, deadline=None)
@given(
    lines=st.lists(LINES, min_size=1, max_size=6),
    inclusive=st.booleans(),
    rounding=st.sampled_from(list(totals.Rounding)),
)
def test_our_totals_are_xeros(
    lines: list[totals.Line], inclusive: bool, rounding: totals.Rounding
) -> None:
    found = totals.compute(lines, "EUR", inclusive=inclusive, rounding=rounding)
    record = replace(
        invoice(next(NUMBERS), "EUR", CASE.tax, [BUYER], []),
        lines=tuple(
            records.Line(
                description="Something",
                quantity=line.quantity,
                unit_price=line.unit_price,
                amount=total.amount,
                tax_amount=total.tax,
                discount=line.discount,
                tax=Tax(line.tax_code, line.percent) if line.percent else None,
            )
            for line, total in zip(lines, found.lines, strict=True)
        ),
        subtotal=found.subtotal,
        tax=found.tax,
        total=found.total,
        inclusive=inclusive,
    )
    (remote,) = remotes_of(XERO.push_invoices([Push(record)], attempt=record.key))
    (there,) = XERO.fetch_invoices([remote.id])
    assert there.total == found.total
    kept = STAND.app("Demo Company (Global)").books.invoices.get(remote.id)
    assert kept
    assert (kept["SubTotal"], kept["TotalTax"]) == (found.subtotal, found.tax)
    assert [line["LineAmount"] for line in kept["LineItems"]] == [t.amount for t in found.lines]
