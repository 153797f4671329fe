"""Contacts: our customers. `ContactNumber` holds our key."""

from __future__ import annotations

from collections.abc import Sequence

from tallystick.ports.records import Address, Customer, Remote
from tallystick.ports.roles import Outcome, Push
from tallystick.providers.xero import schema
from tallystick.providers.xero.desk import Desk, Letter, Payload, settled
from tallystick.providers.xero.wording import fitted, suffixed

_NAME = 255
_LINE = 500
_SHORT = 50
_MARKS = {"PUT": "n", "POST": "u"}
"""What tells the second calls of an attempt from its first, in their Idempotency-Key."""


class Contacts(Desk[Customer]):
    """New ones go by PUT, never by POST: that would take over another contact of the same name."""

    noun = "Contacts"
    listing = schema.Contacts
    key_field = "ContactNumber"
    find_with = {"includeArchived": "true", "page": "1", "pageSize": "100"}
    page = "/Contacts/View/"

    def key(self, record: Customer) -> str:
        return record.key

    def payload(self, push: Push[Customer]) -> Payload:
        record = push.record
        element: Payload = {
            "ContactNumber": record.key,
            "Name": fitted(record.name.strip() or record.email or record.key, _NAME, "A name"),
            "FirstName": fitted(record.first_name, _NAME, "A first name"),
            "LastName": fitted(record.last_name, _NAME, "A last name"),
            "EmailAddress": _email(record.email),
            "TaxNumber": fitted(record.tax_number, _SHORT, "A tax number"),
            "Phones": [
                {
                    "PhoneType": "DEFAULT",
                    "PhoneNumber": fitted(record.phone, _SHORT, "A phone number"),
                }
            ],
            "Addresses": [_address(record.address)],
        }
        if push.remote:
            element["ContactID"] = push.remote.id
            element["ContactStatus"] = "ACTIVE" if record.is_active else "ARCHIVED"
        return element

    def reconsidered(
        self, pushes: Sequence[Push[Customer]], refusals: Sequence[Outcome], attempt: str
    ) -> list[Outcome]:
        """Names are unique among active contacts, and a taken one is told by words alone: so what
        was refused goes once more under a name nobody else has. When it is refused again, the name
        was not the reason."""
        del refusals
        return settled(lambda: self._again(pushes, attempt), len(pushes))

    def _again(self, pushes: Sequence[Push[Customer]], attempt: str) -> list[Outcome]:
        found = self.ours(pushes)
        letters = [
            self._second_letter(push, there) for push, there in zip(pushes, found, strict=True)
        ]
        outcomes: dict[int, Outcome] = {}
        for method in ("PUT", "POST"):
            chosen = [
                (i, letter)
                for i, letter in enumerate(letters)
                if (letter.push.remote is not None) == (method == "POST")
            ]
            sent = [letter for _, letter in chosen]
            results = self._settled_write(method, sent, attempt + _MARKS[method])
            outcomes.update(zip([i for i, _ in chosen], results, strict=True))
        return [outcomes[i] for i in range(len(pushes))]

    def _settled_write(
        self, method: str, letters: Sequence[Letter[Customer]], key: str
    ) -> list[Outcome]:
        return settled(lambda: self.write(method, letters, key), len(letters))

    def _second_letter(self, push: Push[Customer], there: Remote | None) -> Letter[Customer]:
        if there:
            push = Push(push.record, there)
            payload = self.payload(push)
            # It has a name already, with a suffix perhaps.
            del payload["Name"]
        else:
            payload = self.payload(push)
            payload["Name"] = suffixed(payload["Name"], push.record.key, _NAME)
        return Letter(push, payload)


def _email(address: str) -> str:
    """The address in ASCII, which is all Xero takes; empty when there is no such way to write it."""
    address = address.strip()
    local, _, domain = address.rpartition("@")
    try:
        ascii_only = f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return ""
    usable = local and local.isascii() and len(ascii_only) <= _NAME
    return ascii_only if usable else ""


def _address(address: Address) -> Payload:
    """Xero prints the POBOX one on invoices."""
    return {
        "AddressType": "POBOX",
        "AddressLine1": fitted(address.line1, _LINE, "An address line"),
        "AddressLine2": fitted(address.line2, _LINE, "An address line"),
        "City": fitted(address.city, _NAME, "A city"),
        "Region": fitted(address.region, _NAME, "A region"),
        "PostalCode": fitted(address.postal_code, _SHORT, "A postal code"),
        "Country": address.country,
    }
