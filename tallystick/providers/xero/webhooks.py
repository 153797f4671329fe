"""Xero's webhooks: signed lists of what has changed, without event ids."""

from __future__ import annotations

import hashlib

from pydantic import ValidationError

from tallystick.kit import signing
from tallystick.ports.errors import Forged, Garbled
from tallystick.ports.records import Kind
from tallystick.ports.roles import Delivery, Event
from tallystick.providers.xero.schema import WebhookBody, WebhookEvent, XeroSettings

SIGNATURE = "x-xero-signature"
_KINDS = {"invoice": Kind.INVOICE, "contact": Kind.CUSTOMER}
_CHANGES = {"create": "created", "update": "updated"}


def verify(settings: XeroSettings, delivery: Delivery) -> None:
    """Xero signs the bytes it sent; a re-serialised body never matches."""
    given = delivery.headers.get(SIGNATURE, "")
    keys = settings.webhook_keys()
    # All keys are tried, so that the time taken does not tell which of them signed.
    matches = [
        signing.same(given, signing.hmac_sha256_base64(key, delivery.body))
        for key in keys
        if given.isascii()
    ]
    if not any(matches):
        raise Forged("The signature is not Xero's." if keys else "No webhook key is set.")


def events(delivery: Delivery) -> list[Event]:
    try:
        body = WebhookBody.model_validate_json(delivery.body)
    except ValidationError as error:
        where = ".".join(map(str, error.errors(include_input=False)[0]["loc"])) or "the body"
    else:
        return [_event(event) for event in body.events]
    raise Garbled(f"Xero's webhook is not as documented: {where}.")


def _event(event: WebhookEvent) -> Event:
    return Event(
        id=_identity(event),
        account=event.tenant_id,
        kind=_KINDS.get(event.category),
        remote_id=event.resource_id,
        change=_CHANGES.get(event.change, event.change),
        at=event.at,
    )


def _identity(event: WebhookEvent) -> str:
    """The same for every repeat of the event; Xero gives it no id of its own."""
    parts = (event.tenant_id, event.resource_id, event.at.isoformat(), event.change)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
