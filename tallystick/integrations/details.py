"""What a person and a product are told by besides, by name: attributes of the host's models.

Two settings say what is read: `INVOICE_NINJA_USER_FIELDS` and `INVOICE_NINJA_PRODUCT_FIELDS`, a
mapping of the detail's name to an attribute (`"mobile"`), a path (`"profile.mobile"`), a callable that
takes the object, or None: not told. What they do not name is the attribute of the detail's own name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.db import models
from django.urls import NoReverseMatch, reverse

from tallystick.kit.places import country_name
from tallystick.ports.records import SENSITIVE, Details, Kind, Scalar

Source = str | Callable[[Any], object] | None
_own: dict[Kind, set[str]] = {}


def of_person(person: models.Model, zone: tzinfo = UTC) -> Details:
    """The details of a user, in the order of their names; unknown ones are left out. `zone` is where
    the day of signing up is looked at. Health and emergency data are told only where
    `INVOICE_NINJA_SEND_SENSITIVE_FIELDS` is True."""
    return _told(person, _person_sources(zone))


def of_product(product: models.Model) -> Details:
    """The details of a product of any model."""
    return _told(product, _product_sources())


def names_of(kind: Kind) -> list[str]:
    """The details that a record of `kind` may be told with."""
    sources = {Kind.CUSTOMER: _person_sources, Kind.PRODUCT: _product_sources}.get(kind, dict)()
    own = [name for name in _own.get(kind, ()) if not _is_sensitive(name, name)]
    return [name for name, source in sources.items() if source is not None] + own


def tell(kind: Kind, names: Collection[str]) -> None:
    """A host's model tells these details of its own making."""
    _own.setdefault(kind, set()).update(names)


def related_of(model: type[models.Model], sources: Mapping[str, Source] | None = None) -> list[str]:
    """The relations of a user model that the sources lead over, to be loaded with it."""
    found = []
    for source in (sources or _person_sources()).values():
        first = source.partition(".")[0] if isinstance(source, str) else ""
        if _is_to_one(model, first) and first not in found:
            found.append(first)
    return found


def _person_sources(zone: tzinfo = UTC) -> dict[str, Source]:
    own: dict[str, Source] = {
        "django_user_id": "pk",
        "username": lambda person: person.get_username(),
        "phone_number": "phone_number",
        "date_of_birth": "date_of_birth",
        "nationality": "nationality",
        "nationality_name": _nationality_name,
        "referral_code": "referral_code",
        "referred_by": "referred_by",
        "date_joined": "date_joined",
        "signup_date": lambda person: _day(getattr(person, "date_joined", None), zone),
        "is_active": "is_active",
        **dict(zip(SENSITIVE, SENSITIVE, strict=True)),
    }
    sources = {**own, **_chosen("USER")}
    if getattr(settings, "INVOICE_NINJA_SEND_SENSITIVE_FIELDS", False):
        return sources
    return {name: source for name, source in sources.items() if not _is_sensitive(name, source)}


def _product_sources() -> dict[str, Source]:
    own: dict[str, Source] = {
        "django_product_id": "pk",
        "slug": "slug",
        "category": "category",
        "country_of_origin": "country_of_origin",
        "max_discount_percentage": "max_discount_percentage",
        "image_url": _image_url,
    }
    return {**own, **_chosen("PRODUCT")}


def _told(obj: models.Model, sources: Mapping[str, Source]) -> Details:
    pairs = ((name, _plain(_read(obj, source))) for name, source in sources.items())
    return tuple(sorted(pair for pair in pairs if pair[1] not in (None, "")))


def _is_sensitive(name: str, source: Source) -> bool:
    """By either name: a health field is one under whatever name it is to be told. What a function
    reads is its host's responsibility."""
    return name in SENSITIVE or (isinstance(source, str) and source.rpartition(".")[2] in SENSITIVE)


def _read(obj: Any, source: Source) -> object:  # noqa: ANN401 - any model
    if source is None:
        return None
    if not isinstance(source, str):
        return source(obj)
    for step in source.split("."):
        try:
            obj = getattr(obj, step, None)
        except ObjectDoesNotExist:  # the other end of a one-to-one relation
            return None
    return obj


def _plain(value: object) -> Scalar:
    if isinstance(value, models.Model):
        return str(getattr(value, "referral_code", "") or value.pk)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bool | int | None):
        return value
    # Without the zeros that only its column has: "100", "12.5".
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def _day(value: object, zone: tzinfo) -> str | None:
    if not isinstance(value, datetime):
        return None
    return (value.astimezone(zone) if value.tzinfo else value).date().isoformat()


def _nationality_name(person: Any) -> str | None:  # noqa: ANN401 - the host's model
    code = _read(person, _chosen("USER").get("nationality", "nationality"))
    return country_name(str(code), "en") if code else None


def _chosen(of: str) -> Mapping[str, Source]:
    """What the host's setting says."""
    found: Mapping[str, Source] = getattr(settings, f"INVOICE_NINJA_{of}_FIELDS", {})
    return found


def _image_url(product: Any) -> str | None:  # noqa: ANN401 - any product model
    """Where anyone finds the picture: the storage's own address, or the page that serves it."""
    image = getattr(product, "image", None)
    if not image:
        return None
    address = str(image.url)
    if address.startswith("https://"):
        return address
    try:
        page = reverse("product-image", args=[product.uid])
    except (NoReverseMatch, AttributeError):
        return None
    return urljoin(settings.PUBLIC_URL, page)


def _is_to_one(model: type[models.Model], name: str) -> bool:
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    return bool(field.many_to_one or field.one_to_one)
