"""What the company calls its custom fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator

from tallystick.providers.invoiceninja.api import InvoiceNinjaApi
from tallystick.providers.invoiceninja.schema import One, Reply, Text


def _known(value: object) -> object:
    # PHP writes an object without members as an empty list.
    return value if isinstance(value, dict) else {}


class _Company(Reply):
    custom_fields: Annotated[Mapping[str, Text], BeforeValidator(_known)] = {}


def custom_fields(api: InvoiceNinjaApi) -> Mapping[str, str]:
    """`client1` .. and their like -> the label, with a bar and the type behind it. By POST, which is
    how the server has it read."""
    return api.ask("/companies/current", One[_Company]).data.custom_fields
