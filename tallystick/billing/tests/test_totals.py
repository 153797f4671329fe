from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.billing import totals
from tallystick.billing.totals import Line, Rounding, TooLarge, compute
from tallystick.kit.money import UnknownCurrency, digits_of

D = Decimal
CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD", "CLF"])
RATES = st.sampled_from([("", "0"), ("std", "19"), ("red", "7"), ("odd", "8.875"), ("zero", "0")])


@st.composite
def line(draw: st.DrawFn) -> Line:
    code, percent = draw(RATES)
    return Line(
        quantity=draw(st.decimals("-1000", "1000", places=4)),
        unit_price=draw(st.decimals("-10000", "100000", places=4)),
        discount=draw(st.decimals(0, 100, places=2)),
        tax_code=code,
        percent=D(percent),
    )


LINES = st.lists(line(), max_size=12)
ANY = {
    "lines": LINES,
    "currency": CURRENCIES,
    "inclusive": st.booleans(),
    "rounding": st.sampled_from(Rounding),
}


@given(**ANY)
def test_everything_adds_up(
    lines: list[Line], currency: str, inclusive: bool, rounding: Rounding
) -> None:
    result = compute(lines, currency, inclusive=inclusive, rounding=rounding)
    amounts = sum((line.amount for line in result.lines), D(0))
    assert result.tax == sum((line.tax for line in result.lines), D(0))
    assert result.tax == sum((rate.tax for rate in result.breakdown), D(0))
    assert result.subtotal == sum((rate.net for rate in result.breakdown), D(0))
    assert result.subtotal + result.tax == result.total
    assert amounts == (result.total if inclusive else result.subtotal)
    assert result.discount == sum((line.discount for line in result.lines), D(0))


@given(**ANY)
def test_every_amount_is_as_precise_as_the_currency(
    lines: list[Line], currency: str, inclusive: bool, rounding: Rounding
) -> None:
    result = compute(lines, currency, inclusive=inclusive, rounding=rounding)
    amounts = [result.subtotal, result.discount, result.tax, result.total]
    amounts += [a for line in result.lines for a in (line.amount, line.tax, line.discount)]
    assert {amount.as_tuple().exponent for amount in amounts} == {-digits_of(currency)}


@given(**ANY)
def test_tax_drifts_by_half_a_coin_per_rounding_at_most(
    lines: list[Line], currency: str, inclusive: bool, rounding: Rounding
) -> None:
    result = compute(lines, currency, inclusive=inclusive, rounding=rounding)
    exact = sum(
        (
            _exact_tax(item.amount, source.percent, inclusive)
            for source, item in zip(lines, result.lines, strict=True)
        ),
        Fraction(0),
    )
    roundings = len(lines) if rounding == Rounding.LINE else len(result.breakdown)
    allowed = Fraction(roundings, 2 * 10 ** digits_of(currency))
    assert abs(Fraction(result.tax) - exact) <= allowed


@given(**ANY)
def test_a_line_of_a_document_drifts_by_less_than_a_coin(
    lines: list[Line], currency: str, inclusive: bool, rounding: Rounding
) -> None:
    result = compute(lines, currency, inclusive=inclusive, rounding=rounding)
    for source, item in zip(lines, result.lines, strict=True):
        drift = abs(Fraction(item.tax) - _exact_tax(item.amount, source.percent, inclusive))
        assert drift < Fraction(1, 10 ** digits_of(currency))


@given(lines=LINES, inclusive=st.booleans())
def test_per_line_is_what_xero_computes(lines: list[Line], inclusive: bool) -> None:
    result = compute(lines, "EUR", inclusive=inclusive, rounding=Rounding.LINE)
    for source, item in zip(lines, result.lines, strict=True):
        exact = _exact_tax(item.amount, source.percent, inclusive)
        assert item.tax == _two_places(exact)
    assert result.tax == sum((item.tax for item in result.lines), D(0))


@given(lines=LINES, inclusive=st.booleans(), rounding=st.sampled_from(Rounding))
def test_an_invoice_turned_round_is_its_negative_per_line(
    lines: list[Line], inclusive: bool, rounding: Rounding
) -> None:
    turned = [
        Line(-item.quantity, item.unit_price, item.discount, item.tax_code, item.percent)
        for item in lines
    ]
    ours = compute(lines, "EUR", inclusive=inclusive, rounding=rounding)
    theirs = compute(turned, "EUR", inclusive=inclusive, rounding=rounding)
    assert (ours.total, ours.tax) == (-theirs.total, -theirs.tax)


@pytest.mark.parametrize(
    ("rounding", "tax", "shares"),
    [
        (Rounding.LINE, "0.06", ["0.02", "0.02", "0.02"]),
        (Rounding.DOCUMENT, "0.05", ["0.02", "0.02", "0.01"]),
    ],
)
def test_the_two_roundings_differ_by_a_cent(
    rounding: Rounding, tax: str, shares: list[str]
) -> None:
    lines = [Line(D(1), D("0.08"), tax_code="std", percent=D(19))] * 3
    result = compute(lines, "EUR", inclusive=False, rounding=rounding)
    assert result.tax == D(tax)
    assert [item.tax for item in result.lines] == [D(share) for share in shares]


def test_inclusive_prices_keep_their_total() -> None:
    lines = [Line(D(3), D("9.99"), discount=D(10), tax_code="std", percent=D(20))]
    result = compute(lines, "GBP", inclusive=True, rounding="line")
    assert (result.total, result.tax, result.subtotal) == (D("26.97"), D("4.50"), D("22.47"))
    assert result.discount == D("3.00")


def test_rates_of_one_percentage_stay_apart_by_code() -> None:
    lines = [Line(D(1), D(10), tax_code="exempt"), Line(D(1), D(5), tax_code="export")]
    result = compute(lines, "EUR", inclusive=False, rounding="document")
    assert [(rate.tax_code, rate.net) for rate in result.breakdown] == [
        ("exempt", D(10)),
        ("export", D(5)),
    ]


def test_yen_have_no_decimals() -> None:
    lines = [Line(D("1.5"), D("33"), tax_code="std", percent=D(10))]
    result = compute(lines, "JPY", inclusive=False, rounding="line")
    assert (str(result.subtotal), str(result.tax), str(result.total)) == ("50", "5", "55")


def test_no_lines_are_worth_nothing() -> None:
    assert compute([], "EUR", inclusive=False, rounding="line").total == 0


def test_what_cannot_be_kept_exactly_is_refused() -> None:
    lines = [Line(D("99999999"), D("99999999999"))]
    with pytest.raises(TooLarge, match=r"10,000,000,000,000"):
        compute(lines, "EUR", inclusive=False, rounding="line")
    assert totals.largest("JPY") == D(10) ** 15


def test_an_unknown_currency_is_refused() -> None:
    with pytest.raises(UnknownCurrency):
        compute([], "EURO", inclusive=False, rounding="line")


def _exact_tax(amount: Decimal, percent: Decimal, inclusive: bool) -> Fraction:
    base = 100 + Fraction(percent) if inclusive else Fraction(100)
    return Fraction(amount) * Fraction(percent) / base


def _two_places(exact: Fraction) -> Decimal:
    """Half up, away from zero, by whole numbers."""
    cents = abs(exact) * 100 + Fraction(1, 2)
    rounded = (Decimal(int(cents)) / 100).quantize(D("0.01"), rounding=ROUND_HALF_UP)
    return rounded if exact >= 0 else -rounded
