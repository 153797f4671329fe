"""TaxRates: the company's tax rates by percentage, so that lines and products bear its names."""

from __future__ import annotations

import logging
import threading
from decimal import Decimal

from tallystick.kit import clock
from tallystick.ports.errors import Refused, Unavailable, Uncertain
from tallystick.ports.records import Tax
from tallystick.providers.invoiceninja.api import InvoiceNinjaApi
from tallystick.providers.invoiceninja.desk import Payload
from tallystick.providers.invoiceninja.schema import Many, One, TaxRate
from tallystick.providers.invoiceninja.wording import LINE, exact, fitted

logger = logging.getLogger(__name__)

_KEPT = 3600.0
_ASKED_AGAIN = 60.0
_SHORTEST = 2
"""A tax whose name is shorter is left out of the sums by the server."""


class TaxRates:
    """Read when needed and kept for an hour, or a minute when one is asked for that was not among
    them; that one is then made. Names are unique there, percentages are not: of several of one
    percentage the oldest is taken, which the company had first."""

    def __init__(self, api: InvoiceNinjaApi) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._names: dict[Decimal, str] = {}
        self._taken: set[str] = set()
        self._read_at: float | None = None

    def fields(self, tax: Tax | None) -> Payload:
        """A product's or a line's members for its tax."""
        if tax is None:
            return {"tax_name1": "", "tax_rate1": 0.0}
        return {"tax_name1": self.name(tax), "tax_rate1": exact(tax.percent)}

    def name(self, tax: Tax) -> str:
        with self._lock:
            found = None if self._older_than(_KEPT) else self._names.get(tax.percent)
            if found is None and self._older_than(_ASKED_AGAIN):
                self._read()
                found = self._names.get(tax.percent)
            return found or self._made(tax)

    def _read(self) -> None:
        # Without a status those in the archive are in the list: their names are taken too.
        asked = {"per_page": "500", "sort": "id|asc"}
        rates = self._api.get("/tax_rates", Many[TaxRate], params=asked).data
        self._taken = {rate.name.lower() for rate in rates}
        self._names = {}
        for rate in rates:
            if not rate.is_put_away and len(rate.name) >= _SHORTEST:
                self._names.setdefault(rate.rate, rate.name)
        self._read_at = clock.ticking()

    def _made(self, tax: Tax) -> str:
        """The name of a new rate. Lines and products bear names, not ids: where this token's user
        may not make rates, the name does without one."""
        name = self._free_name(tax)
        try:
            payload = {"name": name, "rate": exact(tax.percent)}
            self._api.send("POST", "/tax_rates", One[TaxRate], json=payload)
        except Refused as why:
            logger.info("The tax rate of %s %% could not be made there: %s", tax.percent, why)
        except Uncertain as why:
            # What is uncertain is the rate alone: the record itself has not left.
            self._read_at = None
            raise Unavailable(str(why)) from why
        self._taken.add(name.lower())
        self._names[tax.percent] = name
        return name

    def _free_name(self, tax: Tax) -> str:
        name = fitted(tax.code.strip(), LINE, "A tax code")
        if len(name) < _SHORTEST:
            name = f"Tax {name}".strip()
        return f"{name} {tax.percent.normalize():f}%" if name.lower() in self._taken else name

    def _older_than(self, seconds: float) -> bool:
        return self._read_at is None or clock.ticking() - self._read_at >= seconds
