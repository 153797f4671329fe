"""What a push of a product would change, by reading alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic import ConfigDict

from tallystick.ports.records import Product, Remote, Tax
from tallystick.ports.roles import Change, Push
from tallystick.providers.invoiceninja.desk import Payload
from tallystick.providers.invoiceninja.products import Products
from tallystick.providers.invoiceninja.schema import One
from tallystick.providers.invoiceninja.schema import Product as There
from tallystick.providers.invoiceninja.taxes import TaxRates


class _Whole(There):
    """A product with everything that is said of it."""

    model_config = ConfigDict(extra="allow")

    def said(self) -> Mapping[str, Any]:
        """Numbers as they come and go: of JSON."""
        said = self.model_dump().items()
        return {name: float(value) if isinstance(value, Decimal) else value for name, value in said}


class KnownRates(TaxRates):
    """The rates that are there: one that is not has the name it would be made with."""

    def _made(self, tax: Tax) -> str:
        return self._free_name(tax)


class ComparedProducts(Products):
    """Give it `KnownRates`: nothing must be made for a look."""

    def compare(self, batch: Sequence[Push[Product]]) -> list[list[Change]]:
        """See `Compares.compare`."""
        return [self._compared(push) for push in batch]

    def _compared(self, push: Push[Product]) -> list[Change]:
        record = push.record
        key, ours = ("", push.remote) if push.remote else self._placed(record)
        if ours is None:
            return _made({"product_key": key, **self._payload(record)})
        there = self._api.get(self.address(ours.id), One[_Whole]).data
        if there.is_deleted and not record.is_active:
            return []
        payload = {**self._payload(record), "product_key": self._key_for(record, there)}
        return _differing(payload, there.said(), is_active=record.is_active)

    def _placed(self, record: Product) -> tuple[str, Remote | None]:
        key, ours = self._place(record)
        return key, self.remote(ours) if ours else None


def _made(payload: Payload) -> list[Change]:
    return [Change(name, None, value) for name, value in payload.items() if value != ""]


def _differing(payload: Payload, there: Mapping[str, Any], *, is_active: bool) -> list[Change]:
    changes = [
        Change(name, there.get(name), value)
        for name, value in payload.items()
        if not _same(there.get(name), value)
    ]
    was_active = not (there["archived_at"] or there["is_deleted"])
    if is_active != was_active:
        changes.append(Change("active", was_active, is_active))
    return changes


def _same(there: object, here: object) -> bool:
    """What is empty may be told in several ways, and a number as text."""
    if isinstance(here, float):
        try:
            return float(str(there or 0)) == here
        except ValueError:
            return False
    return (there or "") == (here or "")
