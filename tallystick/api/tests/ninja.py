"""A website with a relay connection, and the service behind it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from django.test import Client

from tallystick.accounts.models import Account, Website
from tallystick.api.tests.desk import Told
from tallystick.billing.tests import making
from tallystick.integrations.connections import Connection
from tallystick.integrations.invoice_ninja import routes
from tallystick.integrations.links import Link
from tallystick.integrations.outgoing import prepare
from tallystick.kit import clock, standard_webhooks
from tallystick.people.models import User
from tallystick.queue.rows import State

ROOT = "/api/invoice-ninja"
SECRET = "relay-secret-one"


@cache
def browser() -> Client:
    """One for all requests: each new one would set up the whole site anew."""
    return Client(raise_request_exception=False)


@dataclass
class Service:
    """Calls as the go-between does: by `secret`, and with `signs` by a signature alone."""

    secret: str = SECRET
    signs: bool = False
    address: str = "192.0.2.7"

    def post(self, path: str, body: object = None, **headers: str) -> Told:
        return self.send("POST", path, body, **headers)

    def get(self, path: str) -> Told:
        return self.send("GET", path, b"")

    def send(self, method: str, path: str, body: object = None, **headers: str) -> Told:
        data = (
            body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
        )
        given = {**self.headers(data), **{k.replace("_", "-"): v for k, v in headers.items()}}
        where = path if path.startswith("/") else f"{ROOT}/{path}"
        kind = given.pop("content-type", "application/json")
        answer = browser().generic(
            method, where, data, content_type=kind, headers=given, REMOTE_ADDR=self.address
        )
        return Told(answer)

    def headers(self, data: bytes) -> dict[str, str]:
        if not self.secret:
            return {}
        if self.signs:
            return standard_webhooks.headers([self.secret], "d-1", at=clock.now(), body=data)
        return {"X-Webhook-Secret": self.secret}


@dataclass
class Ninja:
    website: Website
    connection: Connection

    @classmethod
    def at(cls, website: Website, secret: str = SECRET) -> Ninja:
        connection = Connection.objects.create(
            website=website,
            type=routes.RELAY,
            name="Relay",
            credentials={"webhook_secret": secret},
            custom_data={"webhook_url": "https://relay.example/webhook/invoice-ninja-sync"},
        )
        return cls(website, connection)

    def configure(self, secret: str) -> None:
        self.connection.credentials = {"webhook_secret": secret}
        self.connection.save()

    def user(self, **values: Any) -> User:
        account = making.account(self.website, user=making.user(**values))
        assert account.user is not None
        return account.user

    def sent(self, **values: Any) -> User:
        """A user whom the relay has accepted, as delivery `d-1`."""
        user = self.user(**values)
        self.send(user)
        return user

    def send(self, user: User, delivery: str = "d-1") -> None:
        link = self.link(user)
        item = prepare(self.connection, [link], clock.now(), write=False).items[0]
        Link.objects.filter(pk=link.pk).update(
            state=State.UNCERTAIN,
            attempt_key=delivery,
            attempt_fingerprint=item.fingerprint,
            attempted_at=clock.now(),
            attempts=link.attempts + 1,
            due_at=clock.now() + timedelta(hours=1),
        )

    def link(self, user: User) -> Link:
        account = Account.objects.everywhere().get(user=user)
        return Link.objects.select_related("connection").get(
            model=Account._meta.label, local_id=str(account.pk), connection=self.connection
        )


def success(user: User, client_id: str = "VolejRejNm", **more: object) -> dict[str, object]:
    body = {"django_user_id": user.pk, "success": True, "invoice_ninja_client_id": client_id}
    return {**body, **more}


def failure(user: User, *, retry: bool, message: str = "No.", **more: object) -> dict[str, object]:
    return {"django_user_id": user.pk, "success": False, "retry": retry, "message": message, **more}
