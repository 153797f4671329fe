"""The settings of a connection to Invoice Ninja, and the parts of its answers that we rely on.

Named as in https://api-docs.invoicing.co and, where that is wrong, as its server does.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlsplit

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

HOSTED = "invoicing.co"
HOSTED_CALLS = 1000
"""Calls a minute that Invoice Ninja's own hosting allows."""
_HOSTED_BELOW = (".invoicing.co", ".invoiceninja.com")
_LONGEST_TOKEN = 1000
_TAKEN = frozenset({"id", "id_number", "contacts", "settings", "product_key"})


def _without_prefix(url: str) -> str:
    return url.removesuffix("/api/v1").rstrip("/")


def _a_token(token: SecretStr) -> SecretStr:
    text = token.get_secret_value()
    is_visible = text.isascii() and text.isprintable() and " " not in text
    if not text or not is_visible or len(text) > _LONGEST_TOKEN:
        raise ValueError("is not a token: visible ASCII characters without spaces")
    return token


def _free_fields(fields: Mapping[str, str]) -> Mapping[str, str]:
    for name in fields:
        if name in _TAKEN:
            raise ValueError(f"{name} is what a counterpart is known by, and not for choosing")
    return fields


class InvoiceNinjaSettings(Settings):
    """`api_url` with or without `/api/v1`. `webhook_secret` may be several with commas between,
    the newest first: while it is replaced all count. `request_delay`: seconds between requests as
    long as the server states no limits. `set_cost`: write the price as the purchase price too.
    `calls_per_minute`: what the server allows, where it is not Invoice Ninja's own hosting.
    `client_fields`, `product_fields`: a field there -> the name of our detail or attribute that goes
    into it in place of what `mapping` puts there; an empty name leaves the field alone.
    """

    api_url: Annotated[SecureUrl, AfterValidator(_without_prefix)]
    api_token: Annotated[SecretStr, AfterValidator(_a_token)]
    webhook_secret: SecretStr = SecretStr("")
    timeout: float = Field(default=30.0, gt=0, le=60)
    request_delay: float = Field(default=0.5, ge=0, le=60)
    set_cost: bool = True
    max_attempts: int = Field(default=3, ge=1, le=100)
    client_fields: Annotated[Mapping[str, str], AfterValidator(_free_fields)] = {}
    product_fields: Annotated[Mapping[str, str], AfterValidator(_free_fields)] = {}
    calls_per_minute: int | None = Field(default=None, ge=1)
    debug: bool = False

    @property
    def host(self) -> str:
        return urlsplit(self.api_url).hostname or ""

    @property
    def is_hosted(self) -> bool:
        return self.host == HOSTED or self.host.endswith(_HOSTED_BELOW)

    def allowed_calls(self) -> int | None:
        """Calls a minute; None where nobody limits them."""
        return self.calls_per_minute or (HOSTED_CALLS if self.is_hosted else None)

    def webhook_secrets(self) -> list[str]:
        secrets = self.webhook_secret.get_secret_value().split(",")
        return [secret.strip() for secret in secrets if secret.strip()]


def _or_empty(value: object) -> object:
    return "" if value is None else value


def _or_zero(value: object) -> object:
    return 0 if value in (None, "") else value


def _or_nothing(value: object) -> object:
    # PHP writes an object without members as an empty list.
    return {} if value in (None, []) else value


def _without_nul(text: str) -> str:
    # PostgreSQL keeps no NUL.
    return text.replace("\x00", "")


ID_PATTERN = r"^[A-Za-z0-9]{1,64}$"
Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
Text = Annotated[
    str, Field(coerce_numbers_to_str=True), BeforeValidator(_or_empty), AfterValidator(_without_nul)
]
Seconds = Annotated[int, Field(ge=0, lt=10**11), BeforeValidator(_or_zero)]
"""Since 1970; 0 is never."""
Amount = Annotated[Decimal, Field(allow_inf_nan=False), BeforeValidator(_or_zero)]
Flag = Annotated[bool, BeforeValidator(bool)]
ClientSettings = Annotated[Mapping[str, Any], BeforeValidator(_or_nothing)]


