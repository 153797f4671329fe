"""TaxTypes: Xero's code for each of our tax rates."""

from __future__ import annotations

import threading
from decimal import Decimal

from tallystick.kit import clock
from tallystick.ports.errors import Refused
from tallystick.ports.records import Tax
from tallystick.providers.xero.api import XeroApi
from tallystick.providers.xero.schema import TaxRate, TaxRates, XeroSettings

NO_TAX = "NONE"
"""The tax type that every organisation has."""
_KEPT = 3600.0
_ASKED_AGAIN = 60.0


class TaxTypes:
    """As the connection's `tax_types` say, by code or percentage; else the organisation's own rate
    for sales of the same percentage. Those are read when needed and kept for an hour, or a minute
    when one is asked for that was not among them."""

    def __init__(self, api: XeroApi, settings: XeroSettings) -> None:
        self._api = api
        self._chosen = {name.strip().lower(): code for name, code in settings.tax_types.items()}
        self._lock = threading.Lock()
        self._read: dict[Decimal, str] = {}
        self._read_at: float | None = None

    def of(self, tax: Tax | None) -> str:
        """The tax type. Raises `Refused` when there is none of this percentage."""
        if tax is None:
            return self._chosen.get("", NO_TAX)
        chosen = self._chosen.get(tax.code.lower()) or self._chosen.get(_written(tax.percent))
        return chosen or self._of_percent(tax.percent)

    def _of_percent(self, percent: Decimal) -> str:
        with self._lock:
            found = None if self._older_than(_KEPT) else self._read.get(percent)
            if found is None and self._older_than(_ASKED_AGAIN):
                self._read = _for_sales(self._api.get("/TaxRates", TaxRates).rates)
                self._read_at = clock.ticking()
                found = self._read.get(percent)
        if found is None:
            raise Refused(
                f"Xero has no active tax rate of {_written(percent)} % for sales; add one there, or "
                "name the one to use in this connection's tax types."
            )
        return found

    def _older_than(self, seconds: float) -> bool:
        return self._read_at is None or clock.ticking() - self._read_at >= seconds


def _for_sales(rates: tuple[TaxRate, ...]) -> dict[Decimal, str]:
    """Percentage -> tax type. Of several the ordinary one for sales comes first: others are for
    capital goods, exempt sales or trade abroad."""
    usable = [rate for rate in rates if rate.status == "ACTIVE" and rate.for_revenue]
    found: dict[Decimal, str] = {}
    for rate in sorted(usable, key=_unusualness):
        found.setdefault(rate.percent, rate.tax_type)
    return found


def _unusualness(rate: TaxRate) -> tuple[bool, ...]:
    code = rate.tax_type
    return (
        not code.startswith(("OUTPUT", "ZERORATED")),
        "OUTPUT" not in code,
        code == NO_TAX,
        rate.report_type != "OUTPUT",
    )


def _written(percent: Decimal) -> str:
    return f"{percent.normalize():f}"
