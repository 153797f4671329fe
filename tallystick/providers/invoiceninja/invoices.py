"""Invoices: issued ones, under our numbers, which are unique there."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from tallystick.kit import clock
from tallystick.ports.errors import Missing, Refused, Taken
from tallystick.ports.records import Invoice, Remote, RemoteInvoice
from tallystick.ports.roles import Page, Push
from tallystick.providers.invoiceninja import lines, reading, schema
from tallystick.providers.invoiceninja.api import InvoiceNinjaApi
from tallystick.providers.invoiceninja.desk import Desk, Payload
from tallystick.providers.invoiceninja.schema import (
    ID_PATTERN,
    Client,
    InvoiceNinjaSettings,
    Many,
    One,
)
from tallystick.providers.invoiceninja.statics import Statics
from tallystick.providers.invoiceninja.taxes import TaxRates
from tallystick.providers.invoiceninja.wording import LINE, fitted

WITH_PAYMENTS = "client,payments"
_ID = re.compile(ID_PATTERN.replace("$", r"\Z"), re.ASCII)
_DRAFT = "1"
_ENDED = frozenset({"5", "6"})
_VERSION = 64
_KEPT = 3600.0
_CLIENTS_KEPT = 10_000


class Invoices(Desk[Invoice]):
    """Sent at once, as ours are issued; that sends no e-mail."""

    noun = "invoices"
    page: ClassVar[str] = "/invoices/{id}/edit"

    def __init__(
        self,
        api: InvoiceNinjaApi,
        settings: InvoiceNinjaSettings,
        statics: Statics,
        taxes: TaxRates,
    ) -> None:
        super().__init__(api, settings)
        self._statics = statics
        self._taxes = taxes
        self._lock = threading.Lock()
        self._currencies: dict[str, tuple[float, str]] = {}

    def pushed(self, push: Push[Invoice]) -> Remote:
        record = push.record
        if record.is_void:
            return self._voided(push)
        if push.remote:
            return self._sent("PUT", self.address(push.remote.id), record, {})
        self._check_currency(record)
        try:
            return self._sent("POST", "/invoices", record, {"mark_sent": "true"})
        except Taken:
            there = self._by_number(record)
        if there is None or not self._is_of(record, there):
            raise Taken(f"Another invoice at Invoice Ninja has the number {record.number}.")
        if there.is_deleted:
            raise Refused(
                f"Invoice {record.number} was deleted at Invoice Ninja; restore it there, then sync "
                "again."
            )
        is_draft = there.status_id == _DRAFT
        params = {"mark_sent": "true"} if is_draft else {}
        return self._sent("PUT", self.address(there.id), record, params)

    def found(self, record: Invoice) -> Remote | None:
        there = self._by_number(record)
        return self.remote(there) if there and self._is_of(record, there) else None

    def remote(self, state: schema.State) -> Remote:
        """`updated_at` counts whole seconds: a payment in the second of our own write is told by
        what is paid."""
        found = super().remote(state)
        if not isinstance(state, schema.Invoice):
            return found
        paid = f"{state.paid_to_date.normalize():f}"
        return replace(found, version=f"{found.version}/{state.status_id}/{paid}"[:_VERSION])

    def one(self, identity: str) -> schema.Invoice:
        """With its client and payments. Raises `Missing`."""
        if not _ID.match(identity):
            raise Missing("Invoice Ninja has no invoice of this id.")
        return self._api.get(
            self.address(identity), One[schema.Invoice], params={"include": WITH_PAYMENTS}
        ).data

    def fetch(self, ids: Sequence[str]) -> list[RemoteInvoice]:
        found = []
        for identity in ids:
            try:
                found.append(self.told(self.one(identity)))
            except Missing:
                continue
        return found

    def changed(self, since: datetime | None, cursor: str) -> Page[RemoteInvoice]:
        rows, after = reading.changed(
            self._api, "/invoices", Many[schema.Invoice], since, cursor, include=WITH_PAYMENTS
        )
        return Page(tuple(map(self.told, rows)), after)

    def told(self, state: schema.Invoice) -> RemoteInvoice:
        if state.client:
            self._keep(state.client)
        return reading.remote_invoice(state, self.remote(state), self.currency_of(state.client_id))

    def currency_of(self, client_id: str) -> str:
        """An invoice has no currency of its own, but its client's."""
        with self._lock:
            at, currency_id = self._currencies.get(client_id, (float("-inf"), ""))
        if clock.ticking() - at >= _KEPT:
            client = self._api.get(f"/clients/{client_id}", One[Client]).data
            self._keep(client)
            currency_id = client.currency_id
        return self._statics.currency(currency_id)

    def _keep(self, client: Client) -> None:
        with self._lock:
            if len(self._currencies) >= _CLIENTS_KEPT:
                self._currencies.clear()
            self._currencies[client.id] = clock.ticking(), client.currency_id

    def _check_currency(self, record: Invoice) -> None:
        currency = self.currency_of(record.customer.remote_id)
        if currency and currency != record.currency:
            raise Refused(
                f"This client is billed in {currency} at Invoice Ninja, and the invoice is in "
                f"{record.currency}; change the client's currency there, or bill in {currency}."
            )

    def _sent(self, method: str, path: str, record: Invoice, params: dict[str, str]) -> Remote:
        payload = self._payload(record)
        now = self._api.send(method, path, One[schema.Invoice], json=payload, params=params).data
        if now.amount != record.total:
            raise Refused(
                f"Invoice Ninja reckons {now.amount:f} {record.currency} where ours is "
                f"{record.total:f}; see which taxes, surcharges or rounding its settings add, correct "
                "the invoice there, then sync again."
            )
        return self.remote(now)

    def _payload(self, record: Invoice) -> Payload:
        if len(record.number) > LINE:
            raise Refused(f"Invoice Ninja takes numbers of at most {LINE} characters.")
        return {
            "client_id": record.customer.remote_id,
            "number": record.number,
            "date": record.date.isoformat(),
            "due_date": record.due_date.isoformat(),
            "po_number": fitted(record.reference, LINE, "A reference"),
            "public_notes": _notes(record),
            "discount": 0.0,
            "is_amount_discount": False,
            **lines.elements(record, self._taxes),
        }

    def _voided(self, push: Push[Invoice]) -> Remote:
        if push.remote is None:
            raise Refused("This invoice is void and was never at Invoice Ninja.")
        there = self._api.get(self.address(push.remote.id), One[schema.Invoice]).data
        if there.is_deleted or there.status_id in _ENDED:
            return self.remote(there)
        if there.status_id != _DRAFT and there.paid_to_date:
            raise Refused("It has payments at Invoice Ninja, which must be removed there first.")
        action = "delete" if there.status_id == _DRAFT else "cancel"
        now = self.bulk(action, there.id)
        return self.remote(now or there)

    def _by_number(self, record: Invoice) -> schema.Invoice | None:
        rows = self._api.get(
            "/invoices", Many[schema.Invoice], params={"number": record.number}
        ).data
        return next((row for row in rows if row.number.lower() == record.number.lower()), None)

    def _is_of(self, record: Invoice, there: schema.Invoice) -> bool:
        """Whether the invoice that has our number is made out to our customer."""
        if record.customer.remote_id:
            return there.client_id == record.customer.remote_id
        client = self._api.get(f"/clients/{there.client_id}", One[Client]).data
        return client.id_number == record.customer.key


def _notes(record: Invoice) -> str:
    return f"Pay online: {record.url}" if record.url.startswith(("https://", "http://")) else ""
