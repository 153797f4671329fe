"""Xero for the reliability suites."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tallystick.ports.records import Kind
from tallystick.ports.sandboxing import Outgoing, Stand
from tallystick.providers.xero import Xero
from tallystick.providers.xero.sandbox import XeroStand
from tallystick.providers.xero.sandbox.apps import App
from tallystick.sandbox.running import StandClient
from tests.reliability.venues import Company, Face, Reading, Venue

_KEYS = {
    "Contacts": (Kind.CUSTOMER, "ContactNumber", "ContactID"),
    "Items": (Kind.PRODUCT, "Code", "ItemID"),
    "Invoices": (Kind.INVOICE, "InvoiceNumber", "InvoiceID"),
    "Payments": (Kind.PAYMENT, "Reference", "PaymentID"),
}
_QUOTED = re.compile(r'=="([^"]+)"')


class XeroVenue(Venue):
    provider = Xero
    stand_class = XeroStand
    ledgers = {
        Kind.CUSTOMER: "contacts",
        Kind.PRODUCT: "items",
        Kind.INVOICE: "invoices",
        Kind.PAYMENT: "payments",
    }
    paths = {
        Kind.CUSTOMER: "/Contacts",
        Kind.PRODUCT: "/Items",
        Kind.INVOICE: "/Invoices",
        Kind.PAYMENT: "/Payments",
    }
    api_path = "/api.xro/"
    # Contact and invoice numbers are unique there, items are written by their code.
    tolerates_doubles = frozenset({Kind.PAYMENT})
    besieged = {Kind.CUSTOMER: 1, Kind.PAYMENT: 2}
    hosted = {
        {60: "minute", 86_400: "day"}[limit.window]: limit.calls
        for limit in Xero.limits
        if limit.scope != "app"
    }

    def company(self, description: Mapping[str, Any], *, url: str = "") -> Company:
        addresses = {
            "base_url": f"{url}/api.xro/2.0",
            "token_url": f"{url}/identity/connect/token",
        }
        return Company(
            name=description["organisation"],
            account=description["tenant_id"],
            credentials={
                "client_secret": description["client_secret"],
                "webhook_key": description["webhook_key"],
            },
            custom_data={
                "client_id": description["client_id"],
                "tenant_id": description["tenant_id"],
                "account_code": "200",
                "payment_account_code": "090",
                "currency_code": "EUR",
                **(addresses if url else {}),
            },
        )

    def describe(self, stand: Stand, number: int = 0) -> Mapping[str, Any]:
        # The second of the two that are there keeps its books in euros.
        held = _xero(stand)
        if number == 0:
            return held.describe(held.app("Demo Company (Global)"))
        return held.add_organisation(f"Company {number}", "DE")

    def open_running(self, client: StandClient, *, keys: bool = True) -> Mapping[str, Any]:
        client.act("lift_limits")
        organisation = "Demo Company (Global)"
        client.act("set_idempotency", on=keys, organisation=organisation)
        found: list[Mapping[str, Any]] = client.act("organisations")
        return next(each for each in found if each["organisation"] == organisation)

    def read(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Reading:
        noun = path.partition("/api.xro/2.0/")[2].partition("/")[0]
        if noun not in _KEYS:
            return Reading("token" if "token" in path else "read")
        kind, key, identity = _KEYS[noun]
        if method == "GET":
            asked = _asked(query)
            return Reading("look" if asked else "read", kind, asked)
        elements = json.loads(body or b"{}").get(noun, [])
        is_change = any(element.get(identity) for element in elements)
        keys = [element.get(key, "") for element in elements]
        return Reading("change" if is_change else "create", kind, keys)

    def faces(self, stand: Stand, company: Company) -> Iterable[Face]:
        books = _app(stand, company).books
        for contact in books.contacts:
            yield Face(
                Kind.CUSTOMER,
                contact.get("ContactNumber", ""),
                {"first name": contact.get("FirstName", ""), "e-mail": contact["EmailAddress"]},
            )
        for item in books.items:
            price = f"{item['SalesDetails']['UnitPrice']:.2f}"
            yield Face(Kind.PRODUCT, item["Code"], {"name": item["Name"], "price": price})
        for invoice in books.invoices:
            is_void = invoice["Status"] in {"VOIDED", "DELETED"}
            says = {"void": str(is_void), "total": f"{invoice['Total']:.2f}"}
            if not is_void:
                says["paid"] = f"{invoice['AmountPaid']:.2f}"
            yield Face(Kind.INVOICE, invoice["InvoiceNumber"], says)

    def paid_there(self, stand: Stand, company: Company, number: str, amount: str = "") -> None:
        _xero(stand).pay_invoice(number, amount, organisation=company.account)

    def edited_there(self, stand: Stand, company: Company, number: str, price: str) -> None:
        app = _app(stand, company)
        (found,) = app.books.invoices.find("InvoiceNumber", number)
        kept = ("Description", "AccountCode", "TaxType", "Quantity")
        line = {name: value for name, value in found["LineItems"][0].items() if name in kept}
        fields = {"LineItems": [{**line, "UnitAmount": price}]}
        _xero(stand).edit_invoice(number, fields, organisation=company.account)

    def deliveries(self, stand: Stand, company: Company) -> Sequence[Outgoing]:
        return _xero(stand).pending_deliveries(company.account)

    def forget_keys(self, stand: Stand, company: Company) -> None:
        _xero(stand).set_idempotency(False, organisation=company.account)

    def refuse(self, stand: Stand, company: Company) -> None:
        _xero(stand).set_connected(False, organisation=company.account)

    def permit(self, stand: Stand, company: Company) -> None:
        _xero(stand).set_connected(True, organisation=company.account)

    def lift_limits(self, stand: Stand) -> None:
        _xero(stand).lift_limits()

    def limit_day(self, stand: Stand, calls: int) -> None:
        _xero(stand).set_limits(day=calls)

    def refuse_some(self, stand: Stand, company: Company, day: str) -> None:
        """The invoices of that day."""
        _xero(stand).set_lock_date(day, organisation=company.account)

    def accept_all(self, stand: Stand, company: Company) -> None:
        _xero(stand).set_lock_date("", organisation=company.account)


def _asked(query: Mapping[str, str]) -> list[str]:
    """The keys that a question is about; none when it is about all that changed."""
    numbers = query.get("InvoiceNumbers", "")
    conditions = "" if "order" in query else query.get("where", "")
    return [*_QUOTED.findall(conditions), *filter(None, numbers.split(","))]


def _xero(stand: Stand) -> XeroStand:
    assert isinstance(stand, XeroStand)
    return stand


def _app(stand: Stand, company: Company) -> App:
    return _xero(stand).app(company.account)
