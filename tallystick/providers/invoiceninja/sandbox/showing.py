"""An entity as it is answered and delivered, with what was asked for along with it."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from tallystick.providers.invoiceninja.sandbox.answers import Rejected, Row
from tallystick.providers.invoiceninja.sandbox.company import Company
from tallystick.providers.invoiceninja.sandbox.nouns import NOUNS, Noun, Query

_DELIVERED = {"invoices": ("client",), "payments": ("client", "invoices")}
"""What webhooks bring along."""


def included(noun: Noun, query: Query) -> list[str]:
    """What `include` asks for; raises `Rejected`."""
    asked = [name for name in query.get("include", "").split(",") if name]
    for name in asked:
        if name.partition(".")[0] not in noun.includes:
            raise Rejected(HTTPStatus.BAD_REQUEST, f"Call to undefined relationship [{name}]")
    return asked


def shown(company: Company, noun: Noun, row: Row, asked: Iterable[str], public_url: str) -> Row:
    found = noun.show(company, row, public_url)
    if "client" in asked:
        found["client"] = _one(company, "clients", row["client_id"], public_url)
    for kind in ("invoices", "payments", "credits"):
        if kind in asked and kind != noun.name:
            ids = _joined(company, noun, row, kind)
            found[kind] = [_one(company, kind, identity, public_url) for identity in ids]
    return found


def delivered(company: Company, kind: str, row: Row, public_url: str) -> Row:
    return shown(company, NOUNS[kind], row, _DELIVERED.get(kind, ()), public_url)


def _one(company: Company, kind: str, identity: str, public_url: str) -> Row:
    return NOUNS[kind].show(company, company.one(kind, identity), public_url)


def _joined(company: Company, noun: Noun, row: Row, kind: str) -> list[str]:
    """The ids of the invoices or credits of a payment, of the payments of an invoice."""
    if noun.name == "payments":
        member = kind.removesuffix("s") + "_id"
        return [part[member] for part in row["paymentables"] if part[member]]
    paid = company.shelves["payments"].find("client_id", row["client_id"])
    return [
        payment["id"]
        for payment in paid
        if any(part["invoice_id"] == row["id"] for part in payment["paymentables"])
    ]
