"""A plain client of the stand, for its tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx2

from tallystick.ports.sandboxing import Answer, Request
from tallystick.providers.xero.sandbox import XeroStand

Json = dict[str, Any]
ROOT = "https://api.xero.com/api.xro/2.0"


class Api:
    """Calls the stand with the credentials of one organisation. `client` goes through HTTP."""

    def __init__(self, stand: XeroStand, client: httpx2.Client, organisation: str = "") -> None:
        self.stand = stand
        self.client = client
        self.app = stand.app(organisation)
        self.headers = {
            "authorization": f"Bearer {self.token()}",
            "xero-tenant-id": self.app.books.id,
            "accept": "application/json",
        }

    def token(self, scope: str = "") -> str:
        answer = self.ask_token({"grant_type": "client_credentials", "scope": scope})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def ask_token(
        self, form: Mapping[str, str], auth: tuple[str, str] | None = None
    ) -> httpx2.Response:
        return self.client.post(
            "https://identity.xero.com/connect/token",
            data=dict(form),
            auth=auth or (self.app.client_id, self.app.client_secret),
        )

    def send(self, method: str, path: str, body: object = None, **headers: str) -> httpx2.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = None if body is None else json.dumps(body).encode()
        return self.client.request(
            method, f"{ROOT}{path}", content=content, headers={**self.headers, **named}
        )

    def get(self, path: str, **query: str) -> Json:
        answer = self.client.get(f"{ROOT}{path}", params=query, headers=self.headers)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    def put(self, noun: str, *elements: Json, method: str = "PUT") -> list[Json]:
        """One result for each element, refused ones too."""
        answer = self.send(method, f"/{noun}?summarizeErrors=false", {noun: list(elements)})
        assert answer.status_code == 200, answer.text
        results: list[Json] = answer.json()[noun]
        return results

    def post(self, noun: str, *elements: Json) -> list[Json]:
        return self.put(noun, *elements, method="POST")

    def contact(self, name: str = "Ada Lovelace", **fields: object) -> Json:
        return self.put("Contacts", {"Name": name, **fields})[0]

    def invoice(self, number: str = "T-1", **fields: object) -> Json:
        """An approved invoice of 100.00 and 20 % tax unless told otherwise."""
        return self.put("Invoices", draft(number, **fields))[0]

    def payment(self, invoice: Json, amount: object, **fields: object) -> Json:
        return self.put(
            "Payments",
            {
                "Invoice": {"InvoiceID": invoice["InvoiceID"]},
                "Account": {"Code": "090"},
                "Amount": amount,
                "Date": "2026-01-02",
                **fields,
            },
        )[0]


def draft(number: str, **fields: object) -> Json:
    return {
        "Type": "ACCREC",
        "Contact": {"Name": "Ada Lovelace"},
        "InvoiceNumber": number,
        "Date": "2026-01-01",
        "DueDate": "2026-01-31",
        "Status": "AUTHORISED",
        "LineItems": [line()],
        **fields,
    }


def line(**fields: object) -> Json:
    said: Json = {"Description": "Consulting", "Quantity": 1, "UnitAmount": 100}
    return {**said, "AccountCode": "200", "TaxType": "OUTPUT2", **fields}


def messages(element: Json) -> str:
    return " ".join(error["Message"] for error in element.get("ValidationErrors", []))


def straight(stand: XeroStand, api: Api, method: str, path: str) -> Answer:
    """Past the client: `path` below the API's root."""
    return stand.handle(Request(method, f"/api.xro/2.0{path}", {}, api.headers))
