"""Many records at once, as a site holds them: written in bulk, not marked due."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from tallystick.accounts.models import Account, Website
from tallystick.billing.lines import LineDraft
from tallystick.billing.models import Allocation, Invoice, Payment, Product
from tallystick.kit import clock
from tallystick.people.models import User
from tallystick.ports.records import Kind


def fill(website: Website, kind: Kind, count: int, *, start: int = 0) -> None:
    """`start`: how many there are already, for those whose names are numbered."""
    if kind == Kind.PRODUCT:
        products(website, count, start=start)
    else:
        _MAKERS[kind](website, count)


def customers(website: Website, count: int) -> list[Account]:
    before = User.objects.count()
    users = User.objects.bulk_create(
        [
            User(
                username=f"user{before + n}",
                email=f"user{before + n}@example.org",
                first_name=f"Anna {before + n}",
                last_name="Becker",
            )
            for n in range(count)
        ],
        batch_size=1000,
    )
    return Account.objects.bulk_create(
        [Account(website=website, user=user) for user in users], batch_size=1000
    )


def products(website: Website, count: int, *, start: int = 0) -> None:
    Product.objects.bulk_create(
        [
            Product(
                website=website,
                name=f"Product {n}",
                slug=f"product-{n}",
                price=Decimal("9.90"),
                currency="EUR",
            )
            for n in range(start, start + count)
        ],
        batch_size=1000,
    )


def invoices(website: Website, count: int) -> list[Invoice]:
    (account,) = customers(website, 1)
    made = []
    for _ in range(count):
        line = LineDraft(description="Crown", unit_price=Decimal(1000))
        invoice = Invoice.objects.draft(account=account, lines=[line])
        invoice.issue()
        made.append(invoice)
    return made


def payments(website: Website, count: int) -> None:
    """Of one euro each, on as few invoices as hold them."""
    per_invoice = 100
    before = Payment.objects.of(website).count()
    targets = invoices(website, -(-count // per_invoice))
    now = clock.now()
    made = Payment.objects.bulk_create(
        [
            Payment(
                website=website,
                account=targets[n // per_invoice].client,
                invoice=targets[n // per_invoice],
                method="manual",
                amount=Decimal(1),
                currency="EUR",
                status=Payment.Status.SUCCEEDED,
                succeeded_at=now,
                key=f"seed-{before + n}",
            )
            for n in range(count)
        ],
        batch_size=1000,
    )
    Allocation.objects.bulk_create(
        [Allocation(payment=each, invoice=each.invoice, amount=each.amount) for each in made],
        batch_size=1000,
    )


_MAKERS: Mapping[Kind, Callable[[Website, int], object]] = {
    Kind.CUSTOMER: customers,
    Kind.INVOICE: invoices,
    Kind.PAYMENT: payments,
}
