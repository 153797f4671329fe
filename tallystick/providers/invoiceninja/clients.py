"""Clients: our customers. `id_number`, which is unique there, holds our key."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from tallystick.ports.errors import Refused, Taken
from tallystick.ports.records import Customer, Remote
from tallystick.ports.roles import Push
from tallystick.providers.invoiceninja.api import InvoiceNinjaApi
from tallystick.providers.invoiceninja.desk import ANOTHERS, Desk, Payload
from tallystick.providers.invoiceninja.mapping import CustomerFields, first_notes
from tallystick.providers.invoiceninja.schema import (
    Client,
    Contact,
    InvoiceNinjaSettings,
    Many,
    One,
)
from tallystick.providers.invoiceninja.statics import Statics
from tallystick.providers.invoiceninja.wording import LINE, fitted

_EMAIL = 100
_IDENTITY = re.compile("[0-9a-f]{32}$")


class Clients(Desk[Customer]):
    """E-mail addresses are not unique there and nobody is known by one: two clients of one address
    stay two."""

    noun = "clients"
    page: ClassVar[str] = "/clients/{id}"

    def __init__(
        self,
        api: InvoiceNinjaApi,
        settings: InvoiceNinjaSettings,
        statics: Statics,
        fields: CustomerFields,
    ) -> None:
        super().__init__(api, settings)
        self._statics = statics
        self._fields = fields

    def pushed(self, push: Push[Customer]) -> Remote:
        if push.remote:
            return self._changed(push.record, push.remote.id)
        try:
            made = self._api.send("POST", "/clients", One[Client], json=self._new(push.record)).data
        except Taken:
            there = self._by_key(push.record.key)
            if there is None:
                raise
            return self._changed(push.record, there.id)
        return self.settled(made, is_active=push.record.is_active)

    def found(self, record: Customer) -> Remote | None:
        there = self._by_key(record.key)
        return self.remote(there) if there else None

    def _by_key(self, key: str) -> Client | None:
        reply = self._api.get("/clients", Many[Client], params={"id_number": key})
        return next((client for client in reply.data if client.id_number == key), None)

    def _new(self, record: Customer) -> Payload:
        payload = self._payload(record)
        payload["id_number"] = record.key
        payload["contacts"] = [_person(record)]
        payload["private_notes"] = first_notes(record)
        if record.currency:
            payload["currency_code"] = record.currency
        if record.address.country:
            payload["country_code"] = record.address.country
        return payload

    def _changed(self, record: Customer, identity: str) -> Remote:
        there = self._api.get(self.address(identity), One[Client]).data
        if there.id_number != record.key and _shape(there.id_number) == _shape(record.key):
            raise Refused(ANOTHERS % there.id_number)
        if there.is_deleted and not record.is_active:
            return self.remote(there)
        self.woken(there, is_active=record.is_active)
        payload = self._payload(record)
        payload["contacts"] = _people(record, there.contacts)
        if there.id_number in {"", record.key}:
            payload["id_number"] = record.key
        if there.currency_id:
            # Without it the client would be put back to the company's currency.
            payload["settings"] = {k: v for k, v in there.settings.items() if v is not None}
        # A change takes the country by its number only.
        if country_id := self._statics.country_id(record.address.country):
            payload["country_id"] = country_id
        now = self._api.send("PUT", self.address(identity), One[Client], json=payload).data
        return self.settled(now, is_active=record.is_active)

    def _payload(self, record: Customer) -> Payload:
        return {name: fitted(str(of(record)), LINE, name) for name, of in self._fields.items()}


def _shape(key: str) -> str:
    """What our keys have in common, and staff's own numbers have not."""
    return _IDENTITY.sub("#", key)


def _person(record: Customer) -> Payload:
    return {
        "first_name": fitted(record.first_name, LINE, "A first name"),
        "last_name": fitted(record.last_name, LINE, "A last name"),
        "email": fitted(record.email.strip(), _EMAIL, "An e-mail address"),
        "phone": fitted(record.phone, LINE, "A phone number"),
        "send_email": True,
    }


def _people(record: Customer, there: Sequence[Contact]) -> list[Payload]:
    """Everyone who is there, ours brought up to date: who is left out would be deleted."""
    ours = _ours(record, there)
    people = []
    for contact in there:
        person = {**contact.model_dump(), "email": contact.email.strip()}
        people.append({**person, **_person(record)} if contact is ours else person)
    return people or [_person(record)]


def _ours(record: Customer, there: Sequence[Contact]) -> Contact | None:
    """The contact that is the customer: by address, else the first that the client ever had."""
    email = record.email.strip().lower()
    for contact in there:
        if email and contact.email.strip().lower() == email:
            return contact
    return min(there, key=lambda contact: contact.created_at, default=None)
