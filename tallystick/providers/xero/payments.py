"""Payments of invoices. `Reference` holds our key."""

from __future__ import annotations

from tallystick.ports.errors import Refused
from tallystick.ports.records import Payment
from tallystick.ports.roles import Push
from tallystick.providers.xero import schema
from tallystick.providers.xero.api import XeroApi
from tallystick.providers.xero.desk import Desk, Payload
from tallystick.providers.xero.wording import amount


class Payments(Desk[Payment]):
    noun = "Payments"
    listing = schema.Payments
    key_field = "Reference"
    find_with = {"page": "1", "pageSize": "100"}

    def __init__(self, api: XeroApi, settings: schema.XeroSettings) -> None:
        super().__init__(api)
        self._account_code = settings.payment_account_code

    def key(self, record: Payment) -> str:
        return record.key

    def payload(self, push: Push[Payment]) -> Payload:
        record = push.record
        if push.remote:
            raise Refused("A payment cannot be changed at Xero.")
        if not self._account_code:
            raise Refused(
                "Name the bank account for payments (payment account code) in this connection's "
                "settings."
            )
        return {
            "Invoice": {"InvoiceID": record.invoice.remote_id},
            "Account": {"Code": self._account_code},
            "Date": record.date.isoformat(),
            "Amount": amount(record.amount),
            "Reference": record.key,
        }
