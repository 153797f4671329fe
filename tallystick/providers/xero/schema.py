"""The settings of a connection to Xero, and the parts of its answers that we rely on.

Named as in https://developer.xero.com/documentation/api/accounting/overview.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
)

from tallystick.ports.exchange import SecureUrl
from tallystick.ports.provider import Settings

BASE_URL = "https://api.xero.com/api.xro/2.0"
TOKEN_URL = "https://identity.xero.com/connect/token"  # noqa: S105 - an address
SCOPES = "accounting.contacts accounting.invoices accounting.payments accounting.settings"
"""The narrowest that works: `accounting.settings` whole, because items are written under it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS_DATE = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/", re.ASCII)

_Word = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]+$", max_length=500)]
_Code = Annotated[str, StringConstraints(strip_whitespace=True, max_length=10)]


class XeroSettings(Settings):
    """`webhook_key` may be several with commas between: while a key is replaced both count.
    `tax_types` maps our tax codes, or percentages such as "19", to Xero's; the key "" stands for
    lines without tax. `payment_account_code` is the bank account that payments are entered to.
    """

    client_id: _Word
    client_secret: SecretStr
    tenant_id: _Word
    account_code: Annotated[_Code, StringConstraints(min_length=1)]
    currency_code: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    amount_type: Literal["INCLUSIVE", "EXCLUSIVE"] = "EXCLUSIVE"
    payment_account_code: _Code = ""
    webhook_key: SecretStr = SecretStr("")
    tax_types: Mapping[str, str] = Field(default_factory=dict)
    email_invoices: bool = True
    scopes: str = SCOPES
    debug: bool = False
    base_url: SecureUrl = BASE_URL
    token_url: SecureUrl = TOKEN_URL

    def webhook_keys(self) -> list[str]:
        keys = self.webhook_key.get_secret_value().split(",")
        return [key.strip() for key in keys if key.strip()]


def _moment(value: object) -> object:
    """A time in either of Xero's spellings; those without a zone are UTC."""
    if not isinstance(value, str):
        raise ValueError("is not a text")  # noqa: TRY004 - what pydantic collects
    if found := _MS_DATE.fullmatch(value):
        try:
            return _EPOCH + timedelta(milliseconds=int(found[1]))
        except OverflowError:
            raise ValueError("is out of range") from None
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _day(value: object) -> object:
    moment = _moment(value)
    return moment.date() if isinstance(moment, datetime) else moment


def _without_nul(text: str) -> str:
    # PostgreSQL keeps no NUL.
    return text.replace("\x00", "")


