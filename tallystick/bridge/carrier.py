"""The carrier: brings one order to Invoice Ninja, however often it is tried, to one effect."""

from __future__ import annotations

from tallystick.bridge.orders import Change, Order, Removal
from tallystick.ports.errors import ProviderError, Refused
from tallystick.ports.records import Kind, Record, Remote
from tallystick.ports.roles import Archives, Gone, Outcome, Push, Pusher, pusher
from tallystick.providers.invoiceninja import InvoiceNinja
from tallystick.providers.invoiceninja.mapping import CUSTOMER_FIELDS

_UNTOLD = {"vat_number", "address1", "address2", "city", "state", "postal_code"}


class Relayed(InvoiceNinja):
    """Addresses and tax numbers do not come by relay: those that people enter there stay."""

    customer_fields = {name: of for name, of in CUSTOMER_FIELDS.items() if name not in _UNTOLD}


class Carrier:
    """Safe to share by threads, as long as no two carry the same subject."""

    def __init__(self, invoice_ninja: Relayed) -> None:
        self._invoice_ninja = invoice_ninja

    def carry(self, order: Order) -> Remote:
        """What it is there, now that the order is carried out. Raises any `ProviderError`."""
        if isinstance(order, Removal):
            return self._put_away(order)
        assert isinstance(order, Change)  # noqa: S101 - there is no third
        record = order.record().told(self._invoice_ninja.reads)
        if reason := self._invoice_ninja.declines(record):
            raise Refused(reason)
        return self._put(order, record)

    def _put(self, order: Change, record: Record) -> Remote:
        verbs = self._verbs(order.kind)
        # Looked for before it is made: an earlier try may have made it and not lived to say so.
        remote = order.remote() or verbs.find([record])[0]
        return _remote(verbs.push([Push(record, remote)], attempt=order.delivery_id)[0])

    def _put_away(self, order: Removal) -> Remote:
        assert isinstance(self._invoice_ninja, Archives)  # noqa: S101 - a role of the provider
        gone = Gone(order.own_key, Remote(order.remote_id))
        archived = self._invoice_ninja.archive(order.kind, [gone], attempt=order.delivery_id)
        return _remote(archived[0])

    def _verbs(self, kind: Kind) -> Pusher[Record]:
        verbs = pusher(self._invoice_ninja, kind)
        assert verbs is not None  # noqa: S101 - a role of the provider
        return verbs


def _remote(outcome: Outcome) -> Remote:
    if isinstance(outcome, ProviderError):
        raise outcome
    assert isinstance(outcome, Remote)  # noqa: S101 - Invoice Ninja is no go-between
    return outcome
