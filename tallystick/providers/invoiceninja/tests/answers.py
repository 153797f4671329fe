"""An Invoice Ninja that answers what a test says, and invoices to send it."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2

from tallystick.ports.records import Invoice, Kind, Line, Ref, Tax
from tallystick.ports.samples import invoice
from tallystick.ports.testing import Recorder
from tallystick.providers.invoiceninja import InvoiceNinja, InvoiceNinjaSettings

FIXTURES = Path(__file__).parents[1] / "fixtures"
TOKEN = "a-token-of-ours"
BUYER = Ref(Kind.CUSTOMER, "c-1", "Opnel5aKBz")
VAT = Tax("standard", Decimal(19))

Given = bytes | httpx2.Response | list[bytes | httpx2.Response]
Answers = dict[str, Given]


def fixture(name: str) -> bytes:
    return (FIXTURES / f"{name}.json").read_bytes()


def refusal(status: int, name: str) -> httpx2.Response:
    headers = {"content-type": "application/json"}
    return httpx2.Response(status, content=fixture(name), headers=headers)


def settings(**changes: Any) -> InvoiceNinjaSettings:
    fields = {
        "api_url": "https://invoices.example.org",
        "api_token": TOKEN,
        "webhook_secret": "a secret",
        "request_delay": 0,
    }
    return InvoiceNinjaSettings.model_validate({**fields, **changes})


ALWAYS: Answers = {
    "GET statics": fixture("statics"),
    "POST companies/current": fixture("company"),
    "GET tax_rates": fixture("tax_rates"),
}


def ninja(answers: Answers, **changes: Any) -> tuple[InvoiceNinja, Recorder]:
    """A client to which each path (with its method) answers one thing, or one after another."""
    given = {
        name: list(held) if isinstance(held, list) else held
        for name, held in {**ALWAYS, **answers}.items()
    }

    def answer(request: httpx2.Request) -> httpx2.Response:
        path = request.url.path.removeprefix("/api/v1/")
        found = given[f"{request.method} {path}"]
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        if isinstance(found, bytes):
            return httpx2.Response(200, content=found)
        return httpx2.Response(found.status_code, headers=found.headers, content=found.content)

    network = Recorder(httpx2.MockTransport(answer))
    return InvoiceNinja(settings(**changes), transport=network), network


def bodies(network: Recorder, call: str) -> list[dict[str, Any]]:
    """What was sent by `POST clients`, say, in order."""
    return [
        json.loads(request.content) for request in network.requests() if call == called(request)
    ]


def called(request: httpx2.Request) -> str:
    return f"{request.method} {request.url.path.removeprefix('/api/v1/')}"


def line(**changes: Any) -> Line:
    plain = Line("Lesson", Decimal(1), Decimal("10.00"), Decimal("10.00"), Decimal("1.90"), tax=VAT)
    return replace(plain, **changes)


def bill(*lines: Line, **changes: Any) -> Invoice:
    amount = sum((one.amount for one in lines), Decimal(0))
    tax = sum((one.tax_amount for one in lines), Decimal(0))
    inclusive = changes.get("inclusive", False)
    return replace(
        invoice(1, "EUR", VAT, [BUYER], []),
        lines=lines,
        tax=tax,
        subtotal=amount - tax if inclusive else amount,
        total=amount if inclusive else amount + tax,
        **changes,
    )
