"""Made-up records, for tests of providers: good ones, as the site would send them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from tallystick.ports.records import (
    Address,
    Customer,
    Invoice,
    Kind,
    Line,
    Payment,
    Product,
    Record,
    Ref,
    Tax,
)


def kind_of(record: Record) -> Kind:
    return _KINDS[type(record)]


_KINDS: dict[type[Record], Kind] = {
    Customer: Kind.CUSTOMER,
    Product: Kind.PRODUCT,
    Invoice: Kind.INVOICE,
    Payment: Kind.PAYMENT,
}


def customer(number: int) -> Customer:
    return Customer(
        key=f"c-{number:032x}",
        name=f"Ada Muster {number}",
        email=f"ada{number}@example.org",
        first_name="Ada",
        last_name=f"Muster {number}",
        phone="+49 221 000000",
        address=Address("Hauptstraße 1", "", "Köln", "NRW", "50667", "DE"),
    )


def product(number: int, currency: str, tax: Tax) -> Product:
    return Product(
        key=f"p-{number:032x}",
        code=f"lesson-{number}",
        name=f"Lesson {number}",
        price=Decimal("40.00"),
        currency=currency,
        description="One hour, with instruments",
        tax=tax,
    )


def invoice(
    number: int, currency: str, tax: Tax, buyer: Sequence[Ref], sold: Sequence[Ref]
) -> Invoice:
    """Two lines, 100 without tax."""
    share = tax.percent / 100
    lines = (
        Line(
            description="Lesson",
            quantity=Decimal(2),
            unit_price=Decimal("40.00"),
            amount=Decimal("80.00"),
            tax_amount=Decimal("80.00") * share,
            tax=tax,
            product=sold[0] if sold else None,
            product_code="lesson-0",
        ),
        Line(
            description="Strings",
            quantity=Decimal(1),
            unit_price=Decimal("20.00"),
            amount=Decimal("20.00"),
            tax_amount=Decimal("20.00") * share,
            tax=tax,
        ),
    )
    taxed = Decimal("100.00") * share
    return Invoice(
        key=f"i-{number:032x}",
        number=f"2026-{number:04d}",
        customer=buyer[0],
        date=date(2026, 1, 15),
        due_date=date(2026, 1, 29),
        currency=currency,
        lines=lines,
        subtotal=Decimal("100.00"),
        tax=taxed,
        total=Decimal("100.00") + taxed,
        reference="Order 4711",
        url=f"https://pay.example.org/invoice/{number}",
    )


def payment(number: int, currency: str, owed: Ref) -> Payment:
    return Payment(
        key=f"y-{number:032x}",
        invoice=owed,
        amount=Decimal("50.00"),
        currency=currency,
        date=date(2026, 1, 20),
        method="manual",
    )
