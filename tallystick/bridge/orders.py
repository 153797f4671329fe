"""What Tallystick sends: a delivery about one user or one product, parsed at the border.

Only what Invoice Ninja has a place for is read. Health and emergency data, which a site may let
through, is left where it came in: it is neither kept nor sent on.
"""

from __future__ import annotations

from abc import abstractmethod
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from tallystick.ports.records import Customer, Details, Kind, Product, Record, Remote, Tax

MOST_CHARACTERS = 10_000


def _as_text(value: object) -> object:
    """A host's own fields may be numbers, and of any length: neither is a reason to refuse it."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    return value[:MOST_CHARACTERS] if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_as_text)]
Id = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,120}$")]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,50}$")]
LocalId = (
    Annotated[int, Field(strict=True, gt=0, lt=2**63)]
    | Annotated[str, StringConstraints(min_length=1, max_length=120)]
)
"""Our number of it; text where a site's keys are something else."""


class Malformed(Exception):
    """A delivery that is not in the agreed form; the text names the field."""


class Body(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, serialize_by_alias=True
    )


class UserFields(Body):
    referral_code: Text | None = None
    referred_by: Text | None = None
    nationality: Text | None = None
    signup_date: Text | None = None


class User(Body):
    """The keys of `data` when it is about a user."""

    django_user_id: LocalId
    username: Text | None = None
    email: Text | None = None
    first_name: Text | None = None
    last_name: Text | None = None
    full_name: Text | None = None
    phone_number: Text | None = None
    nationality: Text | None = None
    nationality_name: Text | None = None
    referral_code: Text | None = None
    referred_by: Text | None = None
    date_joined: Text | None = None
    is_active: bool | None = None
    custom_fields: UserFields | None = None

    @property
    def name(self) -> str:
        both = f"{self.first_name or ''} {self.last_name or ''}".strip()
        return self.full_name or both or self.username or self.email or ""


class Good(Body):
    """The keys of `data` when it is about a product. `price` is exact: text, in major units."""

    django_product_id: LocalId | None = None
    name: Text
    slug: Text | None = None
    description: Text | None = None
    category: Text | None = None
    country_of_origin: Text | None = None
    price: Decimal = Field(allow_inf_nan=False, max_digits=20, decimal_places=6)
    currency: Text | None = None
    max_discount_percentage: Text | None = None
    tax_name: Text | None = None
    tax_rate: Decimal | None = Field(None, allow_inf_nan=False, max_digits=9, decimal_places=6)
    image_url: Text | None = None
    is_active: bool | None = None

    @property
    def tax(self) -> Tax | None:
        return None if self.tax_rate is None else Tax(self.tax_name or "", self.tax_rate)


class Order(Body):
    """One delivery."""

    kind: ClassVar[Kind]

    event: str
    delivery_id: Id

    @property
    @abstractmethod
    def own_key(self) -> str:
        """Our own key of the customer or product, the same for ever."""

    @property
    def subject(self) -> str:
        return f"{self.kind.value}:{self.own_key}"


class Change(Order):
    """Something to make there, or to bring up to date; a callback is expected. Without a `key` it is
    known by our number of it."""

    key: Key | None = None

    callback: ClassVar[str]
    """Its address, below that of the API."""

    @abstractmethod
    def record(self) -> Record:
        """What Invoice Ninja is to say."""

    @abstractmethod
    def remote(self) -> Remote | None:
        """What is known to be it there."""

    @abstractmethod
    def names(self, remote_id: str | None) -> dict[str, Any]:
        """Whom the callback speaks of: our id and theirs."""


class Removal(Order):
    """Something to put away there, because it is gone here; no callback is expected."""

    key: Key
    remote_id: Id

    @property
    def own_key(self) -> str:
        return self.key