Moment = Annotated[datetime, BeforeValidator(_moment)]
Day = Annotated[date, BeforeValidator(_day)]
Text = Annotated[str, AfterValidator(_without_nul)]
Id = Annotated[
    str, StringConstraints(pattern=r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")
]


class Reply(BaseModel):
    """`defer_build`: a class costs nothing until its first answer."""

    model_config = ConfigDict(frozen=True, defer_build=True, hide_input_in_errors=True)


class ValidationMessage(Reply):
    message: str = Field(alias="Message", default="")


class Element(Reply):
    """One element of a list that was written or looked into. `key` is what we know it by there;
    `id` may be missing or all zeros in an element that was refused."""

    id: str = ""
    key: Text = ""
    updated_at: Moment | None = Field(alias="UpdatedDateUTC", default=None)
    status: str = Field(alias="StatusAttributeString", default="")
    has_errors: bool = Field(alias="HasValidationErrors", default=False)
    complaints: tuple[ValidationMessage, ...] = Field(alias="ValidationErrors", default=())


class Pagination(Reply):
    page: int
    page_count: int = Field(alias="pageCount")


class Listing(Reply):
    elements: tuple[Element, ...] = ()


class ContactElement(Element):
    id: str = Field(alias="ContactID", default="")
    key: Text = Field(alias="ContactNumber", default="")


class Contacts(Listing):
    elements: tuple[ContactElement, ...] = Field(alias="Contacts")


class ItemElement(Element):
    id: str = Field(alias="ItemID", default="")
    key: Text = Field(alias="Code", default="")


class Items(Listing):
    elements: tuple[ItemElement, ...] = Field(alias="Items")


class PaymentElement(Element):
    id: str = Field(alias="PaymentID", default="")
    key: Text = Field(alias="Reference", default="")


class Payments(Listing):
    elements: tuple[PaymentElement, ...] = Field(alias="Payments")


class InvoiceElement(Element):
    id: str = Field(alias="InvoiceID", default="")
    key: Text = Field(alias="InvoiceNumber", default="")
    has_errors: bool = Field(alias="HasErrors", default=False)


class Invoices(Listing):
    elements: tuple[InvoiceElement, ...] = Field(alias="Invoices")


class ContactNamed(Reply):
    id: Id = Field(alias="ContactID")
    key: Text = Field(alias="ContactNumber", default="")


class PaymentInside(Reply):
    """A payment as an invoice lists it."""

    id: Id = Field(alias="PaymentID")
    day: Day = Field(alias="Date")
    amount: Decimal = Field(alias="Amount")
    reference: Text = Field(alias="Reference", default="")


class InvoiceState(Reply):
    """An invoice as it is read. Amounts are in its currency."""

    id: Id = Field(alias="InvoiceID")
    type: str = Field(alias="Type")
    number: Text = Field(alias="InvoiceNumber", default="")
    status: str = Field(alias="Status")
    currency: str = Field(alias="CurrencyCode", pattern=r"^[A-Z]{3}$")
    total: Decimal = Field(alias="Total")
    amount_due: Decimal = Field(alias="AmountDue")
    amount_paid: Decimal = Field(alias="AmountPaid", default=Decimal(0))
    amount_credited: Decimal = Field(alias="AmountCredited", default=Decimal(0))
    updated_at: Moment = Field(alias="UpdatedDateUTC")
    contact: ContactNamed = Field(alias="Contact")
    payments: tuple[PaymentInside, ...] = Field(alias="Payments", default=())


class InvoiceStates(Reply):
    pagination: Pagination | None = None
    invoices: tuple[InvoiceState, ...] = Field(alias="Invoices")


class TaxRate(Reply):
    tax_type: str = Field(alias="TaxType")
    report_type: str = Field(alias="ReportTaxType", default="")
    percent: Decimal = Field(alias="EffectiveRate", default=Decimal(0))
    status: str = Field(alias="Status", default="")
    for_revenue: bool = Field(alias="CanApplyToRevenue", default=False)


class TaxRates(Reply):
    rates: tuple[TaxRate, ...] = Field(alias="TaxRates")


class Organisation(Reply):
    id: Id = Field(alias="OrganisationID")
    name: Text = Field(alias="Name")
    currency: str = Field(alias="BaseCurrency", default="")
    country: str = Field(alias="CountryCode", default="")
    is_demo: bool = Field(alias="IsDemoCompany", default=False)


class Organisations(Reply):
    organisations: tuple[Organisation, ...] = Field(alias="Organisations", min_length=1)


class OnlineInvoice(Reply):
    url: str = Field(alias="OnlineInvoiceUrl", default="")


class OnlineInvoices(Reply):
    invoices: tuple[OnlineInvoice, ...] = Field(alias="OnlineInvoices", default=())


class ProblemElement(Reply):
    complaints: tuple[ValidationMessage, ...] = Field(alias="ValidationErrors", default=())


class Problem(Reply):
    """A call that was refused as a whole, in both of the shapes that Xero has for it."""

    message: str = Field(alias="Message", default="")
    detail: str | None = Field(alias="Detail", default=None)
    elements: tuple[ProblemElement, ...] = Field(alias="Elements", default=())


_Name = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,100}$", to_lower=True)]


class WebhookEvent(Reply):
    """Categories and changes may be ones that we do not know yet."""

    resource_id: _Name = Field(alias="resourceId")
    at: Moment = Field(alias="eventDateUtc")
    change: _Name = Field(alias="eventType")
    category: _Name = Field(alias="eventCategory")
    tenant_id: _Name = Field(alias="tenantId")


class WebhookBody(Reply):
    events: tuple[WebhookEvent, ...]
