"""A Xero that answers what a test says, and invoices to send it."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx2

from tallystick.ports.records import (
    Invoice,
    Line,
)
from tallystick.ports.samples import invoice
from tallystick.ports.testing import Recorder
from tallystick.providers.xero import Xero, XeroSettings
from tallystick.providers.xero.tests.case import BUYER, FIXTURES, VAT


def fixture(name: str) -> bytes:
    return (FIXTURES / f"{name}.json").read_bytes()


def settings(**changes: Any) -> XeroSettings:
    fields = {
        "client_id": "ID",
        "client_secret": "a secret",
        "tenant_id": "92d5d25d-2e2a-4b66-851b-0708797364e2",
        "webhook_key": "a key",
        "account_code": "200",
        "payment_account_code": "090",
        "currency_code": "GBP",
        "tax_types": {"20": "OUTPUT2"},
    }
    return XeroSettings.model_validate({**fields, **changes})


Answers = dict[str, bytes | httpx2.Response]


def xero(answers: Answers, **changes: Any) -> tuple[Xero, Recorder]:
    """A client to which each path (with its method) answers one thing."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/token"):
            return httpx2.Response(200, content=fixture("token"))
        found = answers[f"{request.method} {request.url.path.rpartition('/')[2]}"]
        return found if isinstance(found, httpx2.Response) else httpx2.Response(200, content=found)

    network = Recorder(httpx2.MockTransport(answer))
    return Xero(settings(**changes), transport=network), network


def sent(network: Recorder, noun: str, method: str = "PUT") -> list[dict[str, Any]]:
    """The elements of the last write."""
    bodies = [
        json.loads(r.content)
        for r in network.requests()
        if r.method == method and noun in r.url.path
    ]
    elements: list[dict[str, Any]] = bodies[-1][noun]
    return elements


def line(**changes: Any) -> Line:
    plain = Line("Lesson", Decimal(1), Decimal("10.00"), Decimal("10.00"), Decimal("2.00"), tax=VAT)
    return replace(plain, **changes)


def bill(*lines: Line, **changes: Any) -> Invoice:
    amount = sum((one.amount for one in lines), Decimal(0))
    tax = sum((one.tax_amount for one in lines), Decimal(0))
    inclusive = changes.get("inclusive", False)
    return replace(
        invoice(0, "GBP", VAT, [BUYER], []),
        lines=lines,
        tax=tax,
        subtotal=amount - tax if inclusive else amount,
        total=amount if inclusive else amount + tax,
        **changes,
    )
