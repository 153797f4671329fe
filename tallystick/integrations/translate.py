"""Our own models as records, and what comes back as our verbs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Q

from tallystick.accounts.models import Account, Organisation, Website
from tallystick.billing import payments
from tallystick.billing.errors import BillingError
from tallystick.billing.models import Allocation, Invoice, InvoiceLine, Product, TaxRate
from tallystick.integrations import arrivals, details, sync
from tallystick.integrations.incoming import CannotApply
from tallystick.integrations.links import Link
from tallystick.kit import clock
from tallystick.kit.money import Money
from tallystick.ports import records
from tallystick.ports.records import Kind
from tallystick.queue.rows import State

if TYPE_CHECKING:
    from tallystick.integrations.connections import Connection

User = get_user_model()


@sync.register(Account)
class AccountSync(sync.ModelSync):
    kind = Kind.CUSTOMER
    wanted = Q(erased_at=None)
    follows = {User: "user", Organisation: "organisation"}
    related = ("website", "user", "organisation")

    def all_related(self) -> list[str]:
        return [*self.related, *(f"user__{name}" for name in details.related_of(User))]

    def key(self, obj: Account) -> str:
        return obj.customer_key

    def to_record(self, obj: Account) -> records.Customer:
        person = obj.user
        told = details.of_person(person, obj.website.zone) if person else ()
        return records.Customer(
            key=self.key(obj),
            name=obj.name,
            email=obj.email,
            first_name=person.first_name if person else "",
            last_name=person.last_name if person else "",
            # A person's is where the host's mapping says.
            phone=str(dict(told).get("phone_number", "")) if person else obj.phone,
            tax_number=obj.billing_tax_number,
            address=records.Address(**obj.address()),
            currency=obj.billing_currency,
            is_active=person.is_active if person else True,
            details=told,
        )

    def lookup(self, by: str, values: Collection[str], website_id: int) -> sync.Places:
        return arrivals.accounts_by(by, values, website_id)

    def take(self, obj: Account, found: records.RemoteCustomer) -> list[str]:
        return arrivals.take_customer(obj, found)

    def make(self, found: records.RemoteCustomer, website: Website, choice: str) -> Account:
        return arrivals.make_customer(found, website, choice)


@sync.register(Product)
class ProductSync(sync.ModelSync):
    kind = Kind.PRODUCT
    follows = {TaxRate: "tax_rate"}
    related = ("tax_rate",)

    def key(self, obj: Product) -> str:
        return f"p-{obj.uid.hex}"

    def to_record(self, obj: Product) -> records.Product:
        rate = obj.tax_rate
        return records.Product(
            key=self.key(obj),
            code=obj.code,
            name=obj.name,
            price=obj.price,
            currency=obj.currency,
            description=obj.description,
            tax=records.Tax(rate.code, rate.percent) if rate else None,
            is_active=obj.is_active,
            details=details.of_product(obj),
        )

    def lookup(self, by: str, values: Collection[str], website_id: int) -> sync.Places:
        return arrivals.products_by(by, values, website_id)

    def take(self, obj: Product, found: records.RemoteProduct) -> list[str]:
        return arrivals.take_product(obj, found)

    def make(self, found: records.RemoteProduct, website: Website, choice: str) -> Product:
        del choice
        return arrivals.make_product(found, website)


@sync.register(Invoice)
class InvoiceSync(sync.ModelSync):
    """Only issued invoices are told. What comes back: payments and voids made there."""

    kind = Kind.INVOICE
    wanted = ~Q(status=Invoice.Status.DRAFT)
    related = ("website", "client")
    prefetched = ("lines__product",)

    def key(self, obj: Invoice) -> str:
        return f"i-{obj.uid.hex}"

    def wants(self, obj: Invoice) -> bool:
        return obj.status != Invoice.Status.DRAFT

    def depends(self, obj: Invoice) -> Iterable[models.Model]:
        yield obj.client
        yield from (line.product for line in obj.lines.all() if line.product)

    def to_record(self, obj: Invoice) -> records.Invoice:
        return records.Invoice(
            key=self.key(obj),
            number=obj.number,
            customer=records.Ref(Kind.CUSTOMER, obj.client.customer_key),
            date=obj.issue_date or obj.website.today(),
            due_date=obj.due_date or obj.issue_date or obj.website.today(),
            currency=obj.currency,
            lines=tuple(_line(line) for line in obj.lines.all()),
            subtotal=obj.subtotal,
            tax=obj.tax,
            total=obj.amount,
            inclusive=obj.inclusive,
            reference=obj.reference or obj.reference_id,
            url=obj.url,
            is_void=obj.status == Invoice.Status.VOID,
        )

    def apply(self, link: Link, found: records.RemoteInvoice) -> str:
        """Take over payments and a void made there; say what else differs."""
        manager = Invoice.objects.everywhere().select_related("website")
        invoice = manager.select_for_update(of=("self",)).get(pk=link.local_id)
        if found.currency != invoice.currency:
            raise CannotApply(f"It is in {found.currency} there, in {invoice.currency} here.")
        removed = _removed(link, invoice, found)
        for payment in found.payments:
            _take_payment(link, invoice, payment, removed)
        invoice.refresh_from_db()
        if found.status == records.InvoiceStatus.VOID and invoice.status != Invoice.Status.VOID:
            _void(link, invoice)
        return _difference(invoice, found) or _unpaid_there(link, invoice, found, removed)


@sync.register(Allocation)
class AllocationSync(sync.ModelSync):
    """What a payment gave to one invoice is one payment to an accounting system."""

    kind = Kind.PAYMENT
    once = True
    wanted = Q(amount__gt=0)
    website_path = "invoice__website"
    related = ("payment", "invoice__website")

    def wants(self, obj: Allocation) -> bool:
        """What is taken back again is no payment."""
        return obj.amount > 0

    def key(self, obj: Allocation) -> str:
        return f"y-{obj.uid.hex}"

    def depends(self, obj: Allocation) -> Iterable[models.Model]:
        yield obj.invoice

    def to_record(self, obj: Allocation) -> records.Payment:
        payment = obj.payment
        return records.Payment(
            key=self.key(obj),
            invoice=records.Ref(Kind.INVOICE, f"i-{obj.invoice.uid.hex}"),
            amount=obj.amount,
            currency=obj.invoice.currency,
            date=payment.received_on or obj.invoice.website.today(),
            method=payment.method,
            reference=payment.reference,
        )


def _line(line: InvoiceLine) -> records.Line:
    product = line.product
    return records.Line(
        description=line.description,
        quantity=line.quantity,
        unit_price=line.unit_price,
        amount=line.amount,
        tax_amount=line.tax_amount,
        discount=line.discount_percent,
        tax=records.Tax(line.tax_code, line.tax_percent) if line.tax_code else None,
        product=records.Ref(Kind.PRODUCT, f"p-{product.uid.hex}") if product else None,
        # As it is there now: an item keeps its id when its code changes.
        product_code=product.code if product else "",
    )


Removed = dict[Link, Allocation]
"""Our payments of an invoice that were there and are no longer."""


def _removed(link: Link, invoice: Invoice, found: records.RemoteInvoice) -> Removed:
    if not found.payments_complete:
        return {}
    there = {payment.remote.id for payment in found.payments if not payment.is_deleted}
    ours = {str(allocation.pk): allocation for allocation in invoice.allocations.all()}
    known = Link.objects.filter(
        connection_id=link.connection_id, model=Allocation._meta.label, local_id__in=list(ours)
    )
    gone = known.exclude(remote_id="").exclude(remote_id__in=there).order_by("pk")
    return {lost: ours[lost.local_id] for lost in gone}


def _take_payment(
    link: Link, invoice: Invoice, found: records.RemotePayment, removed: Removed
) -> None:
    """Record a payment made there, unless it is one of ours come back, or one that was entered
    anew: removing a payment and entering it again is how a mistake is mended there, and no money."""
    if found.is_deleted or _is_known(link, found) or _is_ours(link, found):
        return
    if removed:
        again = next((lost for lost, ours in removed.items() if ours.amount == found.amount), None)
        if again is None:
            raise CannotApply(
                f"A payment of {Money(found.amount, invoice.currency)} was entered there in place of "
                "another that was removed; see which of them is right, and record it by hand."
            )
        del removed[again]
        Link.objects.filter(pk=again.pk).update(
            remote_id=found.remote.id, remote_version=found.remote.version
        )
        return
    connection: Connection = link.connection
    method = connection.type.lower()
    try:
        payment = payments.receive_external(
            invoice,
            amount=found.amount,
            reference=f"{method}:{found.remote.id}",
            date=found.date,
            method=method,
        )
    except BillingError as error:
        raise CannotApply(f"A payment made there cannot be taken over: {error}") from error
    for allocation in payment.allocations.filter(invoice=invoice):
        _adopt(link, AllocationSync(Allocation).key(allocation), found)


def _is_known(link: Link, found: records.RemotePayment) -> bool:
    return Link.objects.filter(
        connection_id=link.connection_id, kind=Kind.PAYMENT.value, remote_id=found.remote.id
    ).exists()


def _is_ours(link: Link, found: records.RemotePayment) -> bool:
    """We sent it, and its answer was lost or is still under way: its reference is our key."""
    return bool(found.reference) and bool(_adopt(link, found.reference, found))


def _adopt(link: Link, key: str, found: records.RemotePayment) -> int:
    """Tie our payment of this key to the one found there."""
    return Link.objects.filter(
        connection_id=link.connection_id, kind=Kind.PAYMENT.value, key=key, remote_id=""
    ).update(
        remote_id=found.remote.id,
        remote_version=found.remote.version,
        state=State.DONE,
        attempt_key="",
        last_error="",
        synced_at=clock.now(),
    )


def _void(link: Link, invoice: Invoice) -> None:
    try:
        invoice.void(reason=f"Voided in {link.connection.provider.name}")
    except BillingError as error:
        raise CannotApply(f"It was voided there, but not here: {error}") from error


def _unpaid_there(
    link: Link, invoice: Invoice, found: records.RemoteInvoice, removed: Removed
) -> str:
    """What is paid here and not there, unless our payments are still on their way."""
    for ours in removed.values():
        money = Money(ours.amount, invoice.currency)
        return f"A payment of {money} that is recorded here was removed there."
    on_their_way = Link.objects.filter(
        connection_id=link.connection_id,
        model=Allocation._meta.label,
        local_id__in=[str(pk) for pk in invoice.allocations.values_list("pk", flat=True)],
    ).exclude(state=State.DONE)
    if found.amount_paid == invoice.amount_paid or on_their_way.exists():
        return ""
    there, here = (
        Money(paid, invoice.currency) for paid in (found.amount_paid, invoice.amount_paid)
    )
    return f"{there} is paid there, {here} here."


def _difference(invoice: Invoice, found: records.RemoteInvoice) -> str:
    """How the two sides still differ, in words; empty when they agree."""
    here, there = Money(invoice.amount, invoice.currency), Money(found.total, found.currency)
    is_void_there = found.status == records.InvoiceStatus.VOID
    differences = {
        "It is void here, not there.": invoice.status == Invoice.Status.VOID and not is_void_there,
        f"The total is {there} there, {here} here.": here.rounded() != there.rounded(),
        f"{Money(found.amount_credited, found.currency)} was credited there, not here.": bool(
            found.amount_credited
        ),
    }
    if is_void_there:
        return ""
    return next((words for words, differs in differences.items() if differs), "")
