"""The relay in the shared suite, and people and products with all that it may be told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tallystick.ports.records import Customer, Details, Kind, Product, Record, Remote
from tallystick.ports.sandboxing import Stand
from tallystick.ports.testing import Case
from tallystick.providers.relay import Relay, RelaySettings
from tallystick.providers.relay.sandbox import RelayStand

SENSITIVE: Details = (
    ("emergency_contact_name", "Grace Muster"),
    ("emergency_contact_phone", "+49 221 999999"),
    ("emergency_contact_relationship", "sister-in-law"),
    ("medical_sex", "intersex"),
    ("medical_conditions", "asthma"),
    ("allergies", "peanuts"),
    ("medications", "salbutamol"),
    ("insurance_policy", "P-424242"),
    ("insurance_company", "Mutual of Examples"),
)


def details(number: int) -> Details:
    """What a site tells of the person of that number, health and emergency data apart."""
    return (
        ("date_joined", "2026-01-02T08:30:00+00:00"),
        ("date_of_birth", "1990-05-17"),
        ("django_user_id", number),
        ("is_active", True),
        ("nationality", "DE"),
        ("nationality_name", "Germany"),
        ("phone_number", "+49 170 1234567"),
        ("referral_code", "ADA-1"),
        ("referred_by", "GRACE-7"),
        ("signup_date", "2026-01-02"),
        ("username", f"ada{number}"),
    )


class RelayCase(Case[Relay]):
    provider = Relay
    kinds = (Kind.CUSTOMER, Kind.PRODUCT)
    logs_bodies = False

    def stand(self) -> RelayStand:
        return RelayStand()

    def settings(self, stand: Stand, **changes: Any) -> RelaySettings:
        assert isinstance(stand, RelayStand)
        fields = {"webhook_url": stand.webhook_url, "webhook_secret": stand.secret}
        return RelaySettings.model_validate({**fields, **changes})

    def records(self, provider: Relay, kind: Kind, count: int) -> list[Record]:
        return [
            self._with_details(number, record)
            for number, record in enumerate(super().records(provider, kind, count), 1)
        ]

    def noun(self, kind: Kind) -> str:
        return {Kind.CUSTOMER: "customers", Kind.PRODUCT: "products"}[kind]

    def path(self, kind: Kind) -> str:
        return "/webhook/invoice-ninja-sync"

    def natural_key(self, record: Record) -> str:
        return record.key

    def broken(self, record: Record) -> Record:
        raise NotImplementedError

    def made(self, stand: RelayStand, record: Record) -> Remote:
        nouns = {Customer: "user", Product: "product"}
        found = stand.entry(nouns[type(record)], record.key)
        return Remote(found.id)

    def _with_details(self, number: int, record: Record) -> Record:
        if isinstance(record, Customer):
            return replace(record, details=details(number))
        assert isinstance(record, Product)
        return replace(record, details=(("django_product_id", number), ("category", "Lessons")))


CASE = RelayCase()
