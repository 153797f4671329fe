"""What may go into a field at a provider: attributes of a record, and details by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tallystick.integrations import details
from tallystick.ports.fields import MapsFields
from tallystick.ports.records import Kind

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from tallystick.integrations.registry import ProviderClass

ATTRIBUTES: Mapping[Kind, Mapping[str, StrOrPromise]] = {
    Kind.CUSTOMER: {
        "name": gettext_lazy("name"),
        "first_name": gettext_lazy("first name"),
        "last_name": gettext_lazy("last name"),
        "email": gettext_lazy("e-mail address"),
        "phone": gettext_lazy("phone"),
        "tax_number": gettext_lazy("tax number"),
        "address.line1": gettext_lazy("first line of the address"),
        "address.line2": gettext_lazy("second line of the address"),
        "address.city": gettext_lazy("city"),
        "address.region": gettext_lazy("region"),
        "address.postal_code": gettext_lazy("postal code"),
        "address.country": gettext_lazy("country"),
        "currency": gettext_lazy("currency"),
        "key": gettext_lazy("our key"),
    },
    Kind.PRODUCT: {
        "name": gettext_lazy("name"),
        "code": gettext_lazy("code"),
        "description": gettext_lazy("description"),
        "price": gettext_lazy("price"),
        "currency": gettext_lazy("currency"),
        "tax.code": gettext_lazy("code of the tax rate"),
        "tax.percent": gettext_lazy("tax in per cent"),
        "key": gettext_lazy("our key"),
    },
}

_DETAILS: Mapping[str, StrOrPromise] = {
    "django_user_id": gettext_lazy("user number"),
    "username": gettext_lazy("user name"),
    "phone_number": gettext_lazy("phone number of the user"),
    "date_of_birth": gettext_lazy("date of birth"),
    "nationality": gettext_lazy("nationality (code)"),
    "nationality_name": gettext_lazy("nationality"),
    "referral_code": gettext_lazy("referral code"),
    "referred_by": gettext_lazy("referred by"),
    "date_joined": gettext_lazy("time of signing up (UTC)"),
    "signup_date": gettext_lazy("day of signing up"),
    "is_active": gettext_lazy("whether active"),
    "django_product_id": gettext_lazy("product number"),
    "slug": gettext_lazy("short name"),
    "category": gettext_lazy("category"),
    "country_of_origin": gettext_lazy("country of origin"),
    "max_discount_percentage": gettext_lazy("maximum discount"),
    "image_url": gettext_lazy("address of the picture"),
}


def details_of(kind: Kind) -> dict[str, str]:
    """The details that may be told, with their words. Health and emergency data only where it is
    allowed by name."""
    names = details.names_of(kind)
    return {name: str(_DETAILS.get(name, name.replace("_", " "))) for name in names}


def attributes_of(kind: Kind) -> dict[str, str]:
    return {name: str(words) for name, words in ATTRIBUTES.get(kind, {}).items()}


def unknown(provider: ProviderClass, custom_data: Mapping[str, Any]) -> str:
    """What is chosen for fields and cannot be, field and source by name; empty when all can."""
    if not issubclass(provider, MapsFields):
        return ""
    known = {kind: {**attributes_of(kind), **details_of(kind)} for kind in provider.field_settings}
    fixed = [
        _("%(setting)s: %(field)s is not for choosing") % {"setting": setting, "field": each.name}
        for kind, setting in provider.field_settings.items()
        for each in provider.fields(kind)
        if each.is_fixed and each.name in _chosen(custom_data, setting)
    ]
    wrong = [
        _("%(setting)s: %(field)s: there is no “%(source)s” to go into it")
        % {"setting": setting, "field": field, "source": source}
        for kind, setting in provider.field_settings.items()
        for field, source in _chosen(custom_data, setting).items()
        if source and source not in known[kind]
    ]
    return "; ".join(fixed + wrong)


def _chosen(custom_data: Mapping[str, Any], setting: str) -> Mapping[str, str]:
    """What is not of this form is for the settings to refuse."""
    chosen = custom_data.get(setting)
    pairs = chosen.items() if isinstance(chosen, Mapping) else ()
    return {field: source for field, source in pairs if isinstance(source, str)}
