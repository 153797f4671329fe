"""The lines of a document and its totals: tax per line, rounded to two places, then added up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from tallystick.kit.money import round_to
from tallystick.providers.xero.sandbox import reading
from tallystick.providers.xero.sandbox.answers import Element, Invalid
from tallystick.providers.xero.sandbox.books import Books, new_id
from tallystick.providers.xero.sandbox.items import by_code

_ZERO = Decimal("0.00")
_HUNDRED = Decimal(100)
_MOST_TRACKING = 2


@dataclass(frozen=True, slots=True)
class Terms:
    """What the document says about all its lines."""

    amounts: str
    """Exclusive, Inclusive or NoTax."""
    places: int = 2
    """Decimal places of unit amounts: 4 with `unitdp=4`."""


def read(books: Books, given: object, terms: Terms) -> list[Element]:
    if not isinstance(given, list) or not given or not all(isinstance(e, dict) for e in given):
        raise Invalid("One or more line items must be specified")
    return [_line(books, element, terms) for element in given]


def again(books: Books, held: Sequence[Element], terms: Terms) -> list[Element]:
    """The same lines under other terms: their tax is worked out anew."""
    kept = [{**shown(line), "TaxAmount": None, "LineAmount": None} for line in held]
    return read(books, kept, replace(terms, places=4))


def check_accounts(held: Sequence[Element]) -> None:
    """An approved document has an account on every line."""
    if not all("AccountCode" in line for line in held):
        raise Invalid("Account code must be specified")


def totals(lines: Sequence[Element], terms: Terms) -> Element:
    amount = sum((line["LineAmount"] for line in lines), _ZERO)
    tax = sum((line["TaxAmount"] for line in lines), _ZERO)
    inclusive = terms.amounts == "Inclusive"
    discount = sum((line.get("_discount", _ZERO) for line in lines), _ZERO)
    found: Element = {
        "SubTotal": amount - tax if inclusive else amount,
        "TotalTax": tax,
        "Total": amount if inclusive else amount + tax,
        "IsDiscounted": bool(discount),
    }
    return {**found, "TotalDiscount": discount} if discount else found


def shown(line: Element) -> Element:
    return {name: value for name, value in line.items() if not name.startswith("_")}


def _line(books: Books, given: Element, terms: Terms) -> Element:
    given = _with_item(books, given)
    description = reading.text(given, "Description", most=4000)
    if not description:
        raise Invalid("Description needs to be at least 1 char long")
    tracking = given.get("Tracking") or []
    if len(tracking) > _MOST_TRACKING:
        raise Invalid("A line item has at most 2 tracking categories")
    amounts = _amounts(given, terms)
    line: Element = {
        "LineItemID": reading.text(given, "LineItemID") or new_id(),
        "Description": description,
        **amounts,
        **_account_and_tax(books, given, terms),
        "Tracking": tracking,
    }
    if code := reading.text(given, "ItemCode"):
        line["ItemCode"] = code
    line["TaxAmount"] = _tax(books, given, line, terms)
    return line


def _with_item(books: Books, given: Element) -> Element:
    """What the line leaves out comes from its item."""
    code = reading.text(given, "ItemCode")
    if not code:
        return given
    item = by_code(books, code)
    if item is None:
        raise Invalid(f"Item code '{code}' is not valid")
    details = item["SalesDetails"]
    defaults = {
        "Description": item["Description"] or item["Name"],
        "UnitAmount": details.get("UnitPrice"),
        "AccountCode": details.get("AccountCode"),
        "TaxType": details.get("TaxType"),
    }
    said = {name: value for name, value in given.items() if value is not None}
    return {**defaults, **said}


def _amounts(given: Element, terms: Terms) -> Element:
    quantity = reading.number(given, "Quantity", places=4)
    unit = reading.number(given, "UnitAmount", places=terms.places)
    stated = reading.number(given, "LineAmount")
    quantity = Decimal(1) if quantity is None and (unit or stated) is not None else quantity
    if unit is None:
        unit = round_to(stated / quantity, terms.places) if stated and quantity else Decimal(0)
        exact = stated or Decimal(0)
    else:
        exact = (quantity or Decimal(0)) * unit
    rate = reading.number(given, "DiscountRate", places=None) or Decimal(0)
    discount = reading.number(given, "DiscountAmount") or exact * rate / _HUNDRED
    if stated is not None and reading.number(given, "UnitAmount") is None:
        discount = Decimal(0)
    expected = round_to(exact - discount, 2)
    if stated is not None and stated != expected:
        raise Invalid(f"The line total {stated} does not match the expected line total {expected}")
    amounts: Element = {
        "Quantity": quantity or Decimal(0),
        "UnitAmount": unit,
        "LineAmount": expected,
    }
    if discount:
        amounts["_discount"] = round_to(discount, 2)
        name = "DiscountRate" if rate else "DiscountAmount"
        amounts[name] = rate or round_to(discount, 2)
    return amounts


def _account_and_tax(books: Books, given: Element, terms: Terms) -> Element:
    found: Element = {}
    code = reading.text(given, "AccountCode")
    account = books.account({"Code": code}) if code else None
    if code and (account is None or account["Type"] == "BANK"):
        raise Invalid(f"Account code '{code}' is not a valid code for this document.")
    if account:
        found |= {"AccountCode": account["Code"], "AccountID": account["AccountID"]}
    tax_type = reading.text(given, "TaxType") or (account["TaxType"] if account else None)
    if terms.amounts == "NoTax":
        tax_type = "NONE"
    if tax_type:
        if books.rate(tax_type) is None or not _for_income(books, tax_type):
            raise Invalid(
                f"The TaxType code '{tax_type}' does not exist or cannot be used for this type "
                "of transaction"
            )
        found["TaxType"] = tax_type
    return found


def _for_income(books: Books, tax_type: str) -> bool:
    rate = books.tax_rates.get(tax_type)
    return bool(rate and rate["CanApplyToRevenue"])


def _tax(books: Books, given: Element, line: Element, terms: Terms) -> Decimal:
    """The tax of the line: as given, or by its rate."""
    if terms.amounts == "NoTax":
        return _ZERO
    stated = reading.number(given, "TaxAmount")
    if stated is not None:
        return stated
    rate = books.rate(line["TaxType"]) if "TaxType" in line else None
    if not rate:
        return _ZERO
    share = rate / (_HUNDRED + rate) if terms.amounts == "Inclusive" else rate / _HUNDRED
    return round_to(line["LineAmount"] * share, 2)