class Reply(BaseModel):
    """`defer_build`: a class costs nothing until its first answer."""

    model_config = ConfigDict(frozen=True, defer_build=True, hide_input_in_errors=True)


class State(Reply):
    """What every entity says of itself."""

    id: Id
    updated_at: Seconds = 0
    archived_at: Seconds = 0
    is_deleted: Flag = False

    @property
    def is_put_away(self) -> bool:
        """Archived or deleted."""
        return self.is_deleted or self.archived_at > 0


S = TypeVar("S", bound=BaseModel)


class One(Reply, Generic[S]):
    data: S


class Pagination(Reply):
    current_page: int = 1
    total_pages: int = 1


class Meta(Reply):
    pagination: Pagination = Pagination()


class Many(Reply, Generic[S]):
    data: tuple[S, ...]
    meta: Meta | None = None


class Contact(Reply):
    """A person at a client."""

    id: Id
    first_name: Text = ""
    last_name: Text = ""
    email: Text = ""
    phone: Text = ""
    send_email: Flag = True
    is_primary: Flag = False
    custom_value1: Text = ""
    custom_value2: Text = ""
    custom_value3: Text = ""
    custom_value4: Text = ""
    created_at: Seconds = Field(default=0, exclude=True)


class Client(State):
    name: Text = ""
    display_name: Text = ""
    number: Text = ""
    id_number: Text = ""
    vat_number: Text = ""
    phone: Text = ""
    address1: Text = ""
    address2: Text = ""
    city: Text = ""
    state: Text = ""
    postal_code: Text = ""
    country_id: Text = ""
    custom_value4: Text = ""
    contacts: tuple[Contact, ...] = ()
    settings: ClientSettings = Field(default_factory=dict)

    @property
    def currency_id(self) -> str:
        """Empty: the company's."""
        return str(self.settings.get("currency_id") or "")


class Product(State):
    product_key: Text = ""
    notes: Text = ""
    price: Amount = Decimal(0)
    tax_name1: Text = ""
    tax_rate1: Amount = Decimal(0)
    custom_value4: Text = ""


class TaxRate(State):
    name: Text = ""
    rate: Amount = Decimal(0)


class Share(Reply):
    """What of a payment or a credit went where. `credit_id` instead of `invoice_id`: a credit."""

    invoice_id: Text = ""
    amount: Amount = Decimal(0)
    refunded: Amount = Decimal(0)


class Payment(State):
    client_id: Text = ""
    status_id: Text = ""
    amount: Amount = Decimal(0)
    refunded: Amount = Decimal(0)
    date: Text = ""
    transaction_reference: Text = ""
    paymentables: tuple[Share, ...] = ()


class Invitation(Reply):
    link: Text = ""


class Invoice(State):
    """Amounts are in the client's currency; the client and the payments are there when asked for."""

    client_id: Id
    status_id: Text = ""
    number: Text = ""
    amount: Amount = Decimal(0)
    balance: Amount = Decimal(0)
    paid_to_date: Amount = Decimal(0)
    invitations: tuple[Invitation, ...] = ()
    client: Client | None = None
    payments: tuple[Payment, ...] | None = None


class Webhook(State):
    event_id: Text = ""
    target_url: Text = ""


class CompanySettings(Reply):
    name: Text = ""
    currency_id: Text = ""


class Company(Reply):
    id: Id
    company_key: Text = ""
    settings: CompanySettings = CompanySettings()


class Currency(Reply):
    id: Text
    code: Text = ""


class Country(Reply):
    id: Text
    iso_3166_2: Text = ""


class StaticData(Reply):
    """What is the same for every company of a server."""

    currencies: tuple[Currency, ...] = ()
    countries: tuple[Country, ...] = ()


class Problem(Reply):
    """`errors`: what is wrong with which field."""

    message: Text = ""
    errors: Any = None

    def complaints(self) -> dict[str, list[str]]:
        found = self.errors if isinstance(self.errors, dict) else {}
        return {
            str(name): [str(text) for text in texts] if isinstance(texts, list) else [str(texts)]
            for name, texts in found.items()
        }


class Entity(State):
    """The body of a webhook: the bare entity."""

    paymentables: tuple[Share, ...] = ()
