"""A custom connection: one app with its credentials, tokens and one organisation."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import parse_qsl
from uuid import NAMESPACE_URL, uuid4, uuid5

from tallystick.kit import signing
from tallystick.ports.sandboxing import Answer, Request
from tallystick.providers.xero.sandbox.answers import JSON, dump
from tallystick.providers.xero.sandbox.books import Books
from tallystick.providers.xero.sandbox.idempotency import Memory
from tallystick.providers.xero.sandbox.limits import Gauge
from tallystick.providers.xero.sandbox.webhooks import Webhooks

_OTHER_GRANTS = {
    "": "invalid_request",
    "authorization_code": "unauthorized_client",
    "refresh_token": "unauthorized_client",
}
_TOKEN_LIFE = timedelta(minutes=30)
_GRANULAR = {
    "accounting.invoices",
    "accounting.payments",
    "accounting.contacts",
    "accounting.settings",
    "accounting.attachments",
    "accounting.banktransactions",
    "accounting.manualjournals",
}
SCOPES = _GRANULAR | {f"{scope}.read" for scope in _GRANULAR} | {"accounting.journals.read"}
"""Of apps made since 2 March 2026: the broad `accounting.transactions` is not among them."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What one access token allows, and until when."""

    scopes: frozenset[str]
    ends: datetime

    def allows(self, scope: str, *, write: bool) -> bool:
        return scope in self.scopes or (not write and f"{scope}.read" in self.scopes)


class App:
    """The credentials are made from the organisation's name: the same at every start."""

    def __init__(self, books: Books, *, scopes: frozenset[str] = frozenset(SCOPES)) -> None:
        self.books = books
        self.scopes = scopes
        self.client_id = uuid5(NAMESPACE_URL, f"xero:app:{books.name}").hex.upper()
        self.client_secret = signing.digest(f"xero:secret:{books.name}")[:48]
        self.connected = True
        self.connection_id = str(uuid5(NAMESPACE_URL, f"xero:connection:{books.name}"))
        self.gauge = Gauge()
        self.memory = Memory()
        self.webhooks = Webhooks(signing.digest(f"xero:webhooks:{books.name}"), account=books.id)
        self.grants: dict[str, Grant] = {}

    def issue(self, scopes: frozenset[str], now: datetime) -> str:
        self.grants = {token: grant for token, grant in self.grants.items() if grant.ends > now}
        token = uuid4().hex + uuid4().hex
        self.grants[token] = Grant(scopes, now + _TOKEN_LIFE)
        return token

    def connection(self) -> dict[str, str]:
        """As `GET /Connections` lists it; the times have no zone."""
        at = self.books.created_at.strftime("%Y-%m-%dT%H:%M:%S.%f0")
        return {
            "id": self.connection_id,
            "authEventId": self.connection_id,
            "tenantId": self.books.id,
            "tenantType": "ORGANISATION",
            "tenantName": self.books.name,
            "createdDateUtc": at,
            "updatedDateUtc": at,
        }


def token_answer(apps: dict[str, App], request: Request, now: datetime) -> Answer:
    """The token endpoint: client_credentials with the app's id and secret as Basic auth."""
    form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
    client_id, secret = _credentials(request, form)
    app = apps.get(client_id)
    if app is None or not signing.same(secret, app.client_secret):
        return _refusal("invalid_client")
    scopes = frozenset(form.get("scope", "").split()) or app.scopes
    if error := _complaint(app, form.get("grant_type", ""), scopes):
        return _refusal(error)
    document = {
        "access_token": app.issue(scopes, now),
        "expires_in": int(_TOKEN_LIFE.total_seconds()),
        "token_type": "Bearer",
        "scope": " ".join(sorted(scopes)),
    }
    return Answer(HTTPStatus.OK, {**JSON, "cache-control": "no-store"}, dump(document))


def _complaint(app: App, grant_type: str, scopes: frozenset[str]) -> str:
    """The error that OAuth has for it; empty when all is well."""
    if grant_type != "client_credentials":
        return _OTHER_GRANTS.get(grant_type, "unsupported_grant_type")
    if not app.connected:
        return "unauthorized_client"
    return "" if scopes <= app.scopes else "invalid_scope"


def _credentials(request: Request, form: dict[str, str]) -> tuple[str, str]:
    kind, _, coded = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        client_id, _, secret = base64.b64decode(coded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return client_id, secret


def _refusal(error: str) -> Answer:
    return Answer(HTTPStatus.BAD_REQUEST, JSON, dump({"error": error}))
