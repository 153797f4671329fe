"""Payments of invoices. `transaction_reference` holds our key: an answer does not tell the
`idempotency_key`, which keeps a repeat from counting twice."""

from __future__ import annotations

from typing import ClassVar

from tallystick.ports.errors import Missing, Refused, Taken
from tallystick.ports.records import Payment, Remote
from tallystick.ports.roles import Push
from tallystick.providers.invoiceninja import schema
from tallystick.providers.invoiceninja.api import InvoiceNinjaApi
from tallystick.providers.invoiceninja.desk import Desk, Payload
from tallystick.providers.invoiceninja.invoices import Invoices
from tallystick.providers.invoiceninja.schema import InvoiceNinjaSettings, One
from tallystick.providers.invoiceninja.wording import LINE, exact, fitted

_KEY = 64
_TYPES = {"bank": "1", "bank_transfer": "1", "transfer": "1", "cash": "2", "card": "12"} | {
    "paypal": "13",
    "check": "15",
    "cheque": "15",
    "sepa": "29",
}
"""Our word for how it was paid -> the number of theirs; others go without."""
# The receipt is ours to send.
_SILENTLY = {"email_receipt": "false"}


class Payments(Desk[Payment]):
    noun = "payments"
    page: ClassVar[str] = "/payments/{id}/edit"

    def __init__(
        self, api: InvoiceNinjaApi, settings: InvoiceNinjaSettings, invoices: Invoices
    ) -> None:
        super().__init__(api, settings)
        self._invoices = invoices

    def pushed(self, push: Push[Payment]) -> Remote:
        record = push.record
        if push.remote:
            raise Refused("A payment cannot be changed at Invoice Ninja.")
        owed = self._invoices.one(record.invoice.remote_id)
        if there := _of(record, owed):
            return self.remote(there)
        payload = self._payload(record, owed)
        try:
            made = self._api.send(
                "POST", "/payments", One[schema.Payment], json=payload, params=_SILENTLY
            ).data
        except Taken:
            there = _of(record, self._invoices.one(record.invoice.remote_id))
            if there is None:
                raise
            return self.remote(there)
        return self.remote(made)

    def found(self, record: Payment) -> Remote | None:
        try:
            there = _of(record, self._invoices.one(record.invoice.remote_id))
        except Missing:
            return None
        return self.remote(there) if there else None

    def _payload(self, record: Payment, owed: schema.Invoice) -> Payload:
        currency = self._invoices.currency_of(owed.client_id)
        if currency and currency != record.currency:
            raise Refused(
                f"The invoice is in {currency} at Invoice Ninja, and the payment in "
                f"{record.currency}."
            )
        if record.amount > owed.balance:
            raise Refused(
                f"Only {owed.balance:f} {record.currency} of this invoice are open at Invoice Ninja; "
                "see which payment it has there that is not here."
            )
        amount = exact(record.amount)
        said = [part for part in (record.method, record.reference) if part]
        payload: Payload = {
            "client_id": owed.client_id,
            "amount": amount,
            "date": record.date.isoformat(),
            "invoices": [{"invoice_id": owed.id, "amount": amount}],
            "idempotency_key": record.key[:_KEY],
            "transaction_reference": record.key,
            "private_notes": fitted(" ".join(said), LINE, "A payment's note"),
        }
        if kind := _TYPES.get(record.method.lower()):
            payload["type_id"] = kind
        return payload


def _of(record: Payment, owed: schema.Invoice) -> schema.Payment | None:
    """Our payment among those of its invoice; one that was deleted there does not count."""
    for payment in owed.payments or ():
        if payment.transaction_reference == record.key and not payment.is_deleted:
            return payment
    return None
