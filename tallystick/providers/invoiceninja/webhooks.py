"""Invoice Ninja's webhooks: one subscription for each kind of event, the bare entity as the body.

It signs nothing and does not say what happened. So each subscription has an address of its own that
cannot be guessed, `<receiver>/<event id>/<token>`, and a header that nobody else knows.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from pydantic import ValidationError

from tallystick.kit import signing
from tallystick.ports.errors import Forged, Garbled, Missing, Refused
from tallystick.ports.exchange import secure_url
from tallystick.ports.http import Nothing
from tallystick.ports.records import Kind
from tallystick.ports.roles import Delivery, Event
from tallystick.providers.invoiceninja.api import InvoiceNinjaApi
from tallystick.providers.invoiceninja.reading import moment
from tallystick.providers.invoiceninja.schema import (
    Entity,
    InvoiceNinjaSettings,
    Many,
    One,
    Webhook,
)

HEADER = "X-Tallystick-Secret"
EVENTS: dict[str, tuple[Kind, str]] = {
    "1": (Kind.CUSTOMER, "created"),
    "10": (Kind.CUSTOMER, "updated"),
    "11": (Kind.CUSTOMER, "deleted"),
    "37": (Kind.CUSTOMER, "archived"),
    "45": (Kind.CUSTOMER, "restored"),
    "50": (Kind.PRODUCT, "created"),
    "51": (Kind.PRODUCT, "updated"),
    "52": (Kind.PRODUCT, "deleted"),
    "53": (Kind.PRODUCT, "restored"),
    "54": (Kind.PRODUCT, "archived"),
    "2": (Kind.INVOICE, "created"),
    "8": (Kind.INVOICE, "updated"),
    "9": (Kind.INVOICE, "deleted"),
    "33": (Kind.INVOICE, "archived"),
    "41": (Kind.INVOICE, "restored"),
    "60": (Kind.INVOICE, "sent"),
    "4": (Kind.PAYMENT, "created"),
    "31": (Kind.PAYMENT, "updated"),
    "12": (Kind.PAYMENT, "deleted"),
    "32": (Kind.PAYMENT, "archived"),
    "40": (Kind.PAYMENT, "restored"),
}
"""Their number of an event -> what it is about."""

_TAIL = re.compile(r"(\d{1,4})/([0-9a-f]{64})", re.ASCII)
_PURPOSE = "tallystick/invoiceninja/webhook"
_ROWS = 500
_PAGES = 20


def token(secret: str, event_id: str) -> str:
    """What the address for this event ends with."""
    return signing.hmac_sha256(secret, f"{_PURPOSE}/address/{event_id}".encode()).hex()


def header_value(secret: str) -> str:
    """What the header holds: not the secret itself, which their administrators would see."""
    return signing.hmac_sha256(secret, f"{_PURPOSE}/header".encode()).hex()


def confidential(settings: InvoiceNinjaSettings) -> list[str]:
    """Everything made of the secrets that must not be logged."""
    return [
        made
        for secret in settings.webhook_secrets()
        for made in (header_value(secret), *(token(secret, event_id) for event_id in EVENTS))
    ]


def verify(settings: InvoiceNinjaSettings, delivery: Delivery) -> None:
    secrets = settings.webhook_secrets()
    found = _TAIL.fullmatch(delivery.tail)
    event_id, given = (found[1], found[2]) if found else ("", "")
    header = delivery.headers.get(HEADER.lower())
    # All secrets are tried, so that the time taken does not tell which of them fits.
    matches = [
        signing.same(given, token(secret, event_id))
        & (header is None or signing.same(header, header_value(secret)))
        for secret in secrets
    ]
    if not any(matches):
        raise Forged(
            "The address or the header is not one that was given to Invoice Ninja."
            if secrets
            else "No webhook secret is set."
        )


def events(delivery: Delivery) -> list[Event]:
    """What the entity is about, and the invoices that a payment is of."""
    try:
        entity = Entity.model_validate_json(delivery.body)
    except ValidationError as error:
        where = ".".join(map(str, error.errors(include_input=False)[0]["loc"])) or "the body"
    else:
        return list(_events(delivery, entity))
    raise Garbled(f"Invoice Ninja's webhook is not as documented: {where}.")


def _events(delivery: Delivery, entity: Entity) -> Iterator[Event]:
    event_id = delivery.tail.partition("/")[0]
    kind, change = EVENTS.get(event_id, (None, ""))
    about: list[tuple[Kind | None, str]] = [(kind, entity.id)]
    if kind is Kind.PAYMENT:
        invoices = dict.fromkeys(share.invoice_id for share in entity.paymentables)
        about += [(Kind.INVOICE, invoice_id) for invoice_id in invoices if invoice_id]
    for what, remote_id in about:
        # The state is that at the time of sending: two events of one second may have one body.
        parts = (event_id, remote_id, str(entity.updated_at), delivery.body.hex())
        identity = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        yield Event(
            id=identity,
            account="",
            kind=what,
            remote_id=remote_id,
            change=change,
            at=moment(entity.updated_at),
        )


def subscribe(api: InvoiceNinjaApi, settings: InvoiceNinjaSettings, url: str) -> int:
    secrets = settings.webhook_secrets()
    if not secrets:
        raise Refused("Set a webhook secret for this connection first.")
    receiver = _receiver(url)
    wanted = {
        event_id: f"{receiver}/{event_id}/{token(secrets[0], event_id)}" for event_id in EVENTS
    }
    ours = [hook for hook in _ordered(api) if _is_below(hook.target_url, receiver)]
    right: dict[str, Webhook] = {}
    for hook in ours:
        if wanted.get(hook.event_id) == hook.target_url:
            right.setdefault(hook.event_id, hook)
    missing = [event_id for event_id in wanted if event_id not in right]
    for event_id in missing:
        order = {
            "event_id": event_id,
            "target_url": wanted[event_id],
            "rest_method": "post",
            "headers": {HEADER: header_value(secrets[0])},
        }
        api.send("POST", "/webhooks", One[Webhook], json=order)
    for hook in ours:
        if right.get(hook.event_id) is not hook:
            _cancel(api, hook)
    return len(missing)


def _receiver(url: str) -> str:
    try:
        return secure_url(url)
    except ValueError as why:
        raise Refused(f"The receiver's address {why}.") from None


def _is_below(target: str, receiver: str) -> bool:
    """Whether it is one that we ordered for this connection."""
    return target.startswith(f"{receiver}/") and bool(
        _TAIL.fullmatch(target.removeprefix(f"{receiver}/"))
    )


def _ordered(api: InvoiceNinjaApi) -> Iterator[Webhook]:
    for page in range(1, _PAGES + 1):
        params = {"per_page": str(_ROWS), "page": str(page), "sort": "id|asc"}
        reply = api.get("/webhooks", Many[Webhook], params=params)
        yield from (hook for hook in reply.data if not hook.is_put_away)
        if not reply.meta or page >= reply.meta.pagination.total_pages:
            return


def _cancel(api: InvoiceNinjaApi, hook: Webhook) -> None:
    try:
        api.send("DELETE", f"/webhooks/{hook.id}", Nothing)
    except Missing:
        return
