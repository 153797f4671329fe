"""Provider-neutral values: what passes between our models and provider clients.

All amounts are `Decimal` in major units of the `currency` beside them; dates are calendar dates of
the seller; times are aware, in UTC. Records are frozen and compare by value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Self

from tallystick.kit import json

Day = date
"""Under a name that a field called `date` does not hide."""


class Kind(StrEnum):
    """What a record is about. The values are the words of the API's `dataType`."""

    CUSTOMER = "contacts"
    PRODUCT = "products"
    INVOICE = "invoices"
    PAYMENT = "payments"
    TAX_RATE = "tax_rates"


PUSH_ORDER = (Kind.CUSTOMER, Kind.PRODUCT, Kind.INVOICE, Kind.PAYMENT)
"""An invoice names its customer and products, a payment its invoice: what is named goes first."""


Scalar = str | int | bool | None
Details = tuple[tuple[str, Scalar], ...]
"""What only some providers ask for, by name. Which are sent is said by `Provider.reads`."""
SENSITIVE = (
    "emergency_contact_name",
    "emergency_contact_phone",
    "emergency_contact_relationship",
    "medical_sex",
    "medical_conditions",
    "allergies",
    "medications",
    "insurance_policy",
    "insurance_company",
)
"""The details that are health and emergency data: never told unless that is allowed by name."""


@dataclass(frozen=True, slots=True)
class Ref:
    """Another local object that a record names: `key` is ours, `remote_id` the provider's."""

    kind: Kind
    key: str
    remote_id: str = ""


Remotes = Mapping[tuple[Kind, str], str]
"""(kind, our key) -> the provider's id."""


@dataclass(frozen=True, slots=True)
class Record:
    """`key` is our own name for the object, the same for ever, at most 50 characters of
    `[a-z0-9-]`, unique over all installations that may share a provider account. It is written to
    the provider where there is a place, and is how a lost answer is found again."""

    key: str

    @property
    def label(self) -> str:
        """How logs name it: no personal data."""
        return f"{type(self).__name__} {self.key}"

    def refs(self) -> tuple[Ref, ...]:
        """The objects that must exist at the provider before this one can."""
        return ()

    def resolved(self, remotes: Remotes) -> Self:
        """The same record with the provider's ids in its refs. `KeyError` if one is not known."""
        del remotes
        return self

    def told(self, reads: Collection[str]) -> Self:
        """The same record with no other details than those named: what a provider does not read
        neither leaves nor counts as a change."""
        del reads
        return self


@dataclass(frozen=True, slots=True)
class Departed(Record):
    """An object that was told of, and is no longer here."""


@dataclass(frozen=True, slots=True)
class Address:
    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""
    """ISO 3166-1 alpha-2."""


@dataclass(frozen=True, slots=True)
class Detailed(Record):
    """A record with `details`; see `details_of` in `integrations.translate` for their names."""

    details: Details = field(default=(), kw_only=True)

    def detail(self, name: str) -> Scalar:
        """The detail of that name; None where it is not known."""
        return next((value for key, value in self.details if key == name), None)

    def told(self, reads: Collection[str]) -> Self:
        kept = tuple(pair for pair in self.details if pair[0] in reads)
        return self if kept == self.details else replace(self, details=kept)


@dataclass(frozen=True, slots=True)
class Customer(Detailed):
    name: str
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    tax_number: str = ""
    address: Address = Address()
    currency: str = ""
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Tax:
    """`percent`: 19 for 19 %. `code`: the seller's own word for the rate, to map by."""

    code: str
    percent: Decimal


@dataclass(frozen=True, slots=True)
class Product(Detailed):
    code: str
    name: str
    price: Decimal
    currency: str
    description: str = ""
    tax: Tax | None = None
    is_active: bool = True

    @property
    def label(self) -> str:
        return f"Product {self.code}"


@dataclass(frozen=True, slots=True)
class Line:
    """`amount` is what the line adds to the invoice after `discount`, as our totals computed it:
    with the tax in it on an inclusive invoice, without it on an exclusive one. `tax_amount` is its
    rounded tax, `discount` is per cent."""

    description: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    tax_amount: Decimal
    discount: Decimal = Decimal(0)
    tax: Tax | None = None
    product: Ref | None = None
    product_code: str = ""


