"""Invoice Ninja for the reliability suites."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tallystick.billing.models import Product
from tallystick.integrations.connections import Connection
from tallystick.ports.records import Kind
from tallystick.ports.sandboxing import Answer, Outgoing, Request, Stand
from tallystick.providers.invoiceninja import InvoiceNinja, payments, products
from tallystick.providers.invoiceninja.sandbox import InvoiceNinjaStand
from tallystick.providers.invoiceninja.schema import HOSTED_CALLS
from tallystick.sandbox.running import StandClient
from tests.reliability.venues import Company, Face, Reading, Venue

MANY_TRIES = 50
SECRET = "a webhook secret"
_ROOT = "/api/v1/"
_KEYS = {
    "clients": (Kind.CUSTOMER, "id_number"),
    "products": (Kind.PRODUCT, "product_key"),
    "invoices": (Kind.INVOICE, "number"),
    "payments": (Kind.PAYMENT, "idempotency_key"),
}
_NO_TOKENS = "its token does not expire"
_NO_DAYS = "it has no limit by the day"
_ENDED = {"5", "6"}


def _unlooked(desk: products.Products, record: Any) -> tuple[str, None]:  # noqa: ANN401 - any product
    """The key for a product as if nothing were there."""
    del desk
    return products.keys(record)[0], None


def _unseen(record: object, owed: object) -> None:
    """A payment as if its invoice had none."""


class InvoiceNinjaVenue(Venue):
    provider = InvoiceNinja
    stand_class = InvoiceNinjaStand
    ledgers = {kind: noun for noun, (kind, _) in _KEYS.items()}
    paths = {kind: f"{_ROOT}{noun}" for noun, (kind, _) in _KEYS.items()}
    api_path = _ROOT
    # Id numbers, invoice numbers and idempotency keys are unique there.
    tolerates_doubles = frozenset({Kind.PRODUCT})
    besieged = {Kind.CUSTOMER: 1, Kind.PRODUCT: 1}
    hosted = {"minute": HOSTED_CALLS}
    lacks = {
        "access token expired in the middle": _NO_TOKENS,
        "daily limit reached": _NO_DAYS,
    }
    words = {"200 with errors for some items": r"HTTP 422|there"}
    looks_at_payments = True

    def __init__(self) -> None:
        self._of_invoice: dict[str, set[str]] = defaultdict(set)

    def company(self, description: Mapping[str, Any], *, url: str = "") -> Company:
        del url  # it says its own
        return Company(
            name=description["company"],
            account="",
            credentials={"api_token": description["token"], "webhook_secret": SECRET},
            custom_data={
                "api_url": description["api_url"],
                "request_delay": 0,
                "max_attempts": MANY_TRIES,
            },
        )

    def describe(self, stand: Stand, number: int = 0) -> Mapping[str, Any]:
        described = _ninja(stand).describe()
        return {**described, "company": f"{described['company']} {number}"}

    def open_running(self, client: StandClient, *, keys: bool = True) -> Mapping[str, Any]:
        del keys  # it has none
        client.act("lift_limits")
        described: Mapping[str, Any] = client.act("describe")
        return described

    def read(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Reading:
        noun, _, identity = path.partition(_ROOT)[2].partition("/")
        if noun not in _KEYS:
            return Reading("read")
        kind, key = _KEYS[noun]
        if method == "GET":
            return self._asked(kind, query.get(key, ""), identity)
        document = json.loads(body or b"{}")
        if identity:
            return Reading("change", kind, [document.get(key, "")])
        if kind is Kind.PAYMENT:
            self._of_invoice[document["invoices"][0]["invoice_id"]].add(document[key])
        return Reading("create", kind, [document[key]])

    def _asked(self, kind: Kind, key: str, identity: str) -> Reading:
        """An invoice is read with its payments: these are looked at with it."""
        if key:
            return Reading("look", kind, [key])
        paid = self._of_invoice.get(identity) if kind is Kind.INVOICE else None
        if paid and self.looks_at_payments:
            return Reading("look", Kind.PAYMENT, sorted(paid))
        return Reading("read", kind)

    def faces(self, stand: Stand, company: Company) -> Iterable[Face]:
        shelves = _ninja(stand).company.shelves
        for client in shelves["clients"]:
            person = client["contacts"][0]
            says = {"first name": person.get("first_name", ""), "e-mail": person.get("email", "")}
            yield Face(Kind.CUSTOMER, client.get("id_number", ""), says)
        for product in shelves["products"]:
            says = {"price": f"{product['price']:.2f}"}
            yield Face(Kind.PRODUCT, product["product_key"], says)
        for invoice in shelves["invoices"]:
            is_void = invoice["status_id"] in _ENDED or bool(invoice.get("is_deleted"))
            says = {"void": str(is_void), "total": f"{invoice['amount']:.2f}"}
            if not is_void:
                says["paid"] = f"{invoice['paid_to_date']:.2f}"
            yield Face(Kind.INVOICE, invoice["number"], says)

    def product_says(self, product: Product) -> Mapping[str, str]:
        """A product is called by its key there, and has no name."""
        return {"price": f"{product.price:.2f}"}

    def paid_there(self, stand: Stand, company: Company, number: str, amount: str = "") -> None:
        _ninja(stand).pay_invoice(number, amount)

    def edited_there(self, stand: Stand, company: Company, number: str, price: str) -> None:
        ninja = _ninja(stand)
        (found,) = ninja.company.shelves["invoices"].find("number", number)
        (line,) = found["line_items"]
        kept = {name: line[name] for name in ("notes", "quantity")}
        fields = {"client_id": found["client_id"], "line_items": [{**kept, "cost": price}]}
        answer = _by_hand(ninja, "PUT", f"invoices/{found['id']}", fields)
        assert answer.status == 200, answer.body

    def deliveries(self, stand: Stand, company: Company) -> Sequence[Outgoing]:
        return _ninja(stand).pending_deliveries()

    def forget_keys(self, stand: Stand, company: Company) -> None:
        """It has none to forget."""

    def refuse(self, stand: Stand, company: Company) -> None:
        _ninja(stand).renew_token()

    def permit(self, stand: Stand, company: Company) -> None:
        _ninja(stand).company.token = company.credentials["api_token"]

    def lift_limits(self, stand: Stand) -> None:
        _ninja(stand).lift_limits()

    def host(self, stand: Stand, connection: Connection) -> None:
        _ninja(stand).set_limits(HOSTED_CALLS)
        connection.custom_data["calls_per_minute"] = HOSTED_CALLS
        connection.save()


InvoiceNinjaVenue.safeguards = (
    (products.Products, "_place", _unlooked),
    (payments, "_of", _unseen),
    (InvoiceNinjaVenue, "looks_at_payments", False),
)


def _by_hand(stand: InvoiceNinjaStand, method: str, path: str, fields: object) -> Answer:
    """As their own pages do it: by the same API."""
    headers = {
        "x-api-token": stand.token,
        "x-requested-with": "XMLHttpRequest",
        "content-type": "application/json",
    }
    body = json.dumps(fields, default=str).encode()
    return stand.respond(Request(method, f"{_ROOT}{path}", {}, headers, body))


def _ninja(stand: Stand) -> InvoiceNinjaStand:
    assert isinstance(stand, InvoiceNinjaStand)
    return stand
