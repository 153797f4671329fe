"""Invoices: issued ones, with their numbers."""

from __future__ import annotations

from collections.abc import Sequence

from tallystick.ports.errors import Refused, Taken
from tallystick.ports.records import Invoice, Remote
from tallystick.ports.roles import Outcome, Push
from tallystick.providers.xero import lines, reading, schema
from tallystick.providers.xero.api import XeroApi
from tallystick.providers.xero.desk import (
    EACH_BY_ITSELF,
    FOUR_PLACES,
    Desk,
    Letter,
    Payload,
    settled,
)
from tallystick.providers.xero.schema import InvoiceState
from tallystick.providers.xero.taxes import TaxTypes
from tallystick.providers.xero.wording import fitted

_NUMBER = 255
_REFERENCE = 255
_ENDED = frozenset({"VOIDED", "DELETED"})
_NOT_APPROVED = frozenset({"DRAFT", "SUBMITTED"})


class Invoices(Desk[Invoice]):
    """New ones go by PUT: by POST a number that is taken would change another invoice."""

    noun = "Invoices"
    listing = schema.Invoices
    write_with = EACH_BY_ITSELF | FOUR_PLACES
    key_field = "InvoiceNumber"
    page = reading.PAGE

    def __init__(self, api: XeroApi, settings: schema.XeroSettings, taxes: TaxTypes) -> None:
        super().__init__(api)
        self._account_code = settings.account_code
        self._taxes = taxes

    def key(self, record: Invoice) -> str:
        return record.number

    def payload(self, push: Push[Invoice]) -> Payload:
        record = push.record
        if record.is_void:
            if push.remote is None:
                raise Refused("This invoice is void and was never at Xero.")
            return {"InvoiceID": push.remote.id, "Status": "VOIDED"}
        if len(record.number) > _NUMBER:
            raise Refused(f"Xero takes numbers of at most {_NUMBER} characters.")
        element: Payload = {
            "Type": reading.SALES,
            "Status": "AUTHORISED",
            "InvoiceNumber": record.number,
            "Contact": {"ContactID": record.customer.remote_id},
            "Date": record.date.isoformat(),
            "CurrencyCode": record.currency,
            "LineAmountTypes": lines.amount_types(record),
            "LineItems": lines.elements(record, self._account_code, self._taxes),
            **_always_open(record),
        }
        if push.remote:
            element["InvoiceID"] = push.remote.id
        return element

    def find(self, records: Sequence[Invoice]) -> list[Remote | None]:
        states = reading.by_numbers(self._api, [record.number for record in records])
        found = [states.get(record.number.lower()) for record in records]
        return [
            _remote(state) if state and _is_of(record, state) else None
            for record, state in zip(records, found, strict=True)
        ]

    def reconsidered(
        self, pushes: Sequence[Push[Invoice]], refusals: Sequence[Outcome], attempt: str
    ) -> list[Outcome]:
        if not pushes or pushes[0].remote:
            return settled(lambda: self._changed_less(pushes, refusals, attempt), len(pushes))
        return settled(lambda: self._numbered(pushes, refusals), len(pushes))

    def _numbered(
        self, pushes: Sequence[Push[Invoice]], refusals: Sequence[Outcome]
    ) -> list[Outcome]:
        """A number that is taken is told by words alone: look who has it."""
        records = [push.record for push in pushes]
        states = reading.by_numbers(self._api, [record.number for record in records])
        outcomes = list(refusals)
        for i, record in enumerate(records):
            state = states.get(record.number.lower())
            if state and _is_of(record, state):
                outcomes[i] = _remote(state)
            elif state:
                outcomes[i] = Taken(f"Another invoice at Xero has the number {record.number}.")
        return outcomes

    def _changed_less(
        self, pushes: Sequence[Push[Invoice]], refusals: Sequence[Outcome], attempt: str
    ) -> list[Outcome]:
        """Changes that were refused, done as far as the state of the invoice there allows."""
        ids = [push.remote.id for push in pushes if push.remote]
        states: dict[str, InvoiceState] = {}
        for start in range(0, len(ids), reading.IDS_AT_ONCE):
            asked = ids[start : start + reading.IDS_AT_ONCE]
            states |= {state.id: state for state in reading.by_ids(self._api, asked)}
        outcomes = list(refusals)
        smaller: dict[int, Letter[Invoice]] = {}
        for i, push in enumerate(pushes):
            state = states.get(push.remote.id) if push.remote else None
            if state and push.record.is_void:
                outcomes[i] = _void(state, outcomes[i])
            if state and (letter := _smaller(push, state)):
                smaller[i] = letter
        again = settled(
            lambda: self.write("POST", list(smaller.values()), f"{attempt}s"), len(smaller)
        )
        return [dict(zip(smaller, again, strict=True)).get(i, outcomes[i]) for i in range(len(ids))]


def _always_open(record: Invoice) -> Payload:
    """What can be changed even when there are payments."""
    element: Payload = {
        "Reference": fitted(record.reference, _REFERENCE, "A reference"),
        "DueDate": record.due_date.isoformat(),
    }
    if record.url.startswith(("https://", "http://")):
        element["Url"] = record.url
    return element


def _void(state: InvoiceState, refusal: Outcome) -> Outcome:
    """What came of voiding an invoice in this state."""
    if state.status in _ENDED:
        return _remote(state)
    if state.amount_paid or state.amount_credited:
        return Refused(f"It has payments at Xero, which must be removed there first. ({refusal})")
    return refusal


def _smaller(push: Push[Invoice], state: InvoiceState) -> Letter[Invoice] | None:
    """The change that an invoice in this state may take in place of the one it refused."""
    if push.record.is_void:
        is_draft = state.status in _NOT_APPROVED
        return Letter(push, {"InvoiceID": state.id, "Status": "DELETED"}) if is_draft else None
    is_fixed = bool(state.amount_paid or state.amount_credited) and state.status not in _ENDED
    return Letter(push, {"InvoiceID": state.id, **_always_open(push.record)}) if is_fixed else None


def _is_of(record: Invoice, state: InvoiceState) -> bool:
    """Whether the invoice that has our number is made out to our customer."""
    customer = record.customer
    if customer.remote_id:
        return state.contact.id.lower() == customer.remote_id.lower()
    return bool(customer.key) and state.contact.key.lower() == customer.key.lower()


def _remote(state: InvoiceState) -> Remote:
    return reading.remote_invoice(state).remote
