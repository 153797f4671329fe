"""The lines of an invoice, written so that Xero's own rounding arrives at our amounts.

Xero computes quantity x unit price less the discount, rounds each line to two places and refuses a
line or a total that says otherwise. It takes the tax of a line as given.
"""

from __future__ import annotations

from decimal import Decimal

from tallystick.kit.money import round_to
from tallystick.ports.errors import Refused
from tallystick.ports.records import Invoice, Line
from tallystick.providers.xero.desk import Payload
from tallystick.providers.xero.items import item_code
from tallystick.providers.xero.taxes import TaxTypes
from tallystick.providers.xero.wording import amount, exact, fitted

_DESCRIPTION = 4000
_PLACES = 4
_RATE_PLACES = 2
_ZERO = Decimal(0)
_ONE = Decimal(1)
_HUNDRED = Decimal(100)


def amount_types(invoice: Invoice) -> str:
    """What the amounts of the lines hold: `LineAmountTypes`."""
    if not invoice.tax and not any(line.tax for line in invoice.lines):
        return "NoTax"
    return "Inclusive" if invoice.inclusive else "Exclusive"


def elements(invoice: Invoice, account_code: str, taxes: TaxTypes) -> list[Payload]:
    """One element per line. Raises `Refused` when the lines do not add up to the invoice."""
    stated = sum((line.amount for line in invoice.lines), _ZERO)
    tax = sum((line.tax_amount for line in invoice.lines), _ZERO)
    if tax != invoice.tax or stated + (_ZERO if invoice.inclusive else tax) != invoice.total:
        raise Refused("The lines do not add up to the invoice, so Xero would have another total.")
    return [_element(line, account_code, taxes) for line in invoice.lines]


def _element(line: Line, account_code: str, taxes: TaxTypes) -> Payload:
    element: Payload = {
        "Description": fitted(
            line.description.strip() or line.product_code or "-", _DESCRIPTION, "A line"
        ),
        "LineAmount": amount(line.amount),
        "AccountCode": account_code,
        "TaxType": taxes.of(line.tax),
        "TaxAmount": amount(line.tax_amount),
    }
    if _is_reproducible(line):
        element["Quantity"] = exact(line.quantity)
        element["UnitAmount"] = exact(line.unit_price)
        if line.discount:
            element["DiscountRate"] = exact(line.discount)
    else:
        element["Quantity"] = 1.0
        element["UnitAmount"] = element["LineAmount"]
        element["Description"] = _with_quantity(line, element["Description"])
    if line.product and line.product.remote_id and line.product_code:
        element["ItemCode"] = item_code(line.product_code)
    return element


def _is_reproducible(line: Line) -> bool:
    """Whether Xero computes our amount from the same factors, with the places it keeps of them."""
    kept = (
        round_to(line.unit_price, _PLACES) == line.unit_price
        and round_to(line.quantity, _PLACES) == line.quantity
        and round_to(line.discount, _RATE_PLACES) == line.discount
    )
    price = line.quantity * line.unit_price
    if line.discount:
        price = price * (_HUNDRED - line.discount) / _HUNDRED
    return kept and round_to(price, 2) == line.amount


def _with_quantity(line: Line, description: str) -> str:
    """The line goes as one piece at its amount; what it was made of is told in words."""
    if line.quantity == _ONE:
        return description
    quantity = f"{line.quantity.normalize():f}"
    return fitted(f"{quantity} × {description}", _DESCRIPTION, "A line")
