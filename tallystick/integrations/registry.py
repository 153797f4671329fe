"""The providers we ship: one tuple. A new one is a folder and its line here."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from tallystick.ports.provider import Provider
from tallystick.providers.invoiceninja import InvoiceNinja
from tallystick.providers.relay import Relay
from tallystick.providers.xero import Xero

AnyProvider = Provider[Any]
ProviderClass = type[AnyProvider]

PROVIDERS: tuple[ProviderClass, ...] = (Xero, InvoiceNinja, Relay)


class UnknownProvider(LookupError):
    """No provider of this type is registered."""


def provider_class(provider_type: str) -> ProviderClass:
    """The provider whose type this is, in any case of letters."""
    for provider in PROVIDERS:
        if provider.type == provider_type.upper():
            return provider
    known = ", ".join(provider.type for provider in PROVIDERS)
    raise UnknownProvider(f"{provider_type!r} is not a provider; there are: {known}.")


def choices() -> list[tuple[str, str]]:
    return [(provider.type, provider.name) for provider in PROVIDERS]


def is_secret(info: FieldInfo) -> bool:
    """Whether a setting of a provider is one that is kept encrypted and never shown."""
    return SecretStr in (info.annotation, *get_args(info.annotation))