class UserChange(Change):
    kind = Kind.CUSTOMER
    callback = "client-created"

    event: Literal["user.created", "user.updated"]
    invoice_ninja_client_id: Id | None = None
    data: User

    @property
    def own_key(self) -> str:
        return self.key or f"user-{self.data.django_user_id}"

    def record(self) -> Customer:
        user = self.data
        return Customer(
            key=self.own_key,
            name=user.name,
            email=user.email or "",
            first_name=user.first_name or "",
            last_name=user.last_name or "",
            phone=user.phone_number or "",
            is_active=user.is_active is not False,
            details=self._details(),
        )

    def _details(self) -> Details:
        user, more = self.data, self.data.custom_fields or UserFields()
        return (
            ("django_user_id", user.django_user_id),
            ("username", user.username),
            ("nationality", user.nationality or more.nationality),
            ("nationality_name", user.nationality_name),
            ("referral_code", user.referral_code or more.referral_code),
            ("referred_by", user.referred_by or more.referred_by),
            ("date_joined", user.date_joined),
            ("signup_date", more.signup_date or (user.date_joined or "")[:10] or None),
            ("is_active", user.is_active),
        )

    def remote(self) -> Remote | None:
        return Remote(self.invoice_ninja_client_id) if self.invoice_ninja_client_id else None

    def names(self, remote_id: str | None) -> dict[str, Any]:
        return {"django_user_id": self.data.django_user_id, "invoice_ninja_client_id": remote_id}


class ProductChange(Change):
    kind = Kind.PRODUCT
    callback = "product-created"

    event: Literal["product.created", "product.updated"]
    invoice_ninja_product_id: Id | None = None
    data: Good

    @model_validator(mode="after")
    def _is_named(self) -> Self:
        if self.key is None and self.data.django_product_id is None:
            raise ValueError("Name the product, by data.django_product_id or by key.")
        return self

    @property
    def own_key(self) -> str:
        return self.key or f"product-{self.data.django_product_id}"

    def record(self) -> Product:
        good = self.data
        return Product(
            key=self.own_key,
            code=good.slug or good.name,
            name=good.name,
            price=good.price,
            currency=good.currency or "",
            description=good.description or "",
            tax=good.tax,
            is_active=good.is_active is not False,
            details=(
                ("django_product_id", good.django_product_id),
                ("category", good.category),
                ("country_of_origin", good.country_of_origin),
                ("max_discount_percentage", good.max_discount_percentage),
                ("image_url", good.image_url),
                ("slug", good.slug),
            ),
        )

    def remote(self) -> Remote | None:
        return Remote(self.invoice_ninja_product_id) if self.invoice_ninja_product_id else None

    def names(self, remote_id: str | None) -> dict[str, Any]:
        return {
            "django_product_id": self.data.django_product_id,
            "invoice_ninja_product_id": remote_id,
        }


class UserRemoval(Removal):
    kind = Kind.CUSTOMER

    event: Literal["user.deleted"]
    remote_id: Id = Field(alias="invoice_ninja_client_id")


class ProductRemoval(Removal):
    kind = Kind.PRODUCT

    event: Literal["product.deleted"]
    remote_id: Id = Field(alias="invoice_ninja_product_id")


Parsed = UserChange | UserRemoval | ProductChange | ProductRemoval

_ORDERS: dict[str, type[Parsed]] = {
    "user.created": UserChange,
    "user.updated": UserChange,
    "user.deleted": UserRemoval,
    "product.created": ProductChange,
    "product.updated": ProductChange,
    "product.deleted": ProductRemoval,
}


class Head(Body):
    event: Literal[
        "ping",
        "user.created",
        "user.updated",
        "user.deleted",
        "product.created",
        "product.updated",
        "product.deleted",
    ]


def parse(body: bytes | str) -> Parsed | None:
    """The order in `body`; None for a ping. Raises `Malformed`."""
    try:
        event = Head.model_validate_json(body).event
        return None if event == "ping" else _ORDERS[event].model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "the body"
    raise Malformed(f"{where}: {first['msg']}")
