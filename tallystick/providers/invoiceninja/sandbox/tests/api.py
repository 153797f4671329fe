"""A plain client of the stand, for its tests."""

from __future__ import annotations

import json
from typing import Any

import httpx2

from tallystick.providers.invoiceninja.sandbox import InvoiceNinjaStand

Json = dict[str, Any]
ROOT = "https://ninja.example/api/v1"


class Api:
    """Calls the stand with its token. `client` goes through HTTP."""

    def __init__(self, stand: InvoiceNinjaStand, client: httpx2.Client) -> None:
        self.stand = stand
        self.client = client
        self.headers = {"x-api-token": stand.token, "x-requested-with": "XMLHttpRequest"}

    def send(self, method: str, path: str, body: object = None, **query: str) -> httpx2.Response:
        content = None if body is None else json.dumps(body).encode()
        return self.client.request(
            method, f"{ROOT}{path}", content=content, params=query, headers=self.headers
        )

    def ask(self, method: str, path: str, body: object = None, **query: str) -> Any:  # noqa: ANN401 - JSON
        """`data` of an answer that is 200."""
        answer = self.send(method, path, body, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def get(self, path: str, **query: str) -> Any:  # noqa: ANN401 - JSON
        return self.ask("GET", path, **query)

    def post(self, path: str, body: object = None, **query: str) -> Any:  # noqa: ANN401 - JSON
        return self.ask("POST", path, body, **query)

    def put(self, path: str, body: object = None, **query: str) -> Any:  # noqa: ANN401 - JSON
        return self.ask("PUT", path, body, **query)

    def refused(self, method: str, path: str, body: object = None, **query: str) -> list[str]:
        """The members that a 422 complains of."""
        answer = self.send(method, path, body, **query)
        assert answer.status_code == 422, answer.text
        assert answer.json()["message"]
        return list(answer.json()["errors"])

    def client_of(self, name: str = "Ada", **fields: object) -> Json:
        email = {"email": f"{name.lower()}@example.org"}
        made: Json = self.post("/clients", {"name": name, "contacts": [email], **fields})
        return made

    def invoice(self, client: Json, **fields: object) -> Json:
        """One that was sent, over 100.00 and 19 % tax unless told otherwise."""
        line = {"cost": 100, "quantity": 1, "tax_name1": "VAT", "tax_rate1": 19}
        given = {"client_id": client["id"], "line_items": [line], **fields}
        made: Json = self.post("/invoices", given, mark_sent="true")
        return made

    def payment(self, invoice: Json, amount: object, **fields: object) -> Json:
        made: Json = self.post("/payments", paying(invoice, amount, **fields))
        return made


def paying(invoice: Json, amount: object, **fields: object) -> Json:
    applied = [{"invoice_id": invoice["id"], "amount": amount}]
    return {"client_id": invoice["client_id"], "invoices": applied, **fields}
