"""A website with everybody who asks its API, and one of each of what they ask for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.test import Client

from tallystick.accounts.apikeys import Scope
from tallystick.accounts.models import Account, ApiKey, Website
from tallystick.billing import payments
from tallystick.billing.credit_notes import CreditNote, issue_credit_note
from tallystick.billing.invoices import Invoice
from tallystick.billing.payment_rows import Payment
from tallystick.billing.tests import making
from tallystick.billing.wallets import Wallet
from tallystick.people.models import User

ROOT = "/api/v1/order-payments"


class Caller:
    """Asks the API in somebody's name. What it is told is `Told`."""

    def __init__(self, user: User | None = None, key: str = "") -> None:
        self.client = Client(headers={"Authorization": f"Bearer {key}"} if key else None)
        if user is not None:
            self.client.force_login(user)

    def get(self, path: str, **query: Any) -> Told:
        return Told(self.client.get(_address(path), query))

    def post(self, path: str, body: object = None, **headers: str) -> Told:
        return self.send("POST", path, body, **headers)

    def send(self, method: str, path: str, body: object = None, **headers: str) -> Told:
        data = body if isinstance(body, bytes) else json.dumps(body if body is not None else {})
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.client.generic(
            method, _address(path), data, content_type="application/json", headers=named
        )
        return Told(response)


@dataclass
class Told:
    response: Any

    @property
    def status(self) -> int:
        return int(self.response.status_code)

    @property
    def body(self) -> Any:  # noqa: ANN401 - whatever JSON holds
        return json.loads(self.response.content) if self.response.content else None

    @property
    def code(self) -> str:
        """Of the problem."""
        assert self.response["Content-Type"] == "application/problem+json", self.response.content
        return str(self.body["code"])

    @property
    def ids(self) -> list[str]:
        return [row["id"] for row in self.body["results"]]

    @property
    def pointers(self) -> list[str]:
        return [fault["pointer"] for fault in self.body["errors"]]


@dataclass
class Desk:
    website: Website
    account: Account
    admin: User
    draft: Invoice
    invoice: Invoice
    paid: Invoice
    payment: Payment
    note: CreditNote
    wallet: Wallet

    @classmethod
    def at(cls, website: Website) -> Desk:
        account = making.account(website)
        paid = making.issued(account)
        payment = payments.mark_paid(paid, by=None)
        credited = making.issued(account)
        return cls(
            website=website,
            account=account,
            admin=making.staff(website),
            draft=making.draft(account, title="A draft"),
            invoice=making.issued(account),
            paid=paid,
            payment=payment,
            note=issue_credit_note(credited, reason="One too many.", by=None),
            wallet=making.funded(account, "500"),
        )

    @property
    def client_user(self) -> User:
        assert self.account.user is not None
        return self.account.user

    def as_admin(self) -> Caller:
        return Caller(self.admin)

    def as_client(self) -> Caller:
        return Caller(self.client_user)

    def as_superadmin(self) -> Caller:
        return Caller(User.objects.create_superuser(f"root{User.objects.count()}"))

    def as_key(self, *scopes: Scope, user: User | None = None) -> Caller:
        scopes = scopes or tuple(Scope)
        _, text = ApiKey.issue(
            website=self.website, user=user or self.admin, name="a program", scopes=list(scopes)
        )
        return Caller(key=text)

    def new(self, **changes: object) -> dict[str, Any]:
        """The body of a new invoice."""
        body = {
            "client": str(self.account.uid),
            "title": "Work",
            "lines": [{"description": "Work", "unit_price": "100.00", "tax_rate": "std"}],
        }
        return body | changes


def anybody() -> Caller:
    return Caller()


def _address(path: str) -> str:
    return path if path.startswith("/") else f"{ROOT}/{path}"
