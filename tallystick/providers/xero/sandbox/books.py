"""The books of one organisation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid4, uuid5

from tallystick.providers.xero.sandbox.answers import Element
from tallystick.providers.xero.sandbox.charts import accounts, countries, tax_rates
from tallystick.providers.xero.sandbox.store import Shelf, Undo


@dataclass(frozen=True, slots=True)
class Change:
    """What one request did to one thing: for the ledger and the webhooks. `made` is its natural
    key when the thing is new; `category` is empty for what webhooks do not speak of."""

    kind: str
    id: str
    at: datetime
    made: str = ""
    category: str = ""


class Books:
    """Contacts, items, invoices and payments of one organisation, and its settings."""

    def __init__(
        self,
        name: str,
        *,
        country: str,
        now: Callable[[], datetime],
        currencies: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.country = countries[country]
        self.id = str(uuid5(NAMESPACE_URL, f"xero:organisation:{name}"))
        self.now = now
        self.base_currency = self.country.currency
        self.currencies = list(dict.fromkeys((self.base_currency, *currencies)))
        self.lock_date: date | None = None
        self.undo = Undo()
        self.changes: list[Change] = []
        self.contacts = Shelf("ContactID", ("ContactNumber", "Name", "EmailAddress"), self.undo)
        self.items = Shelf("ItemID", ("Code",), self.undo)
        self.invoices = Shelf("InvoiceID", ("InvoiceNumber", "Contact.ContactID"), self.undo)
        self.payments = Shelf("PaymentID", ("Reference", "Invoice.InvoiceID"), self.undo)
        self.accounts = Shelf("AccountID", ("Code",), self.undo)
        self.tax_rates = Shelf("TaxType", (), self.undo)
        self.created_at = now()
        self._stamp = self.created_at
        self._numbers = 0
        self.slugs: dict[str, str] = {}
        for account in accounts(self.country):
            self.accounts.put({**account, "UpdatedDateUTC": self.stamp()})
        for rate in tax_rates(self.country):
            self.tax_rates.put(rate)
        self.undo.forget()

    def stamp(self) -> datetime:
        """A time of change: now, to the millisecond, and later than any before."""
        now = self.now()
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        self._stamp = max(now, self._stamp + timedelta(milliseconds=1))
        return self._stamp

    def today(self) -> date:
        return self.now().date()

    def next_number(self) -> str:
        """The next number of the organisation's own series that is not taken."""
        while True:
            self._numbers += 1
            number = f"INV-{self._numbers:04d}"
            if not self.invoices.find("InvoiceNumber", number):
                return number

    def account(self, given: Element) -> Element | None:
        """The account that `AccountID` or `Code` names."""
        if identity := given.get("AccountID"):
            return self.accounts.get(str(identity))
        found = self.accounts.find("Code", str(given.get("Code") or ""))
        return found[0] if found else None

    def rate(self, tax_type: str) -> Decimal | None:
        """The percentage of a tax type; None for one that does not exist."""
        found = self.tax_rates.get(tax_type)
        return found["EffectiveRate"] if found else None

    def keep(
        self, shelf: Shelf, element: Element, *, made: str = "", category: str = ""
    ) -> Element:
        """Put a new version of `element`, stamped; `made` is its natural key when it is new."""
        stamp = self.stamp()
        kept = {**element, "UpdatedDateUTC": stamp}
        shelf.put(kept)
        kind = shelf.id_name.removesuffix("ID").lower() + "s"
        change = Change(kind, kept[shelf.id_name], stamp, made, category)
        self.changes.append(change)
        self.undo.push(lambda: self.changes.remove(change))
        return kept


def new_id() -> str:
    return str(uuid4())
