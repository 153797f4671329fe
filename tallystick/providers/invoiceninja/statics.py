"""Statics: the server's numbers for currencies and countries, and the company's own currency."""

from __future__ import annotations

import threading

from tallystick.kit import clock
from tallystick.providers.invoiceninja.api import InvoiceNinjaApi
from tallystick.providers.invoiceninja.schema import Company, One, StaticData

_KEPT = 86_400.0


class Statics:
    """Read when first needed, and kept for a day."""

    def __init__(self, api: InvoiceNinjaApi) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._read_at: float | None = None
        self._home = ""
        self._home_at: float | None = None
        self._currencies: dict[str, str] = {}
        self._countries: dict[str, str] = {}
        self._country_ids: dict[str, str] = {}

    def currency(self, currency_id: str) -> str:
        """ISO 4217; the company's where the id is empty. Empty for an id that nobody knows."""
        if not currency_id:
            return self.home_currency()
        self._fresh()
        return self._currencies.get(currency_id, "")

    def country(self, country_id: str) -> str:
        """ISO 3166-1 alpha-2."""
        if not country_id:
            return ""
        self._fresh()
        return self._countries.get(country_id, "")

    def country_id(self, country: str) -> str:
        if not country:
            return ""
        self._fresh()
        return self._country_ids.get(country.upper(), "")

    def home_currency(self) -> str:
        """What the company reckons in, and clients without a currency of their own."""
        with self._lock:
            if _is_old(self._home_at):
                company = self._api.ask("/companies/current", One[Company]).data
                self._home, self._home_at = company.settings.currency_id, clock.ticking()
            currency_id = self._home
        return self.currency(currency_id) if currency_id else ""

    def _fresh(self) -> None:
        with self._lock:
            if not _is_old(self._read_at):
                return
            found = self._api.get("/statics", StaticData)
            self._currencies = {one.id: one.code.upper() for one in found.currencies}
            self._countries = {one.id: one.iso_3166_2.upper() for one in found.countries}
            self._country_ids = {code: number for number, code in self._countries.items()}
            self._read_at = clock.ticking()


def _is_old(read_at: float | None) -> bool:
    return read_at is None or clock.ticking() - read_at >= _KEPT