class InvoiceStatus(StrEnum):
    DRAFT = "draft"
    OPEN = "open"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Invoice(Record):
    """An issued sales invoice. `inclusive`: the unit prices hold the tax."""

    number: str
    customer: Ref
    date: Day
    due_date: Day
    currency: str
    lines: tuple[Line, ...]
    subtotal: Decimal
    tax: Decimal
    total: Decimal
    inclusive: bool = False
    reference: str = ""
    url: str = ""
    is_void: bool = False

    @property
    def label(self) -> str:
        return f"Invoice {self.number}"

    def refs(self) -> tuple[Ref, ...]:
        return (self.customer, *(line.product for line in self.lines if line.product))

    def resolved(self, remotes: Remotes) -> Self:
        lines = tuple(
            replace(line, product=_resolved(line.product, remotes)) if line.product else line
            for line in self.lines
        )
        return replace(self, customer=_resolved(self.customer, remotes), lines=lines)


@dataclass(frozen=True, slots=True)
class Payment(Record):
    """Money received for one invoice. `method`: our word for how (wallet, manual, card...)."""

    invoice: Ref
    amount: Decimal
    currency: str
    date: Day
    method: str = ""
    reference: str = ""

    def refs(self) -> tuple[Ref, ...]:
        return (self.invoice,)

    def resolved(self, remotes: Remotes) -> Self:
        return replace(self, invoice=_resolved(self.invoice, remotes))


@dataclass(frozen=True, slots=True)
class Remote:
    """What the provider calls an object. `version` changes when it does (a token or a time);
    `url` is where a person finds it there; `remark` is what did not go along, in a sentence."""

    id: str
    version: str = ""
    url: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class RemotePayment:
    remote: Remote
    amount: Decimal
    date: Day
    reference: str = ""
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class RemoteInvoice:
    """An invoice as the provider has it. `updated_at` orders two versions of it."""

    remote: Remote
    number: str
    status: InvoiceStatus
    currency: str
    total: Decimal
    amount_due: Decimal
    amount_paid: Decimal
    amount_credited: Decimal
    updated_at: datetime
    customer_id: str = ""
    payments: tuple[RemotePayment, ...] = ()
    payments_complete: bool = True
    """False when the list may be short (a summary): fetch it by id before judging."""


@dataclass(frozen=True, slots=True)
class RemoteCustomer:
    """A customer as the provider has it. `key` is our own key where it bears one; `local_id` the
    number by which a person's entry names our object. Archived or deleted: not `is_active`."""

    remote: Remote
    name: str
    updated_at: datetime
    key: str = ""
    local_id: str = ""
    number: str = ""
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    tax_number: str = ""
    address: Address = Address()
    currency: str = ""
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class RemoteProduct:
    """A product as the provider has it; `currency` is empty where it has only one."""

    remote: Remote
    code: str
    updated_at: datetime
    key: str = ""
    local_id: str = ""
    name: str = ""
    description: str = ""
    price: Decimal = Decimal(0)
    currency: str = ""
    tax: Tax | None = None
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class RemoteTaxRate:
    """`percent`: 19 for 19 %."""

    remote: Remote
    name: str
    percent: Decimal
    updated_at: datetime
    is_active: bool = True


def fingerprint(record: Record, otherwise: Details = ()) -> str:
    """A digest of what `record` says, and of what is made of it `otherwise` than usual. Fields at
    their default do not count, so that a field added in a later version changes no fingerprint."""
    said = [_said(record), _said(otherwise)] if otherwise else _said(record)
    return hashlib.sha256(json.canonical(said)).hexdigest()


def _said(value: object) -> object:
    if isinstance(value, tuple):
        return [_said(item) for item in value]
    if isinstance(value, type) or not is_dataclass(value):
        return value
    said: dict[str, object] = {}
    for name, default in _defaults(value.__class__):
        held = getattr(value, name)
        if held != default:
            said[name] = _said(held)
    return said


@cache
def _defaults(record_type: type) -> tuple[tuple[str, object], ...]:
    return tuple((f.name, f.default) for f in fields(record_type))


def _resolved(ref: Ref, remotes: Remotes) -> Ref:
    return replace(ref, remote_id=remotes[ref.kind, ref.key])
